"""The precisions of exported files, and what is checked before a file is written in one of them."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from fer_keras.export.inference_model import inference_model
from fer_keras.inference.class_list import require_count

PRECISIONS = ("float32", "float16", "dynamic", "int8")


class ExportError(ValueError):
    """A model that cannot be exported as asked."""


def prepare_export(
    model: keras.Model, file: Path, suffix: str, class_names: Sequence[str], precision: str, images: np.ndarray | None
) -> keras.Model:
    """The network that is exported, once everything that was asked for is known to make sense.

    Args:
        model: a method or a functional inference model.
        file: the file to write.
        suffix: what its name must end in.
        class_names: C names, in the order of the outputs.
        precision: one of `PRECISIONS`.
        images: of ``int8``, the images that it takes its ranges from.

    Returns:
        The model's `inference_model`.

    Raises:
        ExportError: unknown precision, another file name, missing or unfit images.
        ModelLoadError: not a classifier, or another number of classes.
    """
    if precision not in PRECISIONS:
        raise ExportError(f"unknown precision {precision!r}; known: {', '.join(PRECISIONS)}")
    if file.suffix != suffix:
        raise ExportError(f"{file}: the name must end in {suffix}")
    network = inference_model(model)
    require_count(class_names, network.output["probs"].shape[-1], model.name)
    if precision == "int8":
        _require_images(images, tuple(network.inputs[0].shape[1:]))
    return network


def _require_images(images: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if images is None or len(images) == 0:
        raise ExportError("int8 needs representative images (uint8, taken from the training records)")
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        raise ExportError(
            f"representative images must be uint8 (N, {', '.join(map(str, shape))}), "
            f"got {images.dtype} {tuple(images.shape)}"
        )
