"""A few samples that keep their labels, for methods that learn from unlabelled images too."""

from collections.abc import Sequence

import numpy as np

from fer_keras.emotions import UNLABELLED

LABELLED, UNLABELLED_SAMPLE, LEFT_OUT = 1, 0, -1
"""Values of the sidecar: keeps its label; is seen without; the twin of one that keeps its label, not seen at all."""


class LabelledSubsetError(ValueError):
    """More labels asked for than there are."""


def labelled_subset(
    labels: np.ndarray,
    class_names: Sequence[str],
    *,
    total: int | None = None,
    per_class: int | None = None,
    twins: Sequence[Sequence[int]] = (),
    seed: int = 0,
) -> np.ndarray:
    """Draws the samples that keep their labels.

    Args:
        labels: (N,) class indices; -1 = unlabelled anyway.
        class_names: C names, for messages.
        total: samples in all, shared out in the proportions of the classes, every class at least one; or
        per_class: samples of every class.
        twins: groups of samples with identical pixels. One of a group is drawn at most; where one is, the others are
            left out, so that no labelled image is seen as an unlabelled one.
        seed: of the draw.

    Returns:
        (N,) int64 of `LABELLED`, `UNLABELLED_SAMPLE`, `LEFT_OUT`.

    Raises:
        LabelledSubsetError: not exactly one of `total` and `per_class`, or a class has too few samples.

    Example:
        >>> labelled_subset(np.array([0, 0, 0, 1, 1]), ("neutral", "happiness"), per_class=1).sum()
        np.int64(2)
    """
    labels = np.asarray(labels)
    if (total is None) == (per_class is None):
        raise LabelledSubsetError("give the number of labels in all, or of each class")
    rng = np.random.default_rng(seed)
    candidates = labels != UNLABELLED
    for group in twins:  # any of them can be drawn, but only one
        kept = rng.choice(group)
        candidates[[sample for sample in group if sample != kept]] = False
    counts = np.bincount(labels[labels != UNLABELLED], minlength=len(class_names))
    wanted = np.where(counts > 0, per_class or 0, 0) if total is None else _shares(counts, total)
    subset = np.full(len(labels), UNLABELLED_SAMPLE, np.int64)
    for index, number in enumerate(wanted):
        members = np.flatnonzero(candidates & (labels == index))
        if len(members) < number:
            raise LabelledSubsetError(
                f"class {class_names[index]} has {len(members)} different images, {number} labels of it were asked for"
            )
        subset[rng.choice(members, number, replace=False)] = LABELLED
    for group in twins:
        if (subset[list(group)] == LABELLED).any():
            subset[[sample for sample in group if subset[sample] != LABELLED]] = LEFT_OUT
    return subset


def _shares(counts: np.ndarray, total: int) -> np.ndarray:
    """`total` in the proportions of the counts, by largest remainders; every class that occurs gets one."""
    present = counts > 0
    if total < present.sum() or total > counts.sum():
        raise LabelledSubsetError(f"{total} labels: wanted {present.sum()} (one of each class) to {counts.sum()}")
    exact = total * counts / counts.sum()
    shares = np.maximum(np.floor(exact).astype(int), present)
    while shares.sum() > total:  # the classes that were given one take it from the largest
        shares[shares.argmax()] -= 1
    remainders = np.where(present, exact - shares, -np.inf)
    shares[np.argsort(-remainders, kind="stable")[: total - shares.sum()]] += 1
    return shares


def subset_name(total: int | None, per_class: int | None, seed: int) -> str:
    """The sidecar's name.

    Example:
        >>> subset_name(400, None, 0), subset_name(None, 50, 1)
        ('labelled-400-seed0', 'labelled-50_per_class-seed1')
    """
    return f"labelled-{total if per_class is None else f'{per_class}_per_class'}-seed{seed}"
