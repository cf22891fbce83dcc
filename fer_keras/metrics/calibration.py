"""How far the confidence of a classifier can be believed.

The confidence of a sample is its largest predicted probability; it is right when that class is the label.
"""

import dataclasses

import numpy as np

from fer_keras.metrics.checks import MetricInputError, as_distributions, as_labels
from fer_keras.metrics.label_distribution import FLOOR


@dataclasses.dataclass(frozen=True)
class ReliabilityBins:
    """The table behind a reliability diagram: M bins of equal width, bin m = (m/M, (m+1)/M].

    Args:
        edges: (M+1,) float64, from 0 to 1.
        count: (M,) int64, samples in each bin.
        confidence: (M,) float64, mean confidence in the bin; NaN where it is empty.
        accuracy: (M,) float64, share of right predictions in the bin; NaN where it is empty.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """(M,) ``|accuracy - confidence|`` of each bin, 0 where it is empty."""
        return np.where(self.count > 0, np.abs(self.accuracy - self.confidence), 0.0)

    @property
    def expected_calibration_error(self) -> float:
        """ECE ``sum_m (n_m / N) |acc_m - conf_m|``, in [0, 1] (Naeini et al. 2015; Guo et al. 2017, equation 3)."""
        return float((self.count * self.gap).sum() / self.count.sum())

    @property
    def maximum_calibration_error(self) -> float:
        """MCE ``max_m |acc_m - conf_m|``, in [0, 1] (Guo et al. 2017, equation 5)."""
        return float(self.gap.max())

    def rows(self) -> list[dict[str, float | int | None]]:
        """One JSON-ready row a bin: lower, upper, count, confidence, accuracy (None where the bin is empty)."""
        return [
            {
                "lower": float(self.edges[m]),
                "upper": float(self.edges[m + 1]),
                "count": int(self.count[m]),
                "confidence": float(self.confidence[m]) if self.count[m] else None,
                "accuracy": float(self.accuracy[m]) if self.count[m] else None,
            }
            for m in range(len(self.count))
        ]


def reliability_bins(y_true: np.ndarray, probs: np.ndarray, num_bins: int = 15) -> ReliabilityBins:
    """Sorts samples into bins of equal width by their confidence.

    Args:
        y_true: (N,) integer labels.
        probs: (N, C) predicted distributions.
        num_bins: M.

    Returns:
        The table; ECE and MCE are its properties.

    Raises:
        MetricInputError: no samples, fewer than one bin, or labels and predictions that do not fit.

    Example:
        >>> bins = reliability_bins(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]), num_bins=2)
        >>> bins.count, bins.expected_calibration_error
        (array([0, 2]), 0.25)
    """
    y_true, probs = _check(y_true, probs)
    if num_bins < 1:
        raise MetricInputError(f"num_bins: at least 1 bin is needed, not {num_bins}")
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    confidence = probs.max(axis=1)
    right = (probs.argmax(axis=1) == y_true).astype(np.float64)
    index = np.digitize(confidence, edges[1:-1], right=True)
    count = np.bincount(index, minlength=num_bins)
    filled = np.where(count > 0, count, np.nan)
    return ReliabilityBins(
        edges=edges,
        count=count,
        confidence=np.bincount(index, weights=confidence, minlength=num_bins) / filled,
        accuracy=np.bincount(index, weights=right, minlength=num_bins) / filled,
    )


def negative_log_likelihood(y_true: np.ndarray, probs: np.ndarray) -> float:
    """Mean of ``-ln p[y]`` in nats; a probability below `FLOOR` counts as `FLOOR`.

    Args, Raises: as `reliability_bins`.

    Example:
        >>> round(negative_log_likelihood(np.array([1]), np.array([[0.5, 0.5]])), 4)
        0.6931
    """
    y_true, probs = _check(y_true, probs)
    return float(-np.log(np.maximum(probs[np.arange(len(y_true)), y_true], FLOOR)).mean())


def brier_score(y_true: np.ndarray, probs: np.ndarray) -> float:
    """Mean of ``sum_c (p_c - [y = c])^2``, in [0, 2]: the sum over all classes, as in Brier (1950).

    Args, Raises: as `reliability_bins`.

    Example:
        >>> brier_score(np.array([1]), np.array([[1.0, 0.0]]))
        2.0
    """
    y_true, probs = _check(y_true, probs)
    return float(((probs - np.eye(probs.shape[1])[y_true]) ** 2).sum(axis=1).mean())


def _check(y_true: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probs = as_distributions(probs, "predicted distributions")
    return as_labels(y_true, probs.shape[1], len(probs)), probs
