"""Weights that follow those of another network: teachers (Tarvainen and Valpola, "Mean teachers", NeurIPS 2017)."""

from collections.abc import Sequence

import tensorflow as tf
from keras import ops


def average_variables(averages: Sequence, variables: Sequence, decay: float) -> None:
    """``average <- decay * average + (1 - decay) * variable``, BatchNorm statistics included; in place.

    Args:
        averages, variables: of two networks of the same layers, in the same order. What does not hold floating-point
            numbers is left.
        decay: in [0, 1].

    Raises:
        ValueError: they differ in number or shape.

    Example:
        >>> import keras
        >>> average, variable = keras.Variable([0.0]), keras.Variable([1.0])
        >>> average_variables([average], [variable], decay=0.75)
        >>> average.numpy().tolist()
        [0.25]
    """
    if [tuple(average.shape) for average in averages] != [tuple(variable.shape) for variable in variables]:
        raise ValueError(f"{len(averages)} averages of {len(variables)} variables: they are not of the same layers")
    for average, variable in zip(averages, variables):
        if average.dtype.startswith("float"):
            _assign(average, decay * average.value + (1.0 - decay) * ops.cast(variable.value, average.dtype))


def shrink_variables(variables: Sequence, factor: float) -> None:
    """``variable <- factor * variable``, in place: weight decay as the released code of Ada-CM has it."""
    for variable in variables:
        if variable.dtype.startswith("float"):
            _assign(variable, factor * variable.value)


def _assign(variable, value) -> None:
    # On this replica's own copy: all replicas compute the same, and the variable's method refuses under a strategy.
    tf.raw_ops.AssignVariableOp(resource=variable.value.handle, value=tf.cast(value, variable.value.dtype))
