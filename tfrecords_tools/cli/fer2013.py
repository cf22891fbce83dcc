"""``fer-tfrecords fer2013``."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared
from tfrecords_tools.limits import DEFAULT_MAX_PIXELS


def fer2013(
    source: Annotated[
        Path, typer.Argument(help="fer2013.csv, fer2013.csv.gz, or the folder with train/<class> and test/<class>.")
    ],
    out: shared.Out,
    num_shards: shared.NumShards = None,
    resize: shared.Resize = None,
    max_pixels: shared.MaxPixels = DEFAULT_MAX_PIXELS,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    workers: shared.Workers = None,
) -> None:
    """FER2013 with its own labels, seven classes: the official csv, or the folders of the Kaggle release.

    The splits of the csv are named after Usage: Training, PublicTest, PrivateTest.

    Example: fer-tfrecords fer2013 fer2013.csv.gz --out data/fer2013
    """
    from tfrecords_tools.importers.fer2013 import Fer2013
    from tfrecords_tools.importers.folder import Folder

    shared.convert(
        Folder(source, num_classes=7, name="fer2013") if source.is_dir() else Fer2013(source),
        out,
        num_shards=num_shards,
        resize=resize,
        max_pixels=max_pixels,
        strict=strict,
        overwrite=overwrite,
        workers=workers,
    )
