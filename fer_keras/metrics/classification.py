"""The accuracy family, thin over scikit-learn, always with the fixed class list.

A class that no sample of `y_true` has is *absent*. Its recall is undefined (NaN), and it takes no part in
balanced accuracy and macro F1, which average over the classes present. A class that is never predicted has an
undefined precision (NaN). F1 ``= 2 TP / (2 TP + FP + FN)`` is undefined only where both hold.
"""

import dataclasses

import numpy as np
from sklearn import metrics as sklearn_metrics

from fer_keras.metrics.checks import as_labels


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """The scores of one class; an undefined one is NaN."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def accuracy(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> float:
    """Share of samples whose predicted class is the label.

    Args:
        y_true, y_pred: (N,) integers in 0..C-1, N >= 1.
        num_classes: C.

    Raises:
        MetricInputError: no samples, lengths that differ, or a value that is not a class.

    Example:
        >>> accuracy(np.array([0, 1, 1, 2]), np.array([0, 1, 0, 2]), 3)
        0.75
    """
    y_true, y_pred = _check(y_true, y_pred, num_classes)
    return float(sklearn_metrics.accuracy_score(y_true, y_pred))


def accuracy_standard_error(accuracy: float, num_samples: int) -> float:
    """Binomial standard error of an accuracy, ``sqrt(a (1 - a) / N)``.

    Example:
        >>> accuracy_standard_error(0.8, 1600)
        0.01
    """
    return float(np.sqrt(accuracy * (1.0 - accuracy) / num_samples))


def balanced_accuracy(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> float:
    """Mean recall of the classes present in `y_true`.

    Args, Raises: as `accuracy`.

    Example:
        >>> balanced_accuracy(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 2]), 3)
        0.5
    """
    y_true, y_pred = _check(y_true, y_pred, num_classes)
    present = np.unique(y_true)
    # recall_score over the present classes; balanced_accuracy_score would warn of predictions of absent ones.
    return float(sklearn_metrics.recall_score(y_true, y_pred, labels=present, average="macro"))


def macro_f1(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> float:
    """Mean F1 of the classes present in `y_true`.

    Args, Raises: as `accuracy`.

    Example:
        >>> macro_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 2, 2]), 3)
        0.5
    """
    y_true, y_pred = _check(y_true, y_pred, num_classes)
    present = np.unique(y_true)
    return float(sklearn_metrics.f1_score(y_true, y_pred, labels=present, average="macro", zero_division=0.0))


def per_class(y_true: np.ndarray, y_pred: np.ndarray, class_names: tuple[str, ...]) -> list[ClassScores]:
    """Precision, recall, F1 and support of every class of the list, present or not.

    Args:
        y_true, y_pred: (N,) integers.
        class_names: the C names.

    Returns:
        C entries, in the order of `class_names`.

    Raises:
        MetricInputError: as `accuracy`.

    Example:
        >>> per_class(np.array([0, 0]), np.array([0, 1]), ("neutral", "happiness"))[0]
        ClassScores(name='neutral', precision=1.0, recall=0.5, f1=0.6666666666666666, support=2)
    """
    y_true, y_pred = _check(y_true, y_pred, len(class_names))
    columns = sklearn_metrics.precision_recall_fscore_support(
        y_true, y_pred, labels=np.arange(len(class_names)), zero_division=np.nan
    )
    return [
        ClassScores(name, float(precision), float(recall), float(f1), int(support))
        for name, precision, recall, f1, support in zip(class_names, *columns, strict=True)
    ]


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts of (true, predicted) pairs.

    Args, Raises: as `accuracy`.

    Returns:
        (C, C) int64, row = true class, column = predicted class; the row of an absent class is 0.

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    y_true, y_pred = _check(y_true, y_pred, num_classes)
    return sklearn_metrics.confusion_matrix(y_true, y_pred, labels=np.arange(num_classes)).astype(np.int64)


def _check(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    y_pred = as_labels(y_pred, num_classes, len(y_pred), "y_pred")
    return as_labels(y_true, num_classes, len(y_pred)), y_pred
