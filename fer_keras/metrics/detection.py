"""How well a per-sample score (an uncertainty, a loss) finds the samples whose label was flipped."""

import numpy as np
from sklearn import metrics as sklearn_metrics

from fer_keras.metrics.checks import MetricInputError


def auroc(flipped: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve of `score` as a detector of flipped labels.

    It is the probability that a flipped sample scores higher than an unflipped one, ties counting one half.

    Args:
        flipped: (N,) bool (or 0/1), True where the label was changed.
        score: (N,) real, higher = more suspicious.

    Returns:
        In [0, 1]; 0.5 is chance.

    Raises:
        MetricInputError: the lengths differ, a score is not finite, or there is not one sample of each kind.

    Example:
        >>> auroc(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]))
        1.0
    """
    flipped, score = _check(flipped, score)
    return float(sklearn_metrics.roc_auc_score(flipped, score))


def average_precision(flipped: np.ndarray, score: np.ndarray) -> float:
    """Average precision ``sum_n (R_n - R_{n-1}) P_n`` of `score` as a detector of flipped labels.

    Args, Raises: as `auroc`.

    Returns:
        In (0, 1]; chance is the share of flipped samples.

    Example:
        >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.1])).__round__(4)
        0.8333
    """
    flipped, score = _check(flipped, score)
    return float(sklearn_metrics.average_precision_score(flipped, score))


def _check(flipped: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flipped, score = np.asarray(flipped).astype(bool), np.asarray(score, np.float64)
    if flipped.ndim != 1 or flipped.shape != score.shape:
        raise MetricInputError(f"flipped has shape {flipped.shape}, score {score.shape}; both must be (N,)")
    if not np.isfinite(score).all():
        raise MetricInputError(f"score: row {(~np.isfinite(score)).argmax()} is not finite")
    if flipped.all() or not flipped.any():
        kind = "flipped" if flipped.any() else "unflipped"
        raise MetricInputError(f"detection needs both flipped and unflipped labels; all {len(flipped)} are {kind}")
    return flipped, score
