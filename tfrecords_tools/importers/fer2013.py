"""FER2013 in its official layout: a csv of 48x48 grey pixels as text, plain or gzipped."""

import codecs
import dataclasses
import functools
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_keras.emotions import EMOTIONS_7, class_index
from tfrecords_tools.images import ImageError, encode_png
from tfrecords_tools.importers.base import Importer, Rejected, Row, Sample, file_checksum

FER2013_ORDER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""What the numbers 0-6 of the column ``emotion`` mean."""

USAGES = ("Training", "PublicTest", "PrivateTest")
SIDE = 48


class Fer2013FormatError(ValueError):
    """A file that is not in FER2013's layout, or a damaged one."""


@dataclasses.dataclass(frozen=True)
class PixelRow:
    """One data row of the csv; `problem` says what is wrong with its form, if anything.

    Args:
        index: number of the row, counted from 0 without the header.
        usage: the column ``Usage``; empty if it is none of `USAGES`.
        emotion: the column ``emotion`` as text; empty if there is no such column.
        pixels: the column ``pixels`` as it is in the file.
        problem: reason for rejecting the row, or None.
    """

    index: int
    usage: str
    emotion: str
    pixels: bytes
    problem: str | None = None


def read_rows(path: Path) -> Iterator[PixelRow]:
    """Reads FER2013's csv row by row; columns are found by name.

    Args:
        path: the csv; gzip is recognised by its content.

    Yields:
        Every data row, also malformed ones.

    Raises:
        Fer2013FormatError: a column is missing, or the gzip file is damaged.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    try:
        with (gzip.open if zipped else open)(path, "rb") as file:
            header = [name.lower() for name in map(_text, file.readline().removeprefix(codecs.BOM_UTF8).split(b","))]
            missing = {"pixels", "usage"} - set(header)
            if missing:
                raise Fer2013FormatError(
                    f"{path}: no column {', '.join(sorted(missing))} in the first line; "
                    "FER2013's csv starts with emotion,pixels,Usage"
                )
            for index, line in enumerate(file):
                yield _parse(index, line, header)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Fer2013FormatError(f"{path}: damaged gzip file ({error}); copy it again") from error


def _parse(index: int, line: bytes, header: list[str]) -> PixelRow:
    # A row holds numbers, blanks and one word: no quoted commas, so that a stray quote cannot swallow other rows.
    fields = line.split(b",")
    if len(fields) != len(header):
        return PixelRow(index, "", "", b"", f"{len(fields)} columns instead of {len(header)}")
    row = dict(zip(header, fields))
    usage = _text(row["usage"])
    if usage not in USAGES:
        return PixelRow(index, "", "", b"", f"Usage is {usage[:40]!r}; known: {', '.join(USAGES)}")
    return PixelRow(index, usage, _text(row.get("emotion", b"")), row["pixels"])


def _text(field: bytes) -> str:
    return field.decode(errors="replace").strip(' "\t\r\n')


def parse_pixels(text: bytes) -> np.ndarray:
    """The pixels of a row of the csv.

    Args:
        text: 2304 whole numbers in 0..255, separated by blanks, row by row; perhaps in quotes.

    Returns:
        (48, 48) uint8.

    Raises:
        ImageError: another number of values, or a value that is no number in 0..255.
    """
    text = text.strip(b' "\t\r\n')
    strange = text.translate(None, b"0123456789 ")
    if strange:
        raise ImageError(
            f"pixel values must be whole numbers in 0..255, found {strange[:20].decode(errors='replace')!r}"
        )
    values = np.fromstring(text, dtype=np.int64, sep=" ") if text else np.zeros(0, np.int64)
    if values.size != SIDE * SIDE:
        raise ImageError(f"{values.size} pixel values instead of {SIDE * SIDE}")
    if values.max() > 255:
        raise ImageError(f"pixel values must be whole numbers in 0..255, found {values.max()}")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def check_pixels(text: bytes) -> int:
    """Makes sure that `parse_pixels` succeeds; returns the number of pixels."""
    return parse_pixels(text).size


def pixels_to_png(text: bytes) -> bytes:
    """A lossless grey PNG of a row of the csv, see `parse_pixels`."""
    return encode_png(Image.fromarray(parse_pixels(text)))


def pixel_sample(row: PixelRow, label: int, source: str, votes: Sequence[float] | None = None) -> Sample:
    """The sample of a well-formed row; its pixels are parsed and encoded when they are needed."""
    image = functools.partial(pixels_to_png, row.pixels)
    return Sample(row.usage, image, label, source, votes, check=functools.partial(check_pixels, row.pixels))


class Fer2013(Importer):
    """FER2013's csv with its own labels, seven classes; the splits are named after ``Usage``.

    Args:
        csv: ``fer2013.csv`` or ``fer2013.csv.gz``.
    """

    name = "fer2013"
    class_names = EMOTIONS_7

    def __init__(self, csv: str | Path):
        self.csv = Path(csv)

    def inputs(self) -> dict[str, str]:
        return {self.csv.name: file_checksum(self.csv)}

    def rows(self) -> Iterator[Row]:
        for row in read_rows(self.csv):
            source = f"{self.csv.name}:{row.index}"
            if row.problem:
                yield Rejected(source, row.problem)
            elif row.emotion not in ("0", "1", "2", "3", "4", "5", "6"):
                yield Rejected(source, f"emotion is {row.emotion[:40]!r}; known: 0..6", row.usage)
            else:
                label = class_index(FER2013_ORDER[int(row.emotion)], self.class_names)
                yield pixel_sample(row, label, source)
