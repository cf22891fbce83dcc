"""Synthetic label noise: symmetric and class-dependent flips, repeatable, stored as a sidecar.

Every method that trains on a sidecar ``noisy_labels-<kind>-<rate>-seed<seed>`` sees the same wrong labels. The
number of flips is exact, not drawn: a rate of 0.3 on 1,000 labelled samples flips 300 of them.
"""

import numpy as np

from fer_keras.emotions import UNLABELLED


class NoiseError(ValueError):
    """Label noise that cannot be made: a rate outside [0, 1], or no other class to flip to."""


def symmetric_noise(labels: np.ndarray, rate: float, num_classes: int, seed: int) -> np.ndarray:
    """Flips a fraction of the labels, each to a uniformly random other class.

    Args:
        labels: (N,) integers in [0, num_classes), or `UNLABELLED`, which is left alone.
        rate: fraction of the labelled samples to flip, in [0, 1]; exactly ``round(rate * labelled)`` are.
        num_classes: C, at least 2 unless the rate is 0.
        seed: of the random generator; the same arguments give the same noise.

    Returns:
        (N,) int64.

    Raises:
        NoiseError: the rate is outside [0, 1], or there is no other class.

    Example:
        >>> symmetric_noise(np.array([0, 1, -1, 1]), rate=1.0, num_classes=2, seed=0)
        array([ 1,  0, -1,  0])
    """
    _check_rate(rate)
    noisy = np.asarray(labels).astype(np.int64)
    labelled = np.flatnonzero(noisy != UNLABELLED)
    if num_classes < 2 and rate > 0:
        raise NoiseError("symmetric noise needs at least two classes")
    rng = np.random.default_rng(seed)
    flipped = rng.choice(labelled, size=round(rate * len(labelled)), replace=False)
    # An offset of 1..C-1 reaches every other class with the same probability and never the class itself.
    offset = rng.integers(1, max(num_classes, 2), size=len(flipped))
    noisy[flipped] = (noisy[flipped] + offset) % num_classes
    return noisy


def class_dependent_noise(labels: np.ndarray, transition: np.ndarray, seed: int, rate: float | None = None):
    """Flips labels to the classes they are confused with.

    Args:
        labels: (N,) integers in [0, C), or `UNLABELLED`, which is left alone.
        transition: (C, C), entry (i, j) the probability that a sample of class i is given label j; rows sum to 1.
        seed: of the random generator.
        rate: fraction of each class to flip, in [0, 1], to classes in proportion to its off-diagonal entries.
            None takes the fractions from the matrix: ``1 - transition[i, i]``. A class whose off-diagonal entries
            are all 0 keeps its labels. Counts are exact: ``round(fraction * samples of the class)``.

    Returns:
        (N,) int64.

    Raises:
        NoiseError: the rate is outside [0, 1].

    Example:
        >>> class_dependent_noise(np.array([0, 0, 1, 1]), np.array([[0.5, 0.5], [0.0, 1.0]]), seed=0).sum()
        np.int64(3)
    """
    if rate is not None:
        _check_rate(rate)
    noisy = np.asarray(labels).astype(np.int64)
    true = noisy.copy()
    rng = np.random.default_rng(seed)
    for index, row in enumerate(np.asarray(transition, dtype=np.float64)):
        moves = np.where(np.arange(len(row)) == index, 0.0, row)
        if moves.sum() == 0:
            continue
        members = np.flatnonzero(true == index)
        fraction = moves.sum() if rate is None else rate
        flipped = rng.choice(members, size=round(fraction * len(members)), replace=False)
        noisy[flipped] = rng.choice(len(row), size=len(flipped), p=moves / moves.sum())
    return noisy


def noise_name(kind: str, rate: float, seed: int) -> str:
    """The sidecar's name.

    Example:
        >>> noise_name("symmetric", 0.30, 0)
        'noisy_labels-symmetric-0.3-seed0'
    """
    return f"noisy_labels-{kind}-{rate:g}-seed{seed}"


def count_flips(true: np.ndarray, given: np.ndarray, num_classes: int) -> np.ndarray:
    """How many samples of each class were given each label.

    Args:
        true, given: (N,) labels before and after; samples that are `UNLABELLED` before are not counted.
        num_classes: C.

    Returns:
        (C, C) int64, entry (i, j) the samples of class i labelled j; what lies off the diagonal was flipped.

    Example:
        >>> count_flips(np.array([0, 0, 1, -1]), np.array([0, 1, 1, -1]), 2)
        array([[1, 1],
               [0, 1]])
    """
    labelled = np.asarray(true) != UNLABELLED
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(counts, (np.asarray(true)[labelled], np.asarray(given)[labelled]), 1)
    return counts


def measured_rate(counts: np.ndarray) -> float:
    """The fraction of flipped samples in a table of `count_flips`; 0 for an empty one.

    Example:
        >>> measured_rate(np.array([[1, 1], [0, 2]]))
        0.25
    """
    total = int(counts.sum())
    return float(total - np.trace(counts)) / total if total else 0.0


def _check_rate(rate: float) -> None:
    if not 0 <= rate <= 1:
        raise NoiseError(f"noise rate {rate:g} is outside [0, 1]; 0.3 means 30 %")
