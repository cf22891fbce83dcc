"""A SavedModel as a server sees it: name, version, signatures, and batches that are checked before they run."""

import io
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from fer_keras.export.warmup import warmup_inputs
from fer_keras.inference.classifier import ModelLoadError, first_line
from fer_keras.inference.loading import saved_model_version
from fer_keras.inference.saved_model_classifier import SIGNATURE, SavedModelClassifier
from fer_keras.serving.errors import RequestError
from fer_keras.serving.limits import MAX_PIXELS


class ServedModel:
    """A SavedModel that `fer_keras.export.saved_model` wrote.

    Args:
        path: the version folder, or the folder of numbered versions, of which the highest is taken.
        name: name in the addresses; None takes the name of the folder of versions.

    Raises:
        ModelLoadError: no such folder, not a SavedModel, a damaged one, or one without these signatures.
    """

    def __init__(self, path: str | Path, name: str | None = None):
        path = Path(path).resolve()
        if not path.exists():
            raise ModelLoadError(f"{path}: no such file or folder")
        folder = saved_model_version(path) if path.is_dir() else None
        if folder is None:
            raise ModelLoadError(f"{path}: not a SavedModel folder; fer-keras export RUN --out FOLDER makes one")
        classifier = SavedModelClassifier(folder)
        self.path = folder
        self.version = int(folder.name) if folder.name.isdecimal() else 1
        self.name = name or (folder.parent.name if folder.name.isdecimal() else folder.name)
        self.class_names = classifier.class_names
        self.image_size = classifier.image_size
        self._classifier = classifier  # it owns the variables of the signatures
        self._functions = classifier.signatures
        self.signature_defs = self._read_signature_defs()
        self.inputs = {signature: next(iter(found.inputs)) for signature, found in self.signature_defs.items()}
        for signature, (_, batch) in warmup_inputs(self.image_size).items():
            if signature in self.inputs:
                self.run(signature, batch)  # the first call of a graph takes many times longer

    def _read_signature_defs(self) -> dict[str, SignatureDef]:
        stored = SavedModel.FromString((self.path / "saved_model.pb").read_bytes())
        defs = stored.meta_graphs[0].signature_def
        return {name: defs[name] for name in sorted(defs) if name in self._functions and len(defs[name].inputs) == 1}

    def input_name(self, signature: str) -> str:
        """The name of a signature's only input.

        Raises:
            RequestError: there is no such signature.
        """
        if signature not in self.inputs:
            raise RequestError(f"no signature {signature!r}; this model has: {', '.join(self.inputs)}")
        return self.inputs[signature]

    def signature_of(self, input_name: str) -> str:
        """The signature that takes an input of this name.

        Raises:
            RequestError: there is none.
        """
        for signature, name in self.inputs.items():
            if name == input_name:
                return signature
        raise RequestError(f"no input {input_name!r}; this model has: {', '.join(self.inputs.values())}")

    def check(self, signature: str, batch: np.ndarray) -> np.ndarray:
        """A batch as the signature takes it.

        Args:
            signature: ``serving_default`` or ``serve_bytes``.
            batch: integers 0..255 (N, H, W, 3), or N encoded images as an array of `bytes`.

        Returns:
            uint8 (N, H, W, 3), or object (N,).

        Raises:
            RequestError: the model could not answer; the message says what was expected, and where it was not found.
        """
        self.input_name(signature)
        if signature == SIGNATURE:
            return self._check_pixels(batch)
        if batch.ndim != 1:
            raise RequestError(f"wanted a list of encoded images, got an array of shape {batch.shape}")
        total = sum(_encoded_pixels(content, index) for index, content in enumerate(batch))
        if total > MAX_PIXELS:
            raise RequestError(
                f"{len(batch)} images of {total} pixels together, the limit of a request is {MAX_PIXELS}; send fewer"
            )
        return batch

    def _check_pixels(self, batch: np.ndarray) -> np.ndarray:
        height, width = self.image_size
        if batch.ndim != 4 or batch.shape[1:] != (height, width, 3):
            raise RequestError(f"wanted images of shape (N, {height}, {width}, 3), got {batch.shape}")
        if batch.dtype != np.uint8:
            if batch.dtype.kind not in "iu":
                raise RequestError(f"wanted integers 0..255, got values of type {batch.dtype}")
            if batch.size and (batch.min() < 0 or batch.max() > 255):
                raise RequestError(f"wanted integers 0..255, got {batch.min()}..{batch.max()}")
        return batch.astype(np.uint8, copy=False)

    def run(self, signature: str, batch: np.ndarray) -> dict[str, np.ndarray]:
        """One call of the model.

        Args:
            signature: as for `check`.
            batch: what `check` returned.

        Returns:
            Output name -> array with one row per image.

        Raises:
            RequestError: an encoded image turned out to be damaged.
        """
        try:
            outputs = self._functions[signature](**{self.inputs[signature]: tf.constant(batch)})
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(f"an image cannot be decoded: {first_line(error)}") from error
        return {name: values.numpy() for name, values in outputs.items()}


def _encoded_pixels(content: object, index: int) -> int:
    """Number of pixels of a JPEG or PNG file, by its first bytes; refuses what is neither."""
    if not isinstance(content, bytes):
        raise RequestError(f"image {index}: wanted an encoded image, got {type(content).__name__}")
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise RequestError(f"image {index}: too many pixels, the limit is {MAX_PIXELS}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise RequestError(f"image {index}: not a JPEG or PNG file") from error
    if width * height > MAX_PIXELS:
        raise RequestError(f"image {index}: {width}x{height} pixels, the limit is {MAX_PIXELS}")
    return width * height
