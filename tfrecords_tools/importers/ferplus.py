"""FER+: FER2013's images with the votes of ten annotators, joined by row."""

import collections
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from fer_keras.emotions import EMOTIONS, UNLABELLED
from tfrecords_tools.importers.base import Importer, LeftOut, Rejected, Row, file_checksum
from tfrecords_tools.importers.fer2013 import Fer2013FormatError, pixel_sample, read_rows

PROTOCOLS = ("majority", "all")
NON_EMOTIONS = ("unknown", "NF")


def majority_label(emotions: Sequence[int], others: Sequence[int]) -> int | None:
    """The label that more than half of the annotators agree on, by the majority protocol of Barsoum et al. (2016).

    Single votes are taken for mistakes and set to 0 first; ``unknown`` and ``NF`` (no face) count as votes, but a
    row that one of them wins has no label.

    Args:
        emotions: votes for the eight emotions, in canonical order.
        others: votes for ``unknown`` and ``NF``.

    Returns:
        Index of the winner in canonical order, or None if the row is not kept.

    Example:
        >>> majority_label([6, 0, 1, 1, 0, 0, 0, 0], [2, 0])  # 6 of the 8 votes that remain
        0
        >>> majority_label([5, 5, 0, 0, 0, 0, 0, 0], [0, 0]) is None
        True
    """
    cleaned = [count if count > 1 else 0 for count in (*emotions, *others)]
    most = max(cleaned)
    winner = cleaned.index(most)
    return winner if winner < len(emotions) and 2 * most > sum(cleaned) else None


def plurality_label(emotions: Sequence[int], others: Sequence[int]) -> int:
    """The emotion with the most votes (the first in canonical order among equals), for the protocol ``all``.

    Args:
        emotions: votes for the eight emotions, in canonical order.
        others: votes for ``unknown`` and ``NF``.

    Returns:
        Its index, or `UNLABELLED` where ``unknown`` or ``NF`` has more votes than every emotion.

    Example:
        >>> plurality_label([2, 3, 3, 0, 0, 0, 0, 0], [1, 1])
        1
        >>> plurality_label([2, 3, 0, 0, 0, 0, 0, 0], [5, 0])
        -1
    """
    most = max(emotions)
    return emotions.index(most) if most >= max(others) and most > 0 else UNLABELLED


class FerPlus(Importer):
    """FER+ (Barsoum et al. 2016), eight classes, all votes kept as they are; the splits are named after ``Usage``.

    The i-th row of a ``Usage`` in the images belongs to the i-th row of that ``Usage`` in the votes: the numbers
    in FER+'s image names are not row numbers.

    Args:
        images: ``fer2013.csv`` or ``fer2013.csv.gz``; it may hold some of the ``Usage`` groups only.
        votes: ``fer2013new.csv``.
        protocol: ``majority`` keeps the rows whose winner has more than half of the votes, see `majority_label`;
            ``all`` keeps every row with a face (a name and a vote other than ``NF``), see `plurality_label`.

    Raises:
        Fer2013FormatError: a file in another layout, or row numbers that differ.
        OSError: a file cannot be read.
    """

    name = "ferplus"
    class_names = EMOTIONS

    def __init__(self, images: str | Path, votes: str | Path, protocol: str = "majority"):
        if protocol not in PROTOCOLS:
            raise ValueError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
        self.images, self.votes, self.protocol = Path(images), Path(votes), protocol
        self._votes = _read_votes(self.votes)
        counts = collections.Counter(row.usage for row in read_rows(self.images) if row.usage)
        for usage, count in counts.items():
            if count != len(self._votes[usage]):
                raise Fer2013FormatError(
                    f"{usage}: {count} rows in {self.images}, but {len(self._votes[usage])} in {self.votes}; "
                    "the files are joined by row and must come from the same release"
                )
        self.num_rows = counts.total()

    def inputs(self) -> dict[str, str]:
        return {file.name: file_checksum(file) for file in (self.images, self.votes)}

    def options(self) -> dict:
        return {"protocol": self.protocol}

    def rows(self) -> Iterator[Row]:
        votes = {usage: iter(rows) for usage, rows in self._votes.items()}
        for row in read_rows(self.images):
            source = f"{self.images.name}:{row.index}"
            if row.problem:
                yield Rejected(source, row.problem)
                continue
            named, fields = next(votes[row.usage])
            try:
                counts = {name: int(fields[name]) for name in (*EMOTIONS, *NON_EMOTIONS)}
            except ValueError:
                yield Rejected(source, f"votes are not whole numbers in {self.votes.name}", row.usage)
                continue
            if min(counts.values()) < 0:
                yield Rejected(source, f"negative votes in {self.votes.name}", row.usage)
                continue
            emotions = [counts[name] for name in EMOTIONS]
            others = [counts[name] for name in NON_EMOTIONS]
            if self.protocol == "majority":
                label = majority_label(emotions, others)
                reason = "no majority for an emotion"
            else:
                label = plurality_label(emotions, others) if named and sum(emotions) + counts["unknown"] else None
                reason = "no face"
            if label is None:
                yield LeftOut(row.usage, reason)
            else:
                yield pixel_sample(row, label, source, [float(count) for count in emotions])


def _read_votes(path: Path) -> dict[str, list[tuple[bool, dict[str, str]]]]:
    """The rows by ``Usage``: whether the image has a name, and the vote columns as text."""
    rows: dict[str, list] = collections.defaultdict(list)
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, restval="")
        missing = {"Usage", "Image name", *EMOTIONS, *NON_EMOTIONS} - set(reader.fieldnames or ())
        if missing:
            raise Fer2013FormatError(
                f"{path}: no column {', '.join(sorted(missing))}; FER+'s votes are in fer2013new.csv"
            )
        for fields in reader:
            rows[fields["Usage"].strip()].append((bool(fields["Image name"].strip()), fields))
    return rows
