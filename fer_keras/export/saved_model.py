"""Export as a TensorFlow SavedModel, ready for TensorFlow Serving."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from fer_keras.data.preprocessing import decode_batch
from fer_keras.export.inference_model import inference_model
from fer_keras.export.warmup import warmup_available, write_warmup
from fer_keras.inference.class_list import LABELS_FILE, format_labels, require_count


def export_saved_model(
    model: keras.Model, directory: str | Path, class_names: Sequence[str], version: int | None = None
) -> Path:
    """Writes ``<directory>/<version>/``, a SavedModel with two signatures.

    ``serving_default`` maps ``image`` uint8 (N, H, W, 3) to ``probs`` float32 (N, C) and, if the model has it,
    ``valence_arousal`` float32 (N, 2). ``serve_bytes`` maps ``image_bytes`` (N,), JPEG or PNG files of any size, to
    the same; decoding and resizing are those of training and are part of the graph. Only variables that the two
    graphs read are stored. The class list lies in ``assets/labels.txt``; where ``tensorflow-serving-api`` (extra
    ``serve``) is installed, warm-up requests for TensorFlow Serving lie in ``assets.extra/``.

    Args:
        model: a method or a functional inference model.
        directory: the model's folder, ``<somewhere>/<name>``; made if missing.
        class_names: C names, in the order of the outputs.
        version: number of the version; None takes the first free one after the highest.

    Returns:
        The version folder.

    Raises:
        ModelLoadError: the model has no output ``probs``, or another number of outputs than `class_names`.
        FileExistsError: the version is there already.
    """
    directory = Path(directory)
    network = inference_model(model)
    require_count(class_names, network.output["probs"].shape[-1], model.name)
    target = directory / str(version if version is not None else next_version(directory))
    if target.exists():
        raise FileExistsError(f"{target}: this version exists; choose another number")
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".{target.name}.{os.getpid()}.tmp"
    try:
        _save(network, temporary, class_names)
        if warmup_available():
            write_warmup(temporary, network.inputs[0].shape[1:3])
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def next_version(directory: Path) -> int:
    """The number after the highest version in a model's folder; 1 if there is none.

    Example:
        >>> next_version(Path("no/such/folder"))
        1
    """
    if not directory.is_dir():
        return 1
    return max((int(child.name) for child in directory.iterdir() if child.name.isdecimal()), default=0) + 1


def saved_model_variables(version_folder: str | Path) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every variable that a SavedModel holds."""
    variables = tf.train.list_variables(str(Path(version_folder) / "variables" / "variables"))
    return {name: tuple(shape) for name, shape in variables if name != "_CHECKPOINTABLE_OBJECT_GRAPH"}


def _save(network: keras.Model, directory: Path, class_names: Sequence[str]) -> None:
    height, width = network.inputs[0].shape[1:3]

    @tf.function(input_signature=[tf.TensorSpec((None, height, width, 3), tf.uint8, name="image")])
    def serving_default(image):
        return dict(network(image, training=False))

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image_bytes")])
    def serve_bytes(image_bytes):
        return dict(network(decode_batch(image_bytes, (height, width)), training=False))

    module = tf.Module()
    signatures = {"serving_default": serving_default, "serve_bytes": serve_bytes}
    # Tracking what the graphs read, not the model, leaves out tables, seeds and whatever else a model may own.
    module.network_variables = list(serving_default.get_concrete_function().graph.variables)
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / LABELS_FILE
        labels.write_text(format_labels(class_names))
        module.labels = tf.saved_model.Asset(str(labels))
        tf.saved_model.save(module, str(directory), signatures=signatures)
