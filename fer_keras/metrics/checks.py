"""What every measure demands of its input: distributions that are distributions, labels that are classes."""

import numpy as np


class MetricInputError(ValueError):
    """An array that the measure is not defined for."""


def as_distributions(values: np.ndarray, name: str, tolerance: float = 1e-3) -> np.ndarray:
    """Checks that every row is a probability distribution.

    Args:
        values: (N, C) any real dtype.
        name: what the rows are, for the message.
        tolerance: how far the sum of a row may lie from 1.

    Returns:
        The same values as float64.

    Raises:
        MetricInputError: not two-dimensional, no column, or a row that is not finite, negative somewhere or does
            not sum to 1; the message names the first such row.

    Example:
        >>> as_distributions(np.array([[0.5, 0.5], [0.5, 0.7]]), "predictions")
        Traceback (most recent call last):
        ...
        fer_keras.metrics.checks.MetricInputError: predictions: row 1 sums to 1.2, not to 1
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise MetricInputError(f"{name}: an array of shape (samples, classes) is needed, not {values.shape}")
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise MetricInputError(f"{name}: row {bad.argmax()} is not finite")
    bad = (values < 0).any(axis=1)
    if bad.any():
        raise MetricInputError(f"{name}: row {bad.argmax()} has a negative value; are these logits?")
    sums = values.sum(axis=1)
    bad = np.abs(sums - 1) > tolerance
    if bad.any():
        raise MetricInputError(f"{name}: row {bad.argmax()} sums to {sums[bad.argmax()]:.6g}, not to 1")
    return values


def as_labels(labels: np.ndarray, num_classes: int, length: int, name: str = "y_true") -> np.ndarray:
    """Checks that every label is one of the classes.

    Args:
        labels: (N,) integers.
        num_classes: C; valid labels are 0..C-1.
        length: the N that is expected.
        name: what the labels are, for the message.

    Returns:
        (N,) int64.

    Raises:
        MetricInputError: the length is another one, there is no sample, or a label is not a class.

    Example:
        >>> as_labels(np.array([0, 2]), num_classes=3, length=2)
        array([0, 2])
    """
    labels = np.asarray(labels)
    if labels.shape != (length,):
        raise MetricInputError(f"{name}: shape {labels.shape}, but there are {length} predictions")
    if length == 0:
        raise MetricInputError(f"{name}: no samples, so no measure is defined")
    if labels.dtype.kind not in "iu":
        raise MetricInputError(f"{name}: labels must be integers, not {labels.dtype}")
    bad = (labels < 0) | (labels >= num_classes)
    if bad.any():
        raise MetricInputError(
            f"{name}: row {bad.argmax()} is {labels[bad.argmax()]}, not a class 0..{num_classes - 1}"
        )
    return labels.astype(np.int64)
