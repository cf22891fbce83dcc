"""Plain supervised training: the baseline."""

import keras
import numpy as np
from keras import ops

from fer_keras.layers.sample_average import SampleAverage
from fer_keras.losses.soft_cross_entropy import smooth_labels, weighted_batch_mean
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class CrossEntropy(Method):
    """Cross-entropy with the given labels, or with the votes as soft targets.

    ``L = -1/B sum_i sum_j d_ij log f_ij``, where d is the one-hot label or, with ``data.targets: votes``, the share
    of annotators that chose class j.

    Args:
        backbone, class_names, dropout: as for `Method`.
        num_samples: N, the number of training samples; needed with `prediction_momentum` only.
        label_smoothing: s in [0, 1]; the target becomes ``(1 - s) d + s / C``.
        prediction_momentum: if given, an exponential average of the probability of each sample's given label is
            kept while training; `uncertainties` then finds labels that the network kept disagreeing with.

    Raises:
        ValueError: `prediction_momentum` without `num_samples`, or not in [0, 1).

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = CrossEntropy(build_backbone("fer_mini", (48, 48)), EMOTIONS, label_smoothing=0.1)
        >>> model.compile("adam")
    """

    uses_sample_table = True
    learns_distributions = True
    accepts_mixed_samples = True
    accepts_crops = True

    def __init__(
        self,
        backbone,
        class_names,
        *,
        num_samples: int | None = None,
        label_smoothing: float = 0.0,
        prediction_momentum: float | None = None,
        **kwargs,
    ):
        super().__init__(backbone, class_names, **kwargs)
        self.num_samples = num_samples
        self.label_smoothing = label_smoothing
        self.prediction_momentum = prediction_momentum
        if prediction_momentum is not None:
            if num_samples is None:
                raise ValueError("prediction_momentum: a table of the samples needs num_samples")
            self.accepts_mixed_samples = False  # a mixed image has no single given label
            self.accepts_crops = False  # one average a sample
            self.given_probability = SampleAverage(num_samples, prediction_momentum, name="given_probability")

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        target = smooth_labels(y["distribution"], self.label_smoothing)
        losses = keras.losses.categorical_crossentropy(target, outputs["logits"], from_logits=True)
        return Objective(weighted_batch_mean(losses, sample_weight), outputs["probs"])

    def after_step(self, x, y, objective: Objective) -> None:
        if self.prediction_momentum is None:
            return
        given = ops.sum(y["distribution"] * objective.probs, axis=-1)
        self.given_probability.update(x["sample_id"], given)

    def uncertainties(self) -> np.ndarray | None:
        """One minus the average probability of each sample's given label, (N,) float32; None if it is not kept."""
        if self.prediction_momentum is None:
            return None
        return 1.0 - self.given_probability.averages(unseen=0.0)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_samples": self.num_samples,
            "label_smoothing": self.label_smoothing,
            "prediction_momentum": self.prediction_momentum,
        }
