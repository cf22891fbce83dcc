"""Plain supervised training: the baseline."""

import keras

from fer_keras.losses.soft_cross_entropy import smooth_labels, weighted_batch_mean
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class CrossEntropy(Method):
    """Cross-entropy with the given labels, or with the votes as soft targets.

    ``L = -1/B sum_i sum_j d_ij log f_ij``, where d is the one-hot label or, with ``data.targets: votes``, the share
    of annotators that chose class j.

    Args:
        backbone, class_names, dropout: as for `Method`.
        label_smoothing: s in [0, 1]; the target becomes ``(1 - s) d + s / C``.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = CrossEntropy(build_backbone("fer_mini", (48, 48)), EMOTIONS, label_smoothing=0.1)
        >>> model.compile("adam")
    """

    def __init__(self, backbone, class_names, *, label_smoothing: float = 0.0, **kwargs):
        super().__init__(backbone, class_names, **kwargs)
        self.label_smoothing = label_smoothing

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        target = smooth_labels(y["distribution"], self.label_smoothing)
        losses = keras.losses.categorical_crossentropy(target, outputs["logits"], from_logits=True)
        return Objective(weighted_batch_mean(losses, sample_weight), outputs["probs"])

    def get_config(self) -> dict:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
