"""Losses of samples whose truth is one of several candidates, and what a prediction says about which."""

from keras import ops

from fer_keras.losses.soft_cross_entropy import LOG_EPSILON

_IMPOSSIBLE = -1e30
"""Logarithm of the probability of a class outside the set; finite, so that no gradient is NaN."""


def best_candidate_loss(candidates, logits):
    """``-log max_{c in S} p_c``: the network may choose any one candidate.

    The multi-target loss of Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
    Crowd-Sourced Label Distribution", ICMI 2016.

    Args:
        candidates: (B, C), above 0 in the candidate set S.
        logits: (B, C) z, ``p = softmax(z)``.

    Returns:
        (B,) in nats.

    Example:
        >>> best_candidate_loss([[0.5, 0.5, 0.0]], ops.log([[0.2, 0.3, 0.5]])).numpy().round(4).tolist()
        [1.204]
    """
    return -ops.max(_log_probs(candidates, logits), axis=-1)


def average_candidate_loss(candidates, logits):
    """``-log sum_{c in S} p_c``: the truth is somewhere in the set.

    Args, Returns: as `best_candidate_loss`.

    Example:
        >>> average_candidate_loss([[0.5, 0.5, 0.0]], ops.log([[0.2, 0.3, 0.5]])).numpy().round(4).tolist()
        [0.6931]
    """
    return -ops.logsumexp(_log_probs(candidates, logits), axis=-1)


def outside_candidates_loss(candidates, probs):
    """``-sum_{c not in S} log(1 - p_c)``: classes outside of the set are wrong, each on its own.

    Args:
        candidates: (B, C), above 0 in the candidate set S.
        probs: (B, C) p.

    Returns:
        (B,) in nats.

    Example:
        >>> outside_candidates_loss([[1.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]]).numpy().round(4).tolist()
        [0.6931]
    """
    probs = ops.convert_to_tensor(probs)
    outside = ops.cast(ops.convert_to_tensor(candidates) <= 0, probs.dtype)
    return -ops.sum(outside * ops.log(1.0 - probs + LOG_EPSILON), axis=-1)


def probability_within(candidates, logits):
    """The prediction, given that the truth is in the set: ``r_c = p_c 1[c in S] / sum_{S} p``.

    What PRODEN (Lv et al., "Progressive Identification of True Labels for Partial-Label Learning", ICML 2020) takes for
    the truth. No gradient.

    Args:
        candidates: (B, C), above 0 in the candidate set S.
        logits: (B, C) z, ``p = softmax(z)``.

    Returns:
        (B, C), rows sum to 1, 0 outside of the sets.

    Example:
        >>> probability_within([[0.5, 0.5, 0.0]], ops.log([[0.2, 0.3, 0.5]])).numpy().round(2).tolist()
        [[0.4, 0.6, 0.0]]
    """
    return ops.stop_gradient(ops.softmax(_log_probs(candidates, logits), axis=-1))


def best_within(candidates, logits):
    """The most probable class of the set, one-hot: ``onehot(argmax_{c in S} p_c)``. No gradient.

    What PiCO (Wang et al., "PiCO: Contrastive Label Disambiguation for Partial Label Learning", ICLR 2022) takes for
    the truth, with the similarity to class prototypes in the place of p.

    Args, Returns: as `probability_within`; of equal classes the first one.
    """
    scores = ops.stop_gradient(_log_probs(candidates, logits))
    return ops.one_hot(ops.argmax(scores, axis=-1), scores.shape[-1], dtype=scores.dtype)


def draw_candidate(candidates, uniform):
    """One class of each set, drawn with the probabilities of its row, one-hot.

    Args:
        candidates: (B, C) distributions.
        uniform: (B,) random numbers in [0, 1).

    Returns:
        (B, C).

    Example:
        >>> draw_candidate([[0.25, 0.0, 0.75]] * 2, [0.2, 0.3]).numpy().tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    candidates = ops.convert_to_tensor(candidates)
    reached = ops.cumsum(candidates, axis=-1)
    # Scaled by the last sum: where rounding leaves it below 1, the draw must not fall behind the last class.
    drawn = ops.convert_to_tensor(uniform)[:, None] * reached[:, -1:]
    index = ops.sum(ops.cast(reached <= drawn, "int32"), axis=-1)
    # A product may round up to the last sum; then no sum is above it, and the last class with a share is meant.
    classes = candidates.shape[-1]
    last = classes - 1 - ops.argmax(ops.flip(candidates > 0, axis=-1), axis=-1)
    return ops.one_hot(ops.minimum(index, ops.cast(last, "int32")), classes, dtype=candidates.dtype)


def _log_probs(candidates, logits):
    """Logarithms of the predictions, (B, C); outside of the sets as good as minus infinity."""
    log_probs = ops.log_softmax(ops.convert_to_tensor(logits), axis=-1)
    return ops.where(ops.convert_to_tensor(candidates) > 0, log_probs, _IMPOSSIBLE)
