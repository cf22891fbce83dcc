"""The first pass of a conversion: every image is checked, and what each shard will hold is fixed."""

import collections
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from fer_keras.files import write_csv
from tfrecords_tools.images import ImageError, check_image
from tfrecords_tools.importers.base import Importer, LeftOut, Rejected, Row

QUARANTINE_FILE = "quarantine.csv"
_CHUNK = 128  # rows checked per task

Item = TypeVar("Item")
Result = TypeVar("Result")


class StrictError(ValueError):
    """The first malformed row or image of a strict conversion."""


@dataclasses.dataclass
class Plan:
    """The outcome of the check of every row.

    Args:
        kept: number of samples to write, by split.
        image_bytes: total size of their images as found, by split.
        rejected_rows: positions in the importer's rows whose image was rejected.
        quarantine: (source, reason, split or empty) of every rejected row or image, in the order of the rows.
        left_out: by split and reason, the number of sound rows that the protocol does not keep.
    """

    kept: dict[str, int] = dataclasses.field(default_factory=dict)
    image_bytes: dict[str, int] = dataclasses.field(default_factory=dict)
    rejected_rows: list[int] = dataclasses.field(default_factory=list)
    quarantine: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    left_out: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)

    def quarantined(self) -> dict[str, int]:
        """Number of rejected rows by split; those whose split is not known are under the empty name."""
        return dict(collections.Counter(split for _, _, split in self.quarantine))

    def splits(self) -> list[str]:
        """All splits that occur, also those of which nothing is kept."""
        return list(dict.fromkeys([*self.kept, *self.left_out, *(split for split in self.quarantined() if split)]))


def make_plan(
    importer: Importer, max_pixels: int, strict: bool, workers: int, advance: Callable[[int], None] = lambda rows: None
) -> Plan:
    """Loads and checks every image of a data set, in parallel.

    Args:
        importer: the data set.
        max_pixels: see `tfrecords_tools.images.check_image`.
        strict: stop at the first malformed row or image.
        workers: number of threads.
        advance: called with the number of rows checked since the last call.

    Returns:
        The plan; it depends on the rows only, not on the number of threads.

    Raises:
        StrictError: `strict`, and a row or an image is malformed; names source and reason.
    """
    plan = Plan()
    position = 0

    def check(chunk: list[Row]) -> list[tuple[Row, int, str | None]]:
        return [(row, *_check(row, max_pixels)) for row in chunk]

    for outcomes in ordered_map(check, _chunks(importer.rows(), _CHUNK), workers):
        for row, size, reason in outcomes:
            if isinstance(row, LeftOut):
                reasons = plan.left_out.setdefault(row.split, {})
                reasons[row.reason] = reasons.get(row.reason, 0) + 1
            elif reason is None:
                plan.kept[row.split] = plan.kept.get(row.split, 0) + 1
                plan.image_bytes[row.split] = plan.image_bytes.get(row.split, 0) + size
            else:
                if strict:
                    raise StrictError(f"{row.source}: {reason}")
                plan.rejected_rows.append(position)
                plan.quarantine.append((row.source, reason, row.split or ""))
            position += 1
        advance(len(outcomes))
    return plan


def write_quarantine(plan: Plan, directory: Path) -> None:
    """Writes ``quarantine.csv`` (source, reason): every row or image that was rejected."""
    rows = ((source, reason) for source, reason, _ in plan.quarantine)
    write_csv(directory / QUARANTINE_FILE, ["source", "reason"], rows)


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Like ``map`` in `workers` threads, in order, with at most `workers` + 1 results or items waiting in memory."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: collections.deque = collections.deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _check(row: Row, max_pixels: int) -> tuple[int, str | None]:
    """Size of the encoded image, and the reason to reject the row, if any."""
    if isinstance(row, Rejected):
        return 0, row.reason
    if isinstance(row, LeftOut):
        return 0, None
    try:
        row.source.encode()
        if row.check is not None:
            return row.check(), None
        encoded = row.image()
        check_image(encoded, max_pixels)
    except ImageError as error:
        return 0, str(error)
    except UnicodeEncodeError:
        return 0, "the file's name is not valid UTF-8"
    return len(encoded), None


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, size)):
        yield chunk
