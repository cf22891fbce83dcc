"""``fer-tfrecords folder``."""

from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared
from tfrecords_tools.limits import DEFAULT_MAX_PIXELS


def folder(
    root: Annotated[Path, typer.Argument(help="Folder with <class>/* or <split>/<class>/*.")],
    out: shared.Out,
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
    """Images in folders named after their class, such as happy or Happiness.

    Example: fer-tfrecords folder faces --out data/faces
    """
    from tfrecords_tools.importers.folder import Folder

    shared.convert(
        Folder(root, split_name, shared.num_classes(classes), name),
        out,
        num_shards=num_shards,
        resize=resize,
        max_pixels=max_pixels,
        strict=strict,
        overwrite=overwrite,
        workers=workers,
    )
