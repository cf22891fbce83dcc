"""Options that all importers share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the record set; new, or with unfinished work.")]
NumShards = Annotated[int | None, typer.Option(min=1, help="Shards per split; chosen by size if left out.")]
Resize = Annotated[
    int | None, typer.Option(min=1, help="Resize every image to N x N pixels; otherwise they stay as encoded.")
]
MaxPixels = Annotated[int, typer.Option(min=1, help="Images with more pixels are quarantined.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first malformed row or image.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier conversion left in the folder.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; one per core if left out.")]
Name = Annotated[str | None, typer.Option(help="Name of the record set; by the input's name if left out.")]
SplitName = Annotated[str, typer.Option(help="Name of the split where the input names none.")]
Photos = Annotated[
    Path | None, typer.Option("--images", help="Folder of the photographs; looked for in ROOT if left out.")
]
Margin = Annotated[
    float,
    typer.Option(min=0, max=10, help="Fraction of the face box's width and height to add on each side of a crop."),
]
ValidationName = Annotated[
    str, typer.Option(help="Name of the split made of the official validation part: test, where it is your test set.")
]
Detector = Annotated[str, typer.Option(help="What finds the faces: mtcnn-runtime or mtcnn.")]


class ClassCount(StrEnum):
    """Size of the class list."""

    seven = "7"
    eight = "8"


Classes = Annotated[
    ClassCount | None,
    typer.Option(help="7 leaves contempt out, 8 keeps its place; 8 only where it occurs if left out."),
]


def num_classes(classes: ClassCount | None) -> int | None:
    """The chosen number of classes, None for no choice."""
    return None if classes is None else int(classes)


def build(detector: str):
    """The detector of a name; here there must be one.

    Raises:
        DetectorError: an unknown name, ``none``, or its package is not installed.
    """
    from fer_keras.faces.detectors import DETECTORS, DetectorError, build_detector

    finder = build_detector(detector)
    if finder is None:
        raise DetectorError(f"without a detector there are no landmarks; known: {', '.join(DETECTORS)}")
    return finder


def convert(importer, out: Path, **options) -> None:
    """Writes a record set, with a progress bar and a summary at the end.

    Args:
        importer: a `tfrecords_tools.importers.base.Importer`.
        out: folder of the record set.
        **options: the arguments of `tfrecords_tools.writer.WriteOptions`.
    """
    from rich.console import Console

    from tfrecords_tools.writer import WriteOptions, write_record_set

    write_record_set(importer, out, WriteOptions(**options), Console())
