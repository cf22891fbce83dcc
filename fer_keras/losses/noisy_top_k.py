"""Gates that choose a few of several experts: noisy top-k (Shazeer et al., ICLR 2017)."""

import math

import tensorflow as tf
from keras import ops

NOISE_EPSILON = 0.01
"""Least standard deviation of the noise."""

BALANCE_WEIGHT = 0.01
"""Factor of the released code's load-balancing loss."""


def top_k_gates(scores, k: int):
    """Softmax over the k greatest scores of each sample, 0 for the rest.

    Args:
        scores: (B, E).
        k: 1 to E.

    Returns:
        (B, E); rows sum to 1. With k = 1 the one gate is 1, whatever its score: no gradient.

    Example:
        >>> top_k_gates(ops.array([[0.0, 2.0, 2.0]]), 2).numpy().tolist()
        [[0.0, 0.5, 0.5]]
    """
    scores = ops.convert_to_tensor(scores)
    _, chosen = ops.top_k(scores, k)
    kept = ops.sum(ops.one_hot(chosen, scores.shape[-1], dtype=scores.dtype), axis=1)
    return ops.softmax(ops.where(kept > 0, scores, -1e9), axis=-1) * kept


def noise_deviation(noise_scores):
    """Standard deviation of the noise on each score: ``softplus(s) + 0.01``."""
    return ops.softplus(noise_scores) + NOISE_EPSILON


def expected_load(clean_scores, noisy_scores, deviation, k: int):
    """How many samples each expert would get on average if its own noise were drawn anew.

    Args:
        clean_scores, noisy_scores, deviation: (B, E), scores without and with noise, and its standard deviation.
        k: experts of each sample, below E.

    Returns:
        (E,), differentiable.
    """
    noisy = ops.convert_to_tensor(noisy_scores)
    greatest, _ = ops.top_k(noisy, k + 1)
    within, without = greatest[:, k : k + 1], greatest[:, k - 1 : k]
    # What an expert must beat: the (k+1)-th if it is among the k itself, else the k-th.
    barrier = ops.where(noisy > within, within, without)
    chance = 0.5 * (1.0 + tf.math.erf((clean_scores - barrier) / deviation / math.sqrt(2.0)))
    return ops.sum(chance, axis=0)


def balance_loss(gates, load):
    """``0.01 (cv2(importance) + cv2(load))``: small where all experts are used alike.

    Args:
        gates: (B, E).
        load: (E,) samples of each expert.

    Returns:
        Scalar; importance is the sum of an expert's gates, cv2 the squared coefficient of variation.
    """
    return BALANCE_WEIGHT * (_variation(ops.sum(gates, axis=0)) + _variation(load))


def _variation(values):
    mean = ops.mean(values)
    variance = ops.sum(ops.square(values - mean)) / (values.shape[0] - 1)
    return variance / (ops.square(mean) + 1e-10)
