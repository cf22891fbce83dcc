"""Weights that follow those of another network."""

from collections.abc import Sequence

import keras
from keras import ops


def follow_weights(averages: Sequence[keras.Variable], weights: Sequence[keras.Variable], decay: float) -> None:
    """Moves averages towards weights: ``a <- m a + (1 - m) w`` (the teacher of Tarvainen and Valpola, "Mean teachers
    are better role models", NeurIPS 2017).

    Under a ``tf.distribute`` strategy each replica moves its own copy. The copies stay equal where the weights' do.

    Args:
        averages, weights: of two networks of the same layers, in the same order. The statistics of BatchNorm are
            averaged like the weights.
        decay: m in [0, 1].

    Raises:
        ValueError: they differ in number or shape.

    Example:
        >>> average, weight = keras.Variable([0.0]), keras.Variable([1.0])
        >>> follow_weights([average], [weight], decay=0.75)
        >>> average.numpy().tolist()
        [0.25]
    """
    if [tuple(average.shape) for average in averages] != [tuple(weight.shape) for weight in weights]:
        raise ValueError(f"{len(averages)} averages of {len(weights)} weights: they are not of the same layers")
    for average, weight in zip(averages, weights):
        average.assign(decay * average + (1.0 - decay) * ops.cast(weight, average.dtype))
