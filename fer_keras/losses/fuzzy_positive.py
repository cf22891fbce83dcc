"""Fuzzy positive learning: the classes that a prediction leaves open are all taken as positive.

Qiao et al., "Fuzzy Positive Learning for Semi-supervised Semantic Segmentation", CVPR 2023; LEAF uses it for whole
images.
"""

import keras
from keras import ops

SHARPNESS = 50.0
"""Curvature of the concave weight."""

WEIGHTS = ("concave", "linear", "convex")


def positive_set(probs, cover: float = 0.9, max_positives: int = 3) -> dict:
    """The classes taken as positive: one fewer than is needed to cover a share of the probability.

    With the probabilities sorted in falling order and Q_n the sum of the first n: the n most probable classes, n the
    smallest number in ``1..max_positives`` with ``Q_{n+1} >= cover``, otherwise `max_positives`.

    Args:
        probs: (B, C) predicted probabilities, C > `max_positives`; constant for the gradient.
        cover: share of the probability.
        max_positives: greatest n.

    Returns:
        ``count`` (B,) int32 n; ``positive`` (B, C) bool; ``covered`` (B,) Q_{n+1}; ``boundary`` (B,), the probability
        of the most probable class that is not positive.

    Example:
        >>> found = positive_set(ops.array([[0.6, 0.25, 0.1, 0.05]]))
        >>> found["count"].numpy().tolist(), found["positive"].numpy().tolist()
        ([2], [[True, True, False, False]])
    """
    probs = ops.stop_gradient(ops.convert_to_tensor(probs))
    top, classes = ops.top_k(probs, max_positives + 1)
    cumulative = ops.cumsum(top, axis=-1)
    enough = ops.cast(cumulative[:, 1:] >= cover, "int32")
    # argmax finds the first that covers enough; where none does, all of `max_positives`.
    count = ops.where(ops.any(enough > 0, axis=-1), ops.argmax(enough, axis=-1) + 1, max_positives)
    count = ops.cast(count, "int32")
    among_top = ops.arange(max_positives + 1)[None, :] < count[:, None]
    one_hot = ops.one_hot(classes, probs.shape[-1])
    positive = ops.sum(one_hot * ops.cast(among_top, one_hot.dtype)[:, :, None], axis=1) > 0

    def at_boundary(values):
        return ops.squeeze(ops.take_along_axis(values, count[:, None], axis=1), -1)

    return {"count": count, "positive": positive, "covered": at_boundary(cumulative), "boundary": at_boundary(top)}


def ambiguity_weight(count, covered, boundary, kind: str = "concave"):
    """How far the positive classes stand out from the next: 0 for a flat prediction, towards 1 for a clear one.

    With ``rho = Q_{n+1} / (n + 1)`` and boundary probability b: concave ``log(1 + 50 (rho - b)) / log(1 + 50 rho)``,
    linear ``(rho - b) / rho``, convex ``(rho - b) / (rho + b)``.

    Args:
        count, covered, boundary: (B,) of `positive_set`.
        kind: ``concave``, ``linear`` or ``convex``.

    Returns:
        (B,) in [0, 1].

    Raises:
        ValueError: an unknown kind.
    """
    mean = covered / ops.cast(count + 1, covered.dtype)
    excess = ops.maximum(mean - boundary, 0.0)  # rounding can make it negative
    if kind == "concave":
        return ops.log1p(SHARPNESS * excess) / ops.log1p(SHARPNESS * mean)
    if kind == "linear":
        return excess / mean
    if kind == "convex":
        return excess / (mean + boundary)
    raise ValueError(f"kind: {kind!r}; wanted one of: {', '.join(WEIGHTS)}")


def pair_loss(logits, positive):
    """``log(1 + sum_{p in P} sum_{n not in P} exp(o_n - o_p))`` of each sample.

    Args:
        logits: (B, C) o.
        positive: (B, C) bool; at least one class positive and one not.

    Returns:
        (B,).
    """
    lowest = -1e9  # an exponential of 0 beside any logit
    negatives = ops.logsumexp(ops.where(positive, lowest, logits), axis=-1)
    positives = ops.logsumexp(ops.where(positive, -logits, lowest), axis=-1)
    return keras.activations.softplus(negatives + positives)


def fuzzy_positive_loss(logits, probs, cover: float = 0.9, max_positives: int = 3, weight: str = "concave") -> dict:
    """The weighted pair loss of each sample.

    Args:
        logits: (B, C), of the strongly augmented images.
        probs: (B, C), of the same images weakly augmented; constant for the gradient.
        cover, max_positives: of `positive_set`.
        weight: kind of `ambiguity_weight`.

    Returns:
        ``weight`` and ``pair_loss`` (B,), ``positive`` (B, C), ``count`` (B,).

    Example:
        >>> found = fuzzy_positive_loss(ops.zeros((1, 4)), ops.array([[0.25, 0.25, 0.25, 0.25]]))
        >>> float(found["weight"][0])
        0.0
    """
    found = positive_set(probs, cover, max_positives)
    return {
        "weight": ambiguity_weight(found["count"], found["covered"], found["boundary"], weight),
        "pair_loss": pair_loss(ops.convert_to_tensor(logits), found["positive"]),
        "positive": found["positive"],
        "count": found["count"],
    }
