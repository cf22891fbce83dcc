"""Learning distributions: a divergence that a sample may discount, and the distribution of a teacher."""

from keras import ops

from fer_keras.losses.adaptive_fusion import divergence_from_logits


def discounted_divergence(target, logits, uncertainty):
    """``KL(q || p) / (1 + u) + 1/2 log(1 + u)``: a sample that cannot be explained counts less, at a price.

    Args:
        target: (B, C) q.
        logits: (B, C) z, ``p = softmax(z)``.
        uncertainty: (B,) u, 0 or more; its best value is ``2 KL - 1`` where that is above 0.

    Returns:
        (B,) in nats.

    Example:
        >>> discounted_divergence([[1.0, 0.0]], [[0.0, 0.0]], [1.0]).numpy().round(4).tolist()  # KL is log 2
        [0.6931]
    """
    scale = 1.0 + ops.convert_to_tensor(uncertainty)
    return divergence_from_logits(target, logits) / scale + 0.5 * ops.log(scale)


def distillation_divergence(teacher_logits, logits, temperature: float = 2.0):
    """``T^2 KL(softmax(z^T / T) || softmax(z / T))``; no gradient reaches the teacher.

    Hinton et al., "Distilling the Knowledge in a Neural Network", 2015.

    Args:
        teacher_logits: (B, C) z^T.
        logits: (B, C) z.
        temperature: T, above 0; T^2 keeps the size of the gradient.

    Returns:
        (B,) in nats.

    Example:
        >>> float(distillation_divergence([[1.0, 3.0]], [[2.0, 4.0]])[0])  # logits are alike but for a constant
        0.0
    """
    taught = ops.softmax(ops.stop_gradient(ops.convert_to_tensor(teacher_logits)) / temperature, axis=-1)
    return temperature**2 * divergence_from_logits(taught, ops.convert_to_tensor(logits) / temperature)
