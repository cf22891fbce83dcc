"""Whether an export holds anything that inference does not need: tables, centres, slots of an optimizer."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import h5py
import keras

from fer_keras.export.precision import ExportError
from fer_keras.export.saved_model import saved_model_variables

Shapes = Counter[tuple[int, ...]]

_SEEDS = "seed_generator"
"""Part of the name of a dropout layer's random state, which Keras stores with the layer; two integers."""


def require_inference_weights(network: keras.Model, inference: keras.Model) -> None:
    """Refuses a network that has other weights than the inference network it was made of.

    Args:
        network: what is exported: `inference`, or a model around it.
        inference: the `fer_keras.export.inference_model.inference_model` of the trained model.

    Raises:
        ExportError: number or shapes of the weights differ.
    """
    if _shapes(network) != _shapes(inference):
        raise ExportError(
            f"{network.name}: the network to be exported has {len(network.weights)} weights "
            f"({network.count_params():,} values), inference needs {len(inference.weights)} "
            f"({inference.count_params():,}); its layers must not add any"
        )


def surplus(path: Path, inference: keras.Model) -> str | None:
    """What a ``.keras`` file or a SavedModel holds beyond the weights of the inference network.

    Args:
        path: the export.
        inference: the inference network.

    Returns:
        Number and names of the surplus variables, as the reason of a rejection; None if there are none. None for other
        formats, whose constants a converter has rearranged.
    """
    if path.is_dir():
        held = saved_model_variables(path)
    elif path.suffix == ".keras":
        held = _keras_variables(path)
    else:
        return None
    left, names = _shapes(inference), []
    for name, shape in held.items():
        if left[shape]:
            left[shape] -= 1
        else:
            names.append(f"{name} {'x'.join(map(str, shape)) or 'scalar'}")
    if not names:
        return None
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"holds {len(names)} variables that inference does not need: {shown}"


def _shapes(model: keras.Model) -> Shapes:
    return Counter(tuple(weight.shape) for weight in model.weights)


def _keras_variables(file: Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every array in a ``.keras`` file but random states."""
    with zipfile.ZipFile(file) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    found = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and _SEEDS not in name:
            found[name] = tuple(item.shape)

    with h5py.File(content) as weights:
        weights.visititems(note)
    return found
