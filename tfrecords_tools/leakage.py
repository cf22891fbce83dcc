"""The leakage report: images that occur more than once, within a split or across splits."""

import collections
import dataclasses
import itertools
from collections.abc import Iterable
from pathlib import Path

from fer_keras.files import write_csv
from tfrecords_tools.pixels import identical_groups

COLUMNS = ("group", "across_splits", "split", "sample_id", "label", "source")


@dataclasses.dataclass(frozen=True)
class Occurrence:
    """One record that shows an image."""

    split: str
    sample_id: int
    label: str
    source: str


@dataclasses.dataclass(frozen=True)
class LeakageReport:
    """Groups of two or more records whose images are identical pixel by pixel, in the order of their first record.

    Example:
        >>> first, second = Occurrence("train", 0, "fear", "a.png"), Occurrence("test", 5, "anger", "b.png")
        >>> LeakageReport.of([(first, b"same"), (second, b"same")]).shared()
        {('train', 'test'): (1, 1)}
    """

    groups: tuple[tuple[Occurrence, ...], ...]

    @classmethod
    def of(cls, hashed: Iterable[tuple[Occurrence, bytes]]) -> "LeakageReport":
        """Groups records by the hash of their pixels; pairs (record, hash) come split by split."""
        return cls(tuple(tuple(group) for group in identical_groups(hashed)))

    def within(self) -> dict[str, int]:
        """By split, the number of records whose image came before in the same split."""
        counts: collections.Counter = collections.Counter()
        for group in self.groups:
            for split, records in collections.Counter(record.split for record in group).items():
                counts[split] += records - 1
        return {split: count for split, count in counts.items() if count}

    def shared(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By pair of splits, how many records of the first and of the second show an image that is in both."""
        counts: dict[tuple[str, str], tuple[int, int]] = {}
        for group in self.groups:
            by_split = collections.Counter(record.split for record in group)
            for first, second in itertools.combinations(by_split, 2):
                before = counts.get((first, second), (0, 0))
                counts[first, second] = (before[0] + by_split[first], before[1] + by_split[second])
        return counts

    def conflicting(self) -> int:
        """Number of groups whose records do not all have the same label."""
        return sum(len({record.label for record in group}) > 1 for group in self.groups)

    def write(self, path: Path) -> None:
        """Writes one line per record of a group as csv, see `COLUMNS`; groups are numbered from 0."""
        write_csv(
            path,
            COLUMNS,
            (
                (
                    number,
                    int(len({other.split for other in group}) > 1),
                    record.split,
                    record.sample_id,
                    record.label,
                    record.source,
                )
                for number, group in enumerate(self.groups)
                for record in group
            ),
        )
