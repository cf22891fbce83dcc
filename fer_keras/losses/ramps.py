"""Weights of loss terms that rise or fall with the epoch."""

import keras
from keras import ops


def ramp_up(epoch, length: float, steepness: float = 1.0):
    """``exp(-steepness (1 - e / length)^2)`` up to epoch `length`, then 1.

    Args:
        epoch: e, counted from 1; a number or a tensor of any shape.
        length: epoch from which on the weight is 1, above 0 (beta of Ada-DF).
        steepness: 1 in Ada-DF (Liu et al., ICASSP 2023), 5 in DMUE (She et al., CVPR 2021).

    Returns:
        Weights in (0, 1], float32, of the shape of `epoch`.

    Raises:
        ValueError: `length` is not positive.

    Example:
        >>> [round(float(ramp_up(epoch, length=3)), 3) for epoch in (1, 2, 3, 10)]
        [0.641, 0.895, 1.0, 1.0]
    """
    epoch = _checked(epoch, length)
    return ops.exp(-steepness * ops.square(ops.maximum(1.0 - epoch / length, 0.0)))


def ramp_down(epoch, length: float):
    """1 up to epoch `length`, then ``exp(-(1 - length / e)^2)``, which tends to exp(-1).

    Args:
        epoch: e, counted from 1; a number or a tensor of any shape.
        length: last epoch at which the weight is 1, above 0 (beta of Ada-DF).

    Returns:
        Weights in (exp(-1), 1], float32, of the shape of `epoch`.

    Raises:
        ValueError: `length` is not positive.

    Example:
        >>> [round(float(ramp_down(epoch, length=3)), 3) for epoch in (3, 4, 10, 75)]
        [1.0, 0.939, 0.613, 0.398]
    """
    epoch = _checked(epoch, length)
    return ops.exp(-ops.square(ops.maximum(1.0 - length / ops.maximum(epoch, keras.config.epsilon()), 0.0)))


def linear_ramp(epoch, length: float, start: float, end: float):
    """From `start` at epoch 1 to `end` at epoch ``1 + length``, in a straight line; `end` from there on.

    Args:
        epoch: e, counted from 1; a number or a tensor of any shape.
        length: number of epochs that it takes, above 0.
        start, end: the two values.

    Returns:
        float32, of the shape of `epoch`.

    Raises:
        ValueError: `length` is not positive.

    Example:
        >>> [float(linear_ramp(epoch, 4, 0.0, 1.0)) for epoch in (1, 2, 5, 9)]
        [0.0, 0.25, 1.0, 1.0]
    """
    return start + (end - start) * ops.minimum((_checked(epoch, length) - 1.0) / length, 1.0)


def _checked(epoch, length: float):
    if length <= 0:
        raise ValueError(f"length of a ramp: {length}; wanted a number of epochs above 0")
    return ops.cast(epoch, "float32")
