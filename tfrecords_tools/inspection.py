"""What is in a record set: counts, image sizes, agreement of the annotators, positions, sidecars."""

import collections
import dataclasses
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import read_stamp, sidecar_path
from fer_keras.emotions import UNLABELLED
from tfrecords_tools.images import own_pixel_limit
from tfrecords_tools.reading import iterate_batches


@dataclasses.dataclass(frozen=True)
class SplitStatistics:
    """Figures of one split.

    Args:
        name: the split.
        counts: (C,) int64, samples per class.
        unlabelled: samples without a label.
        sizes: number of images by (width, height), the most frequent first.
        formats: number of images by file format.
        voted: samples with votes.
        entropy: mean entropy of the votes in nats over the samples with votes; NaN if there are none.
        positioned: samples with valence and arousal in the records.
    """

    name: str
    counts: np.ndarray
    unlabelled: int
    sizes: dict[tuple[int, int], int]
    formats: dict[str, int]
    voted: int
    entropy: float
    positioned: int

    @property
    def total(self) -> int:
        return int(self.counts.sum()) + self.unlabelled


@dataclasses.dataclass(frozen=True)
class SidecarStatistics:
    """One sidecar: shape and type of the array, and whether it belongs to the records as they are now."""

    split: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    current: bool


def split_statistics(
    record_set: RecordSet, split: str, advance: Callable[[int], object] = lambda count: None
) -> SplitStatistics:
    """Reads a split once; of the images, only the headers are read.

    Args:
        record_set: the set.
        split: name of the split.
        advance: called with the number of records done since the last call.

    Returns:
        The figures.

    Raises:
        RecordSetError: the split does not exist.
    """
    classes = len(record_set.class_names)
    counts = np.zeros(classes, dtype=np.int64)
    sizes: collections.Counter = collections.Counter()
    formats: collections.Counter = collections.Counter()
    unlabelled = voted = positioned = 0
    entropy = 0.0
    for batch in iterate_batches(record_set, split):
        labels = batch["label"]
        counts += np.bincount(labels[labels != UNLABELLED], minlength=classes)
        unlabelled += int((labels == UNLABELLED).sum())
        entropies = vote_entropy(batch["votes"])
        voted += int(np.isfinite(entropies).sum())
        entropy += float(np.nansum(entropies))
        positioned += int((np.isfinite(batch["valence"]) & np.isfinite(batch["arousal"])).sum())
        with own_pixel_limit():
            for encoded in batch["image"]:
                with Image.open(io.BytesIO(encoded)) as image:
                    sizes[image.size] += 1
                    formats[str(image.format)] += 1
        advance(len(labels))
    return SplitStatistics(
        split,
        counts,
        unlabelled,
        dict(sizes.most_common()),
        dict(formats.most_common()),
        voted,
        entropy / voted if voted else float("nan"),
        positioned,
    )


def vote_entropy(votes: np.ndarray) -> np.ndarray:
    """Entropy of each sample's votes.

    Args:
        votes: (N, C) counts, at least 0.

    Returns:
        (N,) float64 in nats, from 0 (all agree) to log C; NaN for a row of zeros.

    Example:
        >>> vote_entropy(np.array([[10, 0], [5, 5], [0, 0]])).round(3)
        array([0.   , 0.693,   nan])
    """
    votes = np.asarray(votes, dtype=np.float64)
    total = votes.sum(axis=1, keepdims=True)
    shares = np.divide(votes, total, out=np.full_like(votes, np.nan), where=total > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    # 0 - x rather than -x: unanimous votes have an entropy of 0, not of -0.
    return 0.0 - (shares * logs).sum(axis=1)


def list_sidecars(record_set: RecordSet) -> list[SidecarStatistics]:
    """The sidecars of every split, by split and name.

    Args:
        record_set: the set.

    Returns:
        One entry per ``.npy`` file; only its header is read.

    Raises:
        ValueError: a file is not an array.
    """
    found = []
    for split in record_set.splits.values():
        folder = sidecar_path(record_set, split.name, "any").parent
        for file in sorted(folder.glob("*.npy")):
            if file.name.startswith("."):
                continue
            array = np.load(file, mmap_mode="r", allow_pickle=False)
            current = read_stamp(record_set, split.name, file.stem).get("fingerprint") == split.fingerprint
            found.append(SidecarStatistics(split.name, file.stem, array.shape, str(array.dtype), current))
    return found
