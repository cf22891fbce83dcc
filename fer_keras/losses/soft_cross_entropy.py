"""Cross-entropy against a target distribution, with nothing renormalised or clipped behind the scenes."""

from keras import ops

LOG_EPSILON = 1e-10
"""Added to a probability before its logarithm, as LDLVA's released code does."""


def soft_cross_entropy(target, probs, epsilon: float = LOG_EPSILON):
    """Cross-entropy ``-sum_j t_j log(p_j + epsilon)`` of each sample.

    Keras' own categorical cross-entropy renormalises and clips the probabilities, which changes the gradient
    where the target is trained or does not sum to one; this function does neither.

    Args:
        target: (..., C) target distributions.
        probs: (..., C) predicted probabilities.
        epsilon: added inside the logarithm.

    Returns:
        (...,) cross-entropies in nats.

    Example:
        >>> float(soft_cross_entropy([[1.0, 0.0]], [[0.5, 0.5]])[0])  # doctest: +ELLIPSIS
        0.6931...
    """
    return -ops.sum(target * ops.log(ops.convert_to_tensor(probs) + epsilon), axis=-1)


def weighted_batch_mean(values, sample_weight=None):
    """Mean over the batch of ``weight_i * value_i`` (divided by the batch size, not by the sum of the weights).

    Args:
        values: (B,) one value a sample.
        sample_weight: (B,) weights, or None for 1.

    Returns:
        A scalar.
    """
    values = ops.convert_to_tensor(values)
    if sample_weight is not None:
        values = values * ops.cast(sample_weight, values.dtype)
    return ops.mean(values)


def smooth_labels(distribution, smoothing: float):
    """Label smoothing: ``(1 - s) d + s / C``.

    Args:
        distribution: (..., C) target distributions.
        smoothing: s in [0, 1].

    Returns:
        (..., C) smoothed distributions.

    Example:
        >>> [float(p) for p in smooth_labels(keras.ops.array([1.0, 0.0]), 0.5)]
        [0.75, 0.25]
    """
    return distribution * (1.0 - smoothing) + smoothing / distribution.shape[-1]
