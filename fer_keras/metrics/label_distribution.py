"""The six measures between a true and a predicted label distribution.

Source: X. Geng, "Label Distribution Learning", IEEE Transactions on Knowledge and Data Engineering 28(7), 2016
(its table of evaluation measures). ``d`` is the true and ``p`` the predicted distribution of a sample over C
classes. Chebyshev, Clark, Canberra and KL are distances (0 is best); cosine and intersection are similarities
(1 is best).

Zeros: a term ``0 log 0`` of KL is 0, and a term of Clark or Canberra in which both values are 0 is 0. A predicted
value below `FLOOR` counts as `FLOOR` in KL, so that a probability that a float or an int8 model rounds to 0 costs
much (16 nats) but not infinitely much.
"""

from collections.abc import Callable

import numpy as np

from fer_keras.metrics.checks import MetricInputError, as_distributions

FLOOR = 1e-7
"""The least predicted probability whose logarithm is taken (Keras' epsilon)."""


def chebyshev(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Chebyshev distance ``max_j |d_j - p_j|``, in [0, 1].

    Args:
        true, pred: (N, C) distributions.

    Returns:
        (N,) float64.

    Raises:
        MetricInputError: the shapes differ, or a row is not a distribution.

    Example:
        >>> chebyshev(np.array([[0.5, 0.25, 0.25]]), np.array([[0.25, 0.25, 0.5]]))
        array([0.25])
    """
    true, pred = _pair(true, pred)
    return np.abs(true - pred).max(axis=1)


def clark(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Clark distance ``sqrt(sum_j (d_j - p_j)^2 / (d_j + p_j)^2)``, in [0, sqrt(C)].

    Args, Returns, Raises: as `chebyshev`. Terms in which both values are 0 are 0.

    Example:
        >>> clark(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])).round(4)
        array([1.4142])
    """
    return np.sqrt((_relative_difference(true, pred) ** 2).sum(axis=1))


def canberra(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Canberra metric ``sum_j |d_j - p_j| / (d_j + p_j)``, in [0, C].

    Args, Returns, Raises: as `chebyshev`. Terms in which both values are 0 are 0.

    Example:
        >>> canberra(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]]))
        array([2.])
    """
    return _relative_difference(true, pred).sum(axis=1)


def kullback_leibler(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence ``KL(d || p) = sum_j d_j ln(d_j / p_j)`` in nats, >= 0.

    ``0 ln 0 = 0``; ``p_j`` counts as at least `FLOOR`. A floored row sums to slightly more than 1, which could take
    the sum below 0 by at most ``C * FLOOR``: the result is clipped at 0.

    Args, Returns, Raises: as `chebyshev`.

    Example:
        >>> kullback_leibler(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])).round(4)
        array([0.6931])
    """
    true, pred = _pair(true, pred)
    positive = true > 0
    ratio = np.where(positive, true, 1.0) / np.where(positive, np.maximum(pred, FLOOR), 1.0)
    return np.maximum((true * np.log(ratio)).sum(axis=1), 0.0)


def cosine(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Cosine coefficient ``sum_j d_j p_j / (|d| |p|)``, in [0, 1].

    Args, Returns, Raises: as `chebyshev`.

    Example:
        >>> cosine(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])).round(4)
        array([0.7071])
    """
    true, pred = _pair(true, pred)
    norms = np.linalg.norm(true, axis=1) * np.linalg.norm(pred, axis=1)
    return np.minimum((true * pred).sum(axis=1) / norms, 1.0)


def intersection(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Intersection similarity ``sum_j min(d_j, p_j)``, in [0, 1].

    Args, Returns, Raises: as `chebyshev`.

    Example:
        >>> intersection(np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]]))
        array([0.75])
    """
    true, pred = _pair(true, pred)
    return np.minimum(np.minimum(true, pred).sum(axis=1), 1.0)


MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "chebyshev": chebyshev,
    "clark": clark,
    "canberra": canberra,
    "kl": kullback_leibler,
    "cosine": cosine,
    "intersection": intersection,
}
"""The six measures by their short names, in the usual order: four distances, then two similarities."""


def mean_measures(true: np.ndarray, pred: np.ndarray) -> dict[str, float]:
    """The mean over the samples of each of the six measures.

    Args:
        true, pred: (N, C) distributions, N >= 1.

    Returns:
        Short name -> mean, in the order of `MEASURES`.

    Raises:
        MetricInputError: no samples, or as `chebyshev`.

    Example:
        >>> mean_measures(np.eye(2), np.eye(2))["intersection"]
        1.0
    """
    if len(true) == 0:
        raise MetricInputError("no samples, so no mean of a distribution measure is defined")
    return {name: float(measure(true, pred).mean()) for name, measure in MEASURES.items()}


def _pair(true: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true, pred = as_distributions(true, "true distributions"), as_distributions(pred, "predicted distributions")
    if true.shape != pred.shape:
        raise MetricInputError(f"true distributions have shape {true.shape}, predicted ones {pred.shape}")
    return true, pred


def _relative_difference(true: np.ndarray, pred: np.ndarray) -> np.ndarray:
    true, pred = _pair(true, pred)
    total = true + pred
    return np.abs(true - pred) / np.where(total > 0, total, 1.0)
