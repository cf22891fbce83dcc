"""``fer-tfrecords align``: a record set whose faces are aligned by their points."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared


def align(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The record set to align; it is left as it is.")],
    out: shared.Out,
    size: Annotated[int, typer.Option(min=16, help="Side of the new images in pixels.")] = 112,
    geometry: Annotated[
        Path | None,
        typer.Option(
            help="crop_geometry.json to align to; default: the record set's own, or else a face from brows to chin.",
            show_default=False,
        ),
    ] = None,
    detector: shared.Detector = "mtcnn-runtime",
    num_shards: shared.NumShards = None,
    overwrite: shared.Overwrite = False,
    workers: shared.Workers = None,
) -> None:
    """Cut the largest face out of every image so that eyes, nose and mouth always lie in the same places.

    `fer-keras predict` finds and cuts out faces by the same functions, at the same size and to the same places, which
    travel with the record set, its runs and their exports, together with whether the new images are grey. An image in
    which no face is found goes to the quarantine.

    Example: fer-tfrecords align data/expw --out data/expw_aligned --size 112
    """
    from fer_keras.data.records import RecordSet
    from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, CropGeometry, find_geometry
    from tfrecords_tools.aligning import AlignedRecordSet

    record_set = RecordSet.load(directory)
    if out.resolve() == directory.resolve():
        raise typer.BadParameter("write the aligned set to another folder", param_hint="--out")
    target = CropGeometry.read(geometry) if geometry else find_geometry(directory) or DEFAULT_GEOMETRY
    source = AlignedRecordSet(record_set, shared.build(detector), detector, target, size)
    shared.convert(source, out, num_shards=num_shards, overwrite=overwrite, workers=workers)
