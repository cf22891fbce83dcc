"""What every importer looks like: a source of rows that say what to write, to reject or to leave out."""

import abc
import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fer_keras.faces.crop_geometry import CropGeometry
from tfrecords_tools.images import ImageError


@dataclasses.dataclass(frozen=True)
class Sample:
    """One image and what is known about it.

    Args:
        split: the split it belongs to.
        image: returns the encoded image file; called in worker threads, perhaps more than once. Raises
            `tfrecords_tools.images.ImageError` where there is no image to return.
        label: canonical class index, or `fer_keras.emotions.UNLABELLED`.
        source: relative path or row of the original.
        votes: (C,) annotator votes in canonical order; None if there are none.
        valence, arousal: in [-1, 1], or NaN where unknown.
        check: a quicker check than decoding what `image` returns, for images that the importer encodes itself: returns
            roughly their size in bytes, or raises `ImageError`. None decodes the image.
        extras: what else is known, by the name of the sidecar that it becomes a row of; every sample of a split has
            the same names. None for nothing.
    """

    split: str
    image: Callable[[], bytes]
    label: int
    source: str
    votes: Sequence[float] | None = None
    valence: float = math.nan
    arousal: float = math.nan
    check: Callable[[], int] | None = None
    extras: Mapping[str, np.ndarray] | None = None


@dataclasses.dataclass(frozen=True)
class Rejected:
    """A malformed row: it goes to the quarantine. `split` is the split it would belong to, if that is known."""

    source: str
    reason: str
    split: str | None = None


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A sound row that the chosen protocol does not keep: it is counted, and no error."""

    split: str
    reason: str


Row = Sample | Rejected | LeftOut


class Importer(abc.ABC):
    """A data set in its original layout, read row by row.

    Attributes:
        name: name of the record set, the first part of every shard's file name.
        class_names: canonical emotion names, in the order of the label indices.
        num_rows: number of rows that `rows` yields, where it is known beforehand; for progress bars.
        crop_geometry: where the points of a face lie in the images, where that is known; stored with the record set.
    """

    name: str
    class_names: tuple[str, ...]
    num_rows: int | None = None
    crop_geometry: CropGeometry | None = None

    @abc.abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yields every row of the data set; each call yields the same rows in the same order."""

    @abc.abstractmethod
    def inputs(self) -> dict[str, str]:
        """What is read, by name, and a checksum of it: unfinished work goes on only if this has not changed."""

    def options(self) -> dict:
        """The importer's own options (JSON values); kept in the record set's provenance."""
        return {}

    def notes(self) -> list[str]:
        """Remarks for the user, printed before the conversion."""
        return []

    def sidecars(self) -> dict[str, dict]:
        """What the `Sample.extras` mean: for each name the JSON values to keep in the stamps of its sidecars."""
        return {}


class RowError(ValueError):
    """Why a row is rejected; importers turn it into a `Rejected`."""


def to_number(text: str, what: str) -> float:
    """The number that a field of a row holds.

    Args:
        text: the field.
        what: its name, for the message.

    Returns:
        The number; perhaps NaN or infinite.

    Raises:
        RowError: it is no number.
    """
    try:
        return float(text)
    except ValueError as error:
        raise RowError(f"{what}: {text.strip()!r} is not a number") from error


def coordinate(text: str, what: str, undefined: float | None = None) -> float:
    """A valence or arousal.

    Args:
        text: the field; empty = unknown.
        what: its name, for the message.
        undefined: the number that stands for "unknown" in this data set, if there is one.

    Returns:
        In [-1, 1], or NaN where it is unknown.

    Raises:
        RowError: no number, or out of range.
    """
    value = to_number(text, what) if text.strip() else math.nan
    if value == undefined:
        return math.nan
    if abs(value) > 1:
        raise RowError(f"{what} is {text.strip()}, outside of [-1, 1]")
    return value


def inner_path(text: str) -> PurePosixPath:
    """A path in a row, which must stay inside the data set's folder.

    Args:
        text: the field; surrounding blanks do not matter.

    Returns:
        The relative path.

    Raises:
        RowError: it is empty, absolute, or leads out of the folder.
    """
    path = PurePosixPath(text.strip())
    if "\0" in text or not path.parts or path.is_absolute() or ".." in path.parts:
        raise RowError("no path inside the root folder")
    return path


def require_distinct(splits: Iterable[str]) -> None:
    """Refuses names under which two parts of a data set would become one split.

    Args:
        splits: the name of each part's split.

    Raises:
        ValueError: a name occurs twice.
    """
    names = list(splits)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two parts of the data set would become the split {name!r}; choose other names")


def file_checksum(path: Path) -> str:
    """SHA-256 of a file's bytes (hexadecimal).

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_file(path: Path) -> bytes:
    """The bytes of an image file.

    Raises:
        ImageError: the file cannot be read; the message is the system's reason.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from error


def listing_checksum(root: Path, files: Iterable[str]) -> str:
    """SHA-256 over the name, size and time of last change of files, in the order given; no file is opened.

    Args:
        root: the folder that `files` are relative to.
        files: relative paths; one that does not exist counts as size -1.

    Returns:
        The checksum (hexadecimal).
    """
    digest = hashlib.sha256()
    for name in files:
        try:
            status = (root / name).stat()
            line = f"{name}\t{status.st_size}\t{status.st_mtime_ns}\n"
        except (OSError, ValueError):  # ValueError: a name that no file can have
            line = f"{name}\t-1\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def sample_of(
    batch: Mapping[str, np.ndarray], index: int, split: str, extras: Mapping[str, np.ndarray] | None = None
) -> Sample:
    """A record of another set as a sample, its image as it is stored.

    Args:
        batch: columns of records, see `tfrecords_tools.reading.iterate_batches`.
        index: row of the batch.
        split: the split it goes to.
        extras: see `Sample`.
    """
    image = batch["image"][index]
    return Sample(
        split,
        lambda: image,
        int(batch["label"][index]),
        batch["source"][index].decode(),
        batch["votes"][index].tolist(),
        float(batch["valence"][index]),
        float(batch["arousal"][index]),
        extras=extras,
    )
