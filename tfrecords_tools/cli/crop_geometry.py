"""``fer-tfrecords crop-geometry``: where the faces lie in the images of a record set."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared


def crop_geometry(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set.")],
    split: Annotated[str, typer.Option(help="The split that is looked at.")] = "train",
    samples: Annotated[int, typer.Option(min=1, help="Images that are looked at.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other images.")] = 0,
    detector: shared.Detector = "mtcnn-runtime",
) -> None:
    """Measure how the faces of a record set were cropped, so that predictions are made from crops like them.

    Writes `crop_geometry.json` into the record set's folder: the median places of the eyes, the nose and the corners of
    the mouth, whether the images are grey, and their size where all are squares of one. Training and exporting copy it;
    `fer-keras predict` aligns the faces it finds to it.

    Example: fer-tfrecords crop-geometry data/ferplus --split train
    """
    from rich.console import Console
    from rich.table import Table

    from fer_keras.data.records import RecordSet
    from fer_keras.faces.crop_geometry import GEOMETRY_FILE
    from fer_keras.faces.face import LANDMARKS
    from tfrecords_tools.geometry import measure_geometry
    from tfrecords_tools.reading import progress_bar

    record_set, finder = RecordSet.load(directory), shared.build(detector)
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("finding faces", total=min(samples, record_set.split(split).num_examples))
        geometry = measure_geometry(
            record_set, split, finder, samples, seed, lambda count: progress.advance(task, count)
        )
    geometry.write(directory / GEOMETRY_FILE)
    table = Table("point", "x", "y", title=geometry.origin)
    for name, (x, y) in zip(LANDMARKS, geometry.points, strict=True):
        table.add_row(name.replace("_", " "), f"{x:.3f}", f"{y:.3f}")
    Console().print(table)
    typer.echo(f"{'grey' if geometry.grey else 'colour'} images; wrote {directory / GEOMETRY_FILE}")
