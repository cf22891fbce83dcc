"""How PyTorch calls and lays out the parameters of our backbones: one function for each architecture."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from fer_keras.backbones.resnet import RESNETS

_HWIO_FROM_OIHW = (2, 3, 1, 0)
_HWCM_FROM_CMHW = (2, 3, 0, 1)
_TORCH_EPSILON = 1e-5
_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


@dataclasses.dataclass(frozen=True)
class Slot:
    """A variable of ours that takes a PyTorch tensor.

    Args:
        variable: where the values go.
        axes: the tensor's axes in the order of the variable's; None = the same order.
        shift: what is added to the values.
    """

    variable: keras.Variable
    axes: tuple[int, ...] | None = None
    shift: float = 0.0

    @property
    def torch_shape(self) -> tuple[int, ...]:
        """The shape that the tensor must have."""
        shape = tuple(self.variable.shape)
        if self.axes is None:
            return shape
        return tuple(shape[self.axes.index(axis)] for axis in range(len(shape)))

    def assign(self, array: np.ndarray) -> None:
        """Takes a tensor of `torch_shape`."""
        self.variable.assign((array if self.axes is None else array.transpose(self.axes)) + self.shift)


def torchvision_resnet(model: keras.Model) -> dict[str, Slot]:
    """The parameters of a backbone of `fer_keras.backbones.resnet` by the names that torchvision gives them.

    Args:
        model: the backbone.

    Returns:
        Name in the state dict -> slot.

    Example:
        >>> slots = torchvision_resnet(RESNETS["resnet18"]((32, 32)))
        >>> slots["layer1.0.conv1.weight"].torch_shape, len(slots)
        ((64, 64, 3, 3), 100)
    """
    slots = {}
    for layer in model.layers:
        name = layer.name.replace("_", ".")
        if isinstance(layer, keras.layers.Conv2D):
            slots[f"{name}.weight"] = Slot(layer.kernel, _HWIO_FROM_OIHW)
        elif isinstance(layer, keras.layers.BatchNormalization):
            slots |= {f"{name}.{theirs}": Slot(getattr(layer, ours)) for theirs, ours in _BATCH_NORM.items()}
    return slots


def torchvision_mobilenet_v2(model: keras.Model) -> dict[str, Slot]:
    """The parameters of the ``keras.applications`` MobileNetV2 by the names of torchvision's ``mobilenet_v2``.

    The stock network adds 1e-3 to the variance in its BatchNorm, torchvision 1e-5: the variance takes the difference.

    Args:
        model: the backbone ``mobilenetv2``.

    Returns:
        Name in the state dict -> slot.
    """
    slots = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            slots[f"{_mobilenet_v2_name(layer.name)}.weight"] = Slot(layer.kernel, _HWCM_FROM_CMHW)
        elif isinstance(layer, keras.layers.Conv2D):
            slots[f"{_mobilenet_v2_name(layer.name)}.weight"] = Slot(layer.kernel, _HWIO_FROM_OIHW)
        elif isinstance(layer, keras.layers.BatchNormalization):
            for theirs, ours in _BATCH_NORM.items():
                shift = _TORCH_EPSILON - layer.epsilon if theirs == "running_var" else 0.0
                slots[f"{_mobilenet_v2_name(layer.name)}.{theirs}"] = Slot(getattr(layer, ours), shift=shift)
    return slots


def _mobilenet_v2_name(layer: str) -> str:
    """torchvision's name of a layer.

    Example:
        >>> [_mobilenet_v2_name(name) for name in ("bn_Conv1", "expanded_conv_project", "block_3_depthwise_BN")]
        ['features.0.1', 'features.1.conv.1', 'features.4.conv.1.1']
    """
    ends = {"Conv1": "0.0", "bn_Conv1": "0.1", "Conv_1": "18.0", "Conv_1_bn": "18.1"}
    if layer in ends:
        return f"features.{ends[layer]}"
    block, _, part = layer.removesuffix("_BN").rpartition("_")
    norm = layer.endswith("_BN")
    first = block == "expanded_conv"  # it does not expand
    index = 1 if first else int(block.removeprefix("block_")) + 1
    step = {"expand": 0, "depthwise": 1, "project": 2}[part] - first
    # the projection has no activation: torchvision lists its two layers beside the blocks of three
    return f"features.{index}.conv.{step + norm}" if part == "project" else f"features.{index}.conv.{step}.{int(norm)}"


TORCH_LAYOUTS: dict[str, Callable[[keras.Model], dict[str, Slot]]] = {
    **dict.fromkeys(RESNETS, torchvision_resnet),
    "mobilenetv2": torchvision_mobilenet_v2,
}
"""Backbone -> function that names its slots; a further architecture is one more entry."""
