"""``fer-tfrecords ferplus``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tfrecords_tools.cli import options as shared
from tfrecords_tools.limits import DEFAULT_MAX_PIXELS


class Protocol(StrEnum):
    """Which rows are kept."""

    majority = "majority"
    all = "all"


def ferplus(
    images: Annotated[Path, typer.Option(help="fer2013.csv or fer2013.csv.gz.")],
    votes: Annotated[Path, typer.Option(help="fer2013new.csv.")],
    out: shared.Out,
    protocol: Annotated[
        Protocol,
        typer.Option(help="majority: rows with more than half of the votes for an emotion; all: rows with a face."),
    ] = Protocol.majority,
    num_shards: shared.NumShards = None,
    resize: shared.Resize = None,
    max_pixels: shared.MaxPixels = DEFAULT_MAX_PIXELS,
    strict: shared.Strict = False,
    overwrite: shared.Overwrite = False,
    workers: shared.Workers = None,
) -> None:
    """FER+: FER2013's images with the votes of ten annotators, eight classes; splits named after Usage.

    The two files are joined by row within each Usage; an images file may hold some of the Usages only. All votes are
    kept as they are. A row that the protocol does not keep is counted in the summary.

    Example: fer-tfrecords ferplus --images fer2013.csv.gz --votes fer2013new.csv --out data/ferplus
    """
    from tfrecords_tools.importers.ferplus import FerPlus

    shared.convert(
        FerPlus(images, votes, protocol.value),
        out,
        num_shards=num_shards,
        resize=resize,
        max_pixels=max_pixels,
        strict=strict,
        overwrite=overwrite,
        workers=workers,
    )
