"""Export as a LiteRT (``.tflite``) file for phones, browsers and small boards."""

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fer_keras.export.precision import ExportError, prepare_export
from fer_keras.files import replacing
from fer_keras.inference.class_list import LABELS_FILE, format_labels
from fer_keras.inference.classifier import first_line


def export_litert(
    model: keras.Model,
    file: str | Path,
    class_names: Sequence[str],
    precision: str = "float32",
    representative_images: np.ndarray | None = None,
) -> Path:
    """Writes a ``.tflite`` file that uses LiteRT's builtin operators only.

    One signature, ``serving_default``: ``image`` uint8 (1, H, W, 3), pixels 0..255, to ``probs`` float32 (1, C) and, if
    the model has it, ``valence_arousal`` float32 (1, 2); the scaling of the pixels is in the graph. All precisions
    have the same signature, so that one can be put in the place of another: in an ``int8`` file everything between the
    two ends (the conversion of the pixels, and of the last int8 tensors to float32) is integer arithmetic, and
    probabilities come in steps of 1/256.

    The class list is appended as ``labels.txt`` in a zip archive, the way LiteRT stores associated files: the
    interpreter reads the model from the front of the file, any zip tool finds the list from its end.

    Args:
        model: a method or a functional inference model; one in mixed precision is converted from its float32 twin.
        file: the file to write; its name must end in ``.tflite``.
        class_names: C names, in the order of the outputs.
        precision: ``float32``; ``float16`` (weights stored in half precision); ``dynamic`` (int8 weights, float32
            activations); ``int8`` (weights and activations).
        representative_images: (N, H, W, 3) uint8, training images from which ``int8`` takes the range of every
            activation. Noise will not do: it gives ranges that faces never reach.

    Returns:
        The file.

    Raises:
        ExportError: unknown precision, missing or unfit representative images, or an operator that is not builtin.
    """
    file = Path(file)
    network = prepare_export(model, file, ".tflite", class_names, precision, representative_images)
    shape = (1, *network.inputs[0].shape[1:])
    options = _converter_options(precision, representative_images)
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder) / file.name
        try:
            network.export(
                str(converted),
                format="litert",
                # only a keras.InputSpec fixes the batch at 1
                input_signature=[keras.InputSpec(shape=shape, dtype="uint8", name="image")],
                verbose=False,
                **options,
            )
        except Exception as error:  # the converter's own exception type is private
            raise ExportError(f"{file}: conversion to builtin LiteRT operators failed ({first_line(error)})") from error
        content = converted.read_bytes() + _archive(class_names)
    with replacing(file) as temporary:
        temporary.write_bytes(content)
    return file


def _converter_options(precision: str, images: np.ndarray | None) -> dict:
    """The attributes of ``tf.lite.TFLiteConverter`` for a precision."""
    operators = tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if precision == "int8" else tf.lite.OpsSet.TFLITE_BUILTINS
    target = {"supported_ops": [operators]}
    if precision == "float32":
        return {"target_spec": target}
    if precision == "float16":
        target["supported_types"] = [tf.float16]
    options = {"target_spec": target, "optimizations": [tf.lite.Optimize.DEFAULT]}
    if precision == "int8":
        options["representative_dataset"] = lambda: ([image[None]] for image in images)
    return options


def _archive(class_names: Sequence[str]) -> bytes:
    """A zip archive with the class list; a fixed date keeps equal exports equal byte for byte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(LABELS_FILE, date_time=(1980, 1, 1, 0, 0, 0)), format_labels(class_names))
    return buffer.getvalue()
