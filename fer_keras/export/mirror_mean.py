"""What an export with mirror images is measured against, computed without the network that is exported."""

import numpy as np

from fer_keras.inference.classifier import Classifier


class MirrorMean(Classifier):
    """The mean of another classifier's answers for an image and for its mirror image.

    `fer_keras.export.inference_model.averaged_with_mirror` puts the same into a graph; this one asks twice and knows
    nothing of that graph, so that a fault in it shows.

    Args:
        classifier: the trained model.

    Example:
        ``MirrorMean(load_classifier("runs/ferplus")).predict_proba(images)``
    """

    def __init__(self, classifier: Classifier):
        super().__init__(
            classifier.path,
            classifier.class_names,
            classifier.image_size,
            classifier.batch_size,
            classifier.has_valence_arousal,
        )
        self.classifier = classifier

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        plain, mirrored = self.classifier.predict(images), self.classifier.predict(images[:, :, ::-1])
        return {name: (plain[name] + mirrored[name]) / 2 for name in plain}
