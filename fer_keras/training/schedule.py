"""Optimizer and learning rate of a configuration."""

import keras
from keras import ops

from fer_keras.config.schema import Schedule

_SPARED = [r"(^|/)(bias|gamma|beta|mask_token)(:\d+)?$"]
"""Variables that ``decay_biases: false`` spares; Keras compares TensorFlow's names, ``.../bias:0``."""


@keras.saving.register_keras_serializable(package="fer_keras")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule with a linear rise from 0 in front of it.

    Args:
        schedule: what follows; a schedule or a constant. Its step 0 is the first step after the rise.
        steps: length of the rise in optimizer steps.

    Example:
        >>> [float(WarmUp(0.1, 10)(step)) for step in (0, 5, 10)]  # doctest: +ELLIPSIS
        [0.0, 0.05..., 0.1...]
    """

    def __init__(self, schedule, steps: int):
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        after = ops.maximum(step - self.steps, 0.0)
        rate = self.schedule(after) if callable(self.schedule) else self.schedule
        return rate * ops.minimum(step / max(self.steps, 1), 1.0)

    def get_config(self) -> dict:
        schedule = self.schedule
        if callable(schedule):
            schedule = keras.optimizers.schedules.serialize(schedule)
        return {"schedule": schedule, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict):
        schedule = config["schedule"]
        if isinstance(schedule, dict):
            schedule = keras.optimizers.schedules.deserialize(schedule)
        return cls(schedule, config["steps"])


def learning_rate(schedule: Schedule, steps_per_epoch: int):
    """The learning rate as a function of the optimizer's step.

    Args:
        schedule: the section of the configuration.
        steps_per_epoch: optimizer steps in an epoch.

    Returns:
        A float, or a Keras schedule. ``cosine`` ends at 0 after the last epoch.
    """
    schedules = keras.optimizers.schedules
    rate, warmup = schedule.learning_rate, round(schedule.warmup_epochs * steps_per_epoch)
    if schedule.decay == "cosine":
        rate = schedules.CosineDecay(rate, schedule.epochs * steps_per_epoch - warmup)
    elif schedule.decay == "exponential":
        rate = schedules.ExponentialDecay(rate, steps_per_epoch, schedule.decay_rate, staircase=True)
    elif schedule.decay == "piecewise":
        boundaries = [round(epoch * steps_per_epoch) - warmup for epoch in schedule.boundaries]
        values = [rate * schedule.decay_rate**i for i in range(len(boundaries) + 1)]
        rate = schedules.PiecewiseConstantDecay(boundaries, values)
    return WarmUp(rate, warmup) if warmup else rate


def build_optimizer(schedule: Schedule, steps_per_epoch: int, ema: float | None = None) -> keras.Optimizer:
    """The optimizer of a configuration.

    Args:
        schedule: the section of the configuration.
        steps_per_epoch: optimizer steps in an epoch.
        ema: decay of a running average of the weights kept by the optimizer, or None.

    Returns:
        Adam, AdamW, or SGD with Nesterov momentum 0.9.
    """
    common = {
        "learning_rate": learning_rate(schedule, steps_per_epoch),
        "weight_decay": schedule.weight_decay or None,
        "global_clipnorm": schedule.clip_norm,
    }
    if ema is not None:
        common |= {"use_ema": True, "ema_momentum": ema}
    if schedule.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=0.9, nesterov=True, **common)
    elif schedule.optimizer == "adamw":
        common["weight_decay"] = schedule.weight_decay
        optimizer = keras.optimizers.AdamW(beta_2=schedule.beta_2, **common)
    else:
        optimizer = keras.optimizers.Adam(beta_2=schedule.beta_2, **common)
    if not schedule.decay_biases:
        optimizer.exclude_from_weight_decay(var_names=_SPARED)
    return optimizer
