"""A network whose weights are the moving average of another's: the teacher of semi-supervised methods."""

from collections.abc import Sequence

import tensorflow as tf
from keras import ops


def average_variables(averages: Sequence, variables: Sequence, decay: float) -> None:
    """``average <- decay * average + (1 - decay) * variable``, BatchNorm statistics included; in place.

    Args:
        averages, variables: of the same shapes, in the same order. What does not hold floating-point numbers is left.
        decay: in [0, 1).
    """
    for average, variable in zip(averages, variables, strict=True):
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
