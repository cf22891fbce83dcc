"""The contrastive loss of SimCLR between two views of each image."""

from keras import ops


def nt_xent(first, second, temperature: float = 0.07, mask=None):
    """Normalised, temperature-scaled cross-entropy (Chen et al., SimCLR, ICML 2020).

    The mean over all views of ``-log(exp(z.z' / t) / sum_o exp(z.z_o / t))``, z' the other view of the same image, the
    sum over all views but z itself.

    Args:
        first, second: (B, D) unit-length features of two views of each image.
        temperature: t.
        mask: (B,) bool, the images that take part; None = all. The others are neither anchors nor negatives.

    Returns:
        Scalar; 0 where fewer than two images take part.

    Example:
        >>> z = ops.array([[1.0, 0.0], [0.0, 1.0]])
        >>> round(float(nt_xent(z, z, temperature=1.0)), 4)  # -log(e / (e + 1 + 1))
        0.5514
    """
    first, second = ops.convert_to_tensor(first), ops.convert_to_tensor(second)
    batch = ops.shape(first)[0]
    views = ops.concatenate([first, second], axis=0)
    taking_part = ops.ones((batch,), "bool") if mask is None else ops.cast(mask, "bool")
    both = ops.concatenate([taking_part, taking_part], axis=0)
    numbers = ops.arange(2 * batch)
    others = both[None, :] & (numbers[:, None] != numbers[None, :])
    similarity = ops.matmul(views, ops.transpose(views)) / temperature
    partner = ops.sum(first * second, axis=-1) / temperature
    partner = ops.concatenate([partner, partner], axis=0)
    losses = ops.logsumexp(ops.where(others, similarity, -1e9), axis=-1) - partner
    weights = ops.cast(both, losses.dtype)
    # With one image alone, each view's only other view is its partner: the loss is 0 by itself.
    return ops.sum(ops.where(both, losses, 0.0)) / ops.maximum(ops.sum(weights), 1.0)
