"""Warm-up requests for TensorFlow Serving: what it answers for itself before it says that a version is ready.

The messages are those of ``tensorflow-serving-api``, part of the extra ``serve``.
"""

import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
"""Where TensorFlow Serving looks for the requests, relative to the version folder."""


def warmup_available() -> bool:
    """Whether the messages' package is there, without importing it.

    Example:
        >>> isinstance(warmup_available(), bool)
        True
    """
    return importlib.util.find_spec("tensorflow_serving") is not None


def warmup_inputs(image_size: tuple[int, int]) -> dict[str, tuple[str, np.ndarray]]:
    """One grey image for each signature of an exported SavedModel.

    Args:
        image_size: (H, W) of the model.

    Returns:
        Signature -> name of its input, batch of one: uint8 (1, H, W, 3), or (1,) bytes of a PNG file.

    Example:
        >>> {signature: name for signature, (name, _) in warmup_inputs((48, 48)).items()}
        {'serving_default': 'image', 'serve_bytes': 'image_bytes'}
    """
    image = np.full((1, *image_size, 3), 128, np.uint8)
    file = io.BytesIO()
    Image.fromarray(image[0]).save(file, "PNG")
    return {
        "serving_default": ("image", image),
        "serve_bytes": ("image_bytes", np.array([file.getvalue()], dtype=object)),
    }


def write_warmup(version_folder: str | Path, image_size: tuple[int, int]) -> Path:
    """Writes one request per signature: a TFRecord file of serialised ``PredictionLog`` messages.

    Args:
        version_folder: folder of the SavedModel.
        image_size: (H, W) of the model.

    Returns:
        The file.
    """
    import tensorflow as tf
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    file = Path(version_folder) / WARMUP_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, (name, batch) in warmup_inputs(image_size).items():
            log = PredictionLog()
            # No model name: the server replays the file on the version it lies in, and folders are renamed.
            log.predict_log.request.model_spec.signature_name = signature
            log.predict_log.request.inputs[name].CopyFrom(tf.make_tensor_proto(batch))
            writer.write(log.SerializeToString(deterministic=True))
    return file
