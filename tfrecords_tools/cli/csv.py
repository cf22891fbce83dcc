"""``fer-tfrecords csv``."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared
from tfrecords_tools.limits import DEFAULT_MAX_PIXELS


def csv(
    table: Annotated[Path, typer.Argument(help="csv with the columns path,label[,split,valence,arousal,votes...].")],
    out: shared.Out,
    root: Annotated[
        Path | None, typer.Option(help="Folder that the paths are relative to; the csv's own if left out.")
    ] = None,
    name: shared.Name = None,
    split_name: shared.SplitName = "train",
    classes: shared.Classes = None,
    num_shards: shared.NumShards = None,
    resize: shared.Resize = None,
    max_pixels: shared.MaxPixels = DEFAULT_MAX_PIXELS,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    workers: shared.Workers = None,
) -> None:
    """Images listed in a csv: path, class name, and perhaps split, valence, arousal and votes.

    Votes are columns votes_<class>, or one column votes with a list such as 0;7;0;2;0;1;0 in canonical order. The
    csv of LDLVA (subDirectory_filePath,expression,valence,arousal,knn) is understood as well; its rows stay in
    order and its knn is not read.

    Example: fer-tfrecords csv faces.csv --root faces --out data/faces
    """
    from tfrecords_tools.importers.csv_table import CsvTable

    shared.convert(
        CsvTable(table, root, split_name, shared.num_classes(classes), name),
        out,
        num_shards=num_shards,
        resize=resize,
        max_pixels=max_pixels,
        strict=strict,
        overwrite=overwrite,
        workers=workers,
    )
