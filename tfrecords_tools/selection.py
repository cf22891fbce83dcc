"""Which samples go to a validation split or a smaller training split: stratified, decided by the pixels alone.

Samples are ordered by a hash of (seed, pixels), so that the choice does not depend on the order of the records,
and samples with identical pixels stand together and can be kept on one side.
"""

import hashlib
from collections.abc import Sequence

import numpy as np


class SelectionError(ValueError):
    """A split that cannot be cut: a fraction out of range, or more samples asked for than there are."""


def choose_validation(hashes: Sequence[bytes], labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Chooses a stratified validation split; samples with identical pixels are never on both sides.

    Args:
        hashes: (N,) the pixel hash of every sample.
        labels: (N,) class indices; unlabelled samples (-1) are a stratum of their own. A group of identical
            images belongs to the stratum of its first sample.
        fraction: of each stratum, in (0, 1); met as nearly as whole groups allow.
        seed: another seed, another choice.

    Returns:
        (N,) bool, True for validation.

    Raises:
        SelectionError: the fraction is out of range.

    Example:
        >>> choose_validation([b"a", b"b", b"a", b"c"], np.zeros(4, int), 0.5, seed=0).tolist()
        [True, False, True, False]
    """
    if not 0 < fraction < 1:
        raise SelectionError(f"validation fraction {fraction:g} is outside (0, 1); 0.1 means 10 %")
    labels = np.asarray(labels)
    _, first, group, size = np.unique(_ranks(hashes, seed), return_index=True, return_inverse=True, return_counts=True)
    # Groups come sorted by rank, and a group's first sample is the one with the lowest sample_id.
    stratum = labels[first]
    chosen = np.zeros(len(first), dtype=bool)
    for label in np.unique(stratum):
        members = np.flatnonzero(stratum == label)
        taken = np.concatenate([[0], np.cumsum(size[members])])
        chosen[members[: np.abs(taken - fraction * taken[-1]).argmin()]] = True
    return chosen[group]


def choose_subset(hashes: Sequence[bytes], labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Chooses a stratified subset of exactly `size` samples.

    Args:
        hashes: (N,) the pixel hash of every sample.
        labels: (N,) class indices, or -1.
        size: number of samples to keep; the classes keep their shares (largest remainder).
        seed: another seed, another choice. A larger `size` keeps what a smaller one kept, up to rounding.

    Returns:
        (size,) int64, the positions of the chosen samples, ascending.

    Raises:
        SelectionError: `size` is not in 1..N.

    Example:
        >>> choose_subset([b"a", b"b", b"c", b"d"], np.array([0, 0, 1, 1]), 2, seed=0).tolist()
        [0, 2]
    """
    labels = np.asarray(labels)
    if not 1 <= size <= len(labels):
        raise SelectionError(f"a training subset of {size} samples: there are {len(labels)} to choose from")
    classes, counts = np.unique(labels, return_counts=True)
    share = counts * size / len(labels)
    quota = np.floor(share).astype(np.int64)
    by_remainder = np.argsort(quota - share, kind="stable")
    quota[by_remainder[: size - quota.sum()]] += 1
    order = np.argsort(_ranks(hashes, seed), kind="stable")
    kept = [order[labels[order] == label][:number] for label, number in zip(classes, quota)]
    return np.sort(np.concatenate(kept))


def _ranks(hashes: Sequence[bytes], seed: int) -> np.ndarray:
    """(N,) strings that sort the samples in an order drawn by the seed; equal for equal hashes."""
    return np.array([hashlib.blake2b(b"%d:%s" % (seed, value), digest_size=16).hexdigest() for value in hashes])
