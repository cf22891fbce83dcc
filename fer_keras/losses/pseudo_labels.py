"""Labels that a network gives to unlabelled images, and which of them it is sure of."""

from keras import ops


def mean_prediction(first_logits, second_logits):
    """Mean of the probabilities of two weakly augmented views, (B, C); constant for the gradient."""
    mean = (ops.softmax(first_logits, axis=-1) + ops.softmax(second_logits, axis=-1)) / 2.0
    return ops.stop_gradient(mean)


def confident(probs, thresholds):
    """Which predictions reach the threshold of their class.

    Args:
        probs: (B, C).
        thresholds: (C,).

    Returns:
        ``pseudo_label`` (B,) int32 and ``mask`` (B,) bool.

    Example:
        >>> label, mask = confident(ops.array([[0.9, 0.1], [0.4, 0.6]]), ops.array([0.8, 0.8]))
        >>> label.numpy().tolist(), mask.numpy().tolist()
        ([0, 1], [True, False])
    """
    probs = ops.convert_to_tensor(probs)
    labels = ops.cast(ops.argmax(probs, axis=-1), "int32")
    return labels, ops.max(probs, axis=-1) >= ops.take(thresholds, labels)


def pseudo_cross_entropy(logits, pseudo_label):
    """Cross-entropy of each sample with its pseudo-label, (B,)."""
    log_probs = ops.log_softmax(logits, axis=-1)
    return -ops.squeeze(ops.take_along_axis(log_probs, pseudo_label[:, None], axis=-1), -1)


def correct_confidence(labels, probs):
    """How sure a network is where it is right, summed by class: what `margin_thresholds` is made of.

    Args:
        labels: (B,) class indices.
        probs: (B, C).

    Returns:
        (2, C): over the correctly classified samples of each class the sum of the greatest probability, and their
        number.

    Example:
        >>> correct_confidence([0, 0], ops.array([[0.75, 0.25], [0.25, 0.75]])).numpy().tolist()
        [[0.75, 0.0], [1.0, 0.0]]
    """
    labels, probs = ops.cast(labels, "int32"), ops.convert_to_tensor(probs)
    right = ops.cast(ops.argmax(probs, axis=-1), "int32") == labels
    members = ops.one_hot(labels, probs.shape[-1]) * ops.cast(right, "float32")[:, None]
    confidence = ops.max(probs, axis=-1, keepdims=True)
    return ops.stack([ops.sum(members * confidence, axis=0), ops.sum(members, axis=0)])


def margin_thresholds(correct_sums, correct_counts, epoch, floor: float = 0.8, scale: float = 0.97):
    """Adaptive confidence margin (Li et al., "Towards Semi-Supervised Deep FER with an Adaptive Confidence Margin",
    CVPR 2022): ``max(floor, scale r_c / (1 + exp(-epoch)))``.

    Args:
        correct_sums: (C,) sum of the greatest probability over the correctly classified labelled samples of a class.
        correct_counts: (C,) their number.
        epoch: counted from 1.
        floor, scale: of the formula.

    Returns:
        (C,) thresholds; `floor` for a class without a correct sample.

    Example:
        >>> [round(float(t), 3) for t in margin_thresholds(ops.array([1.9, 0.0]), ops.array([2.0, 0.0]), 5)]
        [0.915, 0.8]
    """
    correct_sums, correct_counts = ops.convert_to_tensor(correct_sums), ops.convert_to_tensor(correct_counts)
    mean = correct_sums / ops.maximum(correct_counts, 1.0)
    return ops.maximum(scale * mean / (1.0 + ops.exp(-ops.cast(epoch, mean.dtype))), floor)
