"""A ``.keras`` file as a classifier."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fer_keras.inference.class_list import resolve_class_names
from fer_keras.inference.classifier import OUTPUTS, Classifier, ModelLoadError, first_line


class KerasClassifier(Classifier):
    """A Keras model: one of `fer_keras.methods`, or a functional inference model.

    Args:
        path: the ``.keras`` file the model came from (its ``labels.txt`` is looked for beside it).
        model: a `Method` (has ``inference_model()`` and ``class_names``), or a functional model from ``image``
            (N, H, W, 3) to a dict with ``probs`` (N, C) and perhaps ``valence_arousal`` (N, 2).
        batch_size: images per step.
        class_names: the C classes, where neither the model nor a file beside `path` tells them.

    Raises:
        ModelLoadError: the model does not have this form, or its class names are not known.
    """

    def __init__(
        self,
        path: str | Path,
        model: keras.Model,
        batch_size: int = 256,
        class_names: Sequence[str] | None = None,
    ):
        path = Path(path)
        own = class_names or getattr(model, "class_names", None)
        if hasattr(model, "inference_model"):
            model = model.inference_model()
        outputs = model.output if getattr(model, "built", False) and hasattr(model, "output") else None
        if not isinstance(outputs, dict) or "probs" not in outputs:
            raise ModelLoadError(f"{path}: not a classifier of this library (no output named 'probs')")
        shape = model.inputs[0].shape
        if len(model.inputs) != 1 or len(shape) != 4 or None in shape[1:] or shape[3] != 3:
            raise ModelLoadError(f"{path}: must have one input of fixed size (N, H, W, 3), it has {shape}")
        names = resolve_class_names(path, own, outputs["probs"].shape[-1])
        super().__init__(path, names, shape[1:3], batch_size, "valence_arousal" in outputs)
        self.model = model
        signature = [tf.TensorSpec((None, *shape[1:]), tf.uint8)]
        # one graph with a free batch dimension: a partial last batch is not traced again
        self._run = tf.function(self._outputs, input_signature=signature)

    @classmethod
    def load(cls, path: str | Path) -> "KerasClassifier":
        """Loads a ``.keras`` file in safe mode (no code of the file is run).

        Raises:
            ModelLoadError: the file is damaged, or not a model of this library.
        """
        # the classes that a stored model names register themselves when they are imported
        import fer_keras.backbones
        import fer_keras.layers.grey_image  # of exports that were trained on grey images
        import fer_keras.methods  # noqa: F401

        path = Path(path)
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
            if damaged:
                raise ModelLoadError(f"{path}: damaged file (wrong checksum of {damaged} inside); save it again")
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        except ModelLoadError:
            raise
        except Exception as error:  # Keras raises many types here; the user needs the file and the reason
            raise ModelLoadError(f"{path}: cannot be loaded as a Keras model ({first_line(error)})") from error
        return cls(path, model)

    def _outputs(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self.model(images, training=False)
        return {name: outputs[name] for name in OUTPUTS if name in outputs}

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return {name: values.numpy() for name, values in self._run(images).items()}
