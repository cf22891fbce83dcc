"""MobileNet's weights in a graph model of TensorFlow.js: a ``.json`` file and its binary shards, read with numpy."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.backbones.weights.reading import Reading

SUFFIXES = (".json",)
NETWORKS = ("mobilenet",)
"""Backbones whose names in a graph model are known."""

_KERNELS = {"convolution/merged_input": "kernel", "depthwise_kernel": "kernel"}
_OFFSET, _FACTOR = re.compile(r"batchnorm(_\d+)?/sub"), re.compile(r"batchnorm(_\d+)?/mul")


def read_graph_model(file: str | Path, model: keras.Model) -> Reading:
    """Reads the ``keras.applications`` MobileNet that a TensorFlow.js converter has folded into a graph.

    The converter multiplies each BatchNorm's factor into the kernel before it, except behind depthwise convolutions,
    where it stays a multiplication, and leaves an addition of the offset. In the stock network these become a BatchNorm
    with gamma = factor (1 where it was folded), beta = offset, mean 0 and variance 1 - epsilon, so that it computes
    gamma * x + beta: the outputs are the graph's, the statistics of the original training are not in the file.

    Args:
        file: ``*.json`` of a graph model; its shards lie beside it.
        model: the backbone ``mobilenet``.

    Raises:
        WeightsError: the files are damaged or missing, or hold no such graph.
    """
    # limits of activations and lists of axes stand among the weights
    arrays = {_name(name): array for name, array in read_arrays(file).items() if array.dtype.kind == "f" and array.ndim}
    slots: dict[str, keras.Variable] = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            slots[f"{layer.name}/kernel"] = layer.kernel
        elif isinstance(layer, keras.layers.BatchNormalization):
            slots |= {f"{layer.name}/beta": layer.beta, f"{layer.name}/gamma": layer.gamma}
            if f"{layer.name}/beta" in arrays:
                arrays.setdefault(f"{layer.name}/gamma", np.ones(layer.gamma.shape, np.float32))
    expected = {name: tuple(variable.shape) for name, variable in slots.items()}

    def assign(found: Mapping[str, np.ndarray]) -> None:
        for name, array in found.items():
            slots[name].assign(array)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
                layer.moving_variance.assign(np.full(layer.moving_variance.shape, 1.0 - layer.epsilon))

    return Reading("TensorFlow.js", arrays, expected, "/", assign, shards=shard_paths(file))


def read_arrays(file: str | Path) -> dict[str, np.ndarray]:
    """Every array of a TensorFlow.js model by its name, quantised ones as float32.

    Args:
        file: the ``.json`` file.

    Raises:
        WeightsError: a file is missing, damaged or too short, or a type is unknown.
    """
    file = Path(file)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        groups = content["weightsManifest"]
        arrays: dict[str, np.ndarray] = {}
        for group in groups:
            data = b"".join(_shard(file, path).read_bytes() for path in group["paths"])
            start = 0
            for weight in group["weights"]:
                arrays[weight["name"]], start = _array(weight, data, start)
            if start != len(data):
                raise WeightsError(f"{file}: its shards hold {len(data)} bytes, the weights need {start}")
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{file}: damaged, or not a model of TensorFlow.js ({error})") from error
    return arrays


def shard_paths(file: str | Path) -> list[Path]:
    """The binary files that a ``.json`` file names, in its order.

    Raises:
        WeightsError: a shard is missing, or the file is damaged.
    """
    file = Path(file)
    try:
        groups = json.loads(file.read_text(encoding="utf-8"))["weightsManifest"]
        return [_shard(file, path) for group in groups for path in group["paths"]]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{file}: damaged, or not a model of TensorFlow.js ({error})") from error


def _shard(file: Path, name: str) -> Path:
    path = file.parent / name
    if path.parent != file.parent or not path.is_file():
        raise WeightsError(f"{file}: its weights, {name}, are not beside it")
    return path


def _array(weight: Mapping, data: bytes, start: int) -> tuple[np.ndarray, int]:
    """An array, and where the next one begins."""
    quantization = weight.get("quantization", {})
    dtype = np.dtype(quantization.get("dtype", weight["dtype"])).newbyteorder("<")
    if dtype.kind not in "fiu":
        raise ValueError(f"{weight['name']}: type {dtype} is not known")
    count = int(np.prod(weight["shape"], dtype=np.int64))
    values = np.frombuffer(data, dtype, count, start).reshape(weight["shape"])
    end = start + count * dtype.itemsize
    if "scale" in quantization:
        return (values * quantization["scale"] + quantization["min"]).astype(np.float32), end
    return values.astype(weight["dtype"]), end


def _name(name: str) -> str:
    """A graph's name as ``layer/variable``; names of another form stay as they are.

    Example:
        >>> _name("conv1_bn/batchnorm_1/sub"), _name("conv_dw_1/depthwise_kernel"), _name("feats/bias")
        ('conv1_bn/beta', 'conv_dw_1/kernel', 'feats/bias')
    """
    layer, _, variable = name.partition("/")
    if _OFFSET.fullmatch(variable):
        return f"{layer}/beta"
    if _FACTOR.fullmatch(variable):
        return f"{layer}/gamma"
    return f"{layer}/{_KERNELS[variable]}" if variable in _KERNELS else name
