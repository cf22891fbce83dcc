"""A classifier that looks at ten crops of each image."""

import numpy as np

from fer_keras.data.preprocessing import ImageSize
from fer_keras.data.ten_crop import CROPS, ten_crop
from fer_keras.inference.classifier import Classifier


class TenCropClassifier(Classifier):
    """Another classifier's mean opinion of ten crops.

    The mean is taken of the logits, as in the released code of Ada-DF: softmax of the mean logarithm of the
    probabilities is the same. Valence and arousal are plain means.

    Args:
        classifier: takes images of the crops' size.
        image_size: (H, W) of the images, not smaller than the crops.

    Raises:
        ValueError: the images are smaller than the crops.

    Example:
        ``TenCropClassifier(load_classifier("runs/sfew"), (256, 256)).predict_proba(images)``
    """

    def __init__(self, classifier: Classifier, image_size: ImageSize):
        crop = classifier.image_size
        if image_size[0] < crop[0] or image_size[1] < crop[1]:
            raise ValueError(
                f"{classifier.path}: crops of {crop[0]}x{crop[1]} do not fit into {image_size[0]}x{image_size[1]}"
            )
        batch_size = max(1, classifier.batch_size // CROPS)
        super().__init__(
            classifier.path, classifier.class_names, image_size, batch_size, classifier.has_valence_arousal
        )
        self.classifier = classifier

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        outputs = self.classifier.predict(ten_crop(images, self.classifier.image_size).numpy())
        outputs = {name: rows.reshape(len(images), CROPS, -1) for name, rows in outputs.items()}
        mean = np.log(np.maximum(outputs["probs"], np.finfo(np.float32).tiny)).mean(axis=1)
        weights = np.exp(mean - mean.max(axis=1, keepdims=True))
        found = {"probs": weights / weights.sum(axis=1, keepdims=True)}
        if self.has_valence_arousal:
            found["valence_arousal"] = outputs["valence_arousal"].mean(axis=1)
        return found
