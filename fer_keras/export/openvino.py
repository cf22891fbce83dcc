"""Export as OpenVINO's intermediate representation. The only module that imports openvino's converter and nncf."""

import contextlib
import io
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import keras
import numpy as np

from fer_keras.export.precision import ExportError, prepare_export
from fer_keras.export.saved_model import export_saved_model
from fer_keras.extras import load_extra
from fer_keras.files import replacing
from fer_keras.inference.classifier import first_line
from fer_keras.inference.openvino_classifier import LABELS_PATH

QUANTIZED = ("dynamic", "int8")
"""Precisions that nncf makes."""


def require_openvino(precisions: Sequence[str] = ("float32",)) -> None:
    """Refuses early where a package is missing.

    Raises:
        ExtraError: openvino, or nncf for a precision of `QUANTIZED`, is not installed.
    """
    _load_openvino()
    if any(precision in QUANTIZED for precision in precisions):
        _load_nncf()


def export_openvino(
    model: keras.Model,
    file: str | Path,
    class_names: Sequence[str],
    precision: str = "float32",
    representative_images: np.ndarray | None = None,
) -> Path:
    """Writes an ``.xml`` file and its ``.bin``: ``image`` uint8 (N, H, W, 3) to ``probs`` float32 (N, C).

    A model that has valence and arousal gives ``valence_arousal`` (N, 2) too. Both ends are the same in all precisions;
    the scaling of the pixels is in the graph. The class list is ``model_info/labels`` of the file's ``rt_info``.

    Args:
        model: a method or a functional inference model; one in mixed precision is converted from its float32 twin.
        file: the file to write; its name must end in ``.xml``.
        class_names: C names, in the order of the outputs.
        precision: ``float32``; ``float16`` (weights stored in half precision); ``dynamic`` (int8 weights, float32
            activations); ``int8`` (weights and activations).
        representative_images: (N, H, W, 3) uint8, training images from which ``int8`` takes its ranges.

    Returns:
        The ``.xml`` file.

    Raises:
        ExtraError: a package is missing.
        ExportError: unknown precision, unfit images, or an operator that OpenVINO does not know.
    """
    file = Path(file)
    openvino = _load_openvino()
    network = prepare_export(model, file, ".xml", class_names, precision, representative_images)
    with tempfile.TemporaryDirectory() as folder:
        try:
            saved = export_saved_model(network, folder, class_names)
            # read_model, and not convert_model, which reports its use over the network
            converted = openvino.Core().read_model(saved)
            converted = _quantized(converted, precision, representative_images)
            converted.set_rt_info(" ".join(class_names), list(LABELS_PATH))
            written = Path(folder) / file.name
            openvino.save_model(converted, written, compress_to_fp16=precision == "float16")
        except Exception as error:  # converters raise many types; the user needs the reason
            raise ExportError(f"{file}: conversion to OpenVINO failed ({first_line(error)})") from error
        # the weights first: an .xml that is there is complete
        for suffix in (".bin", ".xml"):
            with replacing(file.with_suffix(suffix)) as temporary:
                temporary.write_bytes(written.with_suffix(suffix).read_bytes())
    return file


def _quantized(converted, precision: str, images: np.ndarray | None):
    """An ``openvino.Model`` with weights, or weights and activations, of 8 bits."""
    if precision not in QUANTIZED:
        return converted
    nncf = _load_nncf()
    with contextlib.redirect_stdout(io.StringIO()):  # progress bars and tables
        if precision == "dynamic":
            return nncf.compress_weights(converted, mode=nncf.CompressWeightsMode.INT8_SYM)
        samples = nncf.Dataset([image[None] for image in images])
        return nncf.quantize(converted, samples, subset_size=len(images))


def _load_openvino() -> ModuleType:
    return load_extra("openvino", "openvino", "OpenVINO export")


def _load_nncf() -> ModuleType:
    os.environ.setdefault("NNCF_CI", "1")  # without it nncf reports its use over the network
    nncf = load_extra("nncf", "openvino", "OpenVINO export of 8 bits")
    nncf.set_log_level(logging.ERROR)
    return nncf
