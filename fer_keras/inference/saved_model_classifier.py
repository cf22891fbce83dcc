"""A TensorFlow SavedModel folder as a classifier."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from fer_keras.inference.class_list import LABELS_FILE, read_labels_file, require_count
from fer_keras.inference.classifier import Classifier, ModelLoadError, first_line, require_interface

SIGNATURE = "serving_default"


class SavedModelClassifier(Classifier):
    """A SavedModel with the signature ``serving_default``: ``image`` uint8 (N, H, W, 3) -> ``probs`` (N, C).

    An output ``valence_arousal`` (N, 2) is read as well if there is one.

    Args:
        path: the version folder, the one that holds ``saved_model.pb``.
        batch_size: images per step.

    Raises:
        ModelLoadError: the folder is damaged, has no such signature, or no ``assets/labels.txt``.
    """

    def __init__(self, path: str | Path, batch_size: int = 256):
        path = Path(path)
        try:
            # the loaded object owns the variables: it must live as long as the signature
            self._loaded = tf.saved_model.load(str(path))
        except Exception as error:  # TensorFlow raises many types here; the user needs the folder and the reason
            raise ModelLoadError(f"{path}: cannot be loaded as a SavedModel ({first_line(error)})") from error
        self.signatures = self._loaded.signatures
        if SIGNATURE not in self.signatures:
            raise ModelLoadError(f"{path}: no signature {SIGNATURE!r}; it has: {', '.join(self.signatures) or 'none'}")
        function = self.signatures[SIGNATURE]
        inputs, outputs = function.structured_input_signature[1], function.structured_outputs
        found = {name: (spec.dtype.name, tuple(spec.shape)) for name, spec in inputs.items()}
        size = require_interface(f"{path}: {SIGNATURE}", found, outputs)
        labels = path / "assets" / LABELS_FILE
        if not labels.is_file():
            raise ModelLoadError(f"{path}: no class names (assets/{LABELS_FILE} is missing); export it again")
        names = require_count(read_labels_file(labels), outputs["probs"].shape[-1], labels)
        super().__init__(path, names, size, batch_size, "valence_arousal" in outputs)
        self._run = function

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return {name: values.numpy() for name, values in self._run(image=tf.constant(images)).items()}
