"""Center loss: features gather around a center for each class."""

import keras
from keras import ops

from fer_keras.layers.center_bank import CenterBank
from fer_keras.losses.discriminative import center_pull
from fer_keras.losses.soft_cross_entropy import soft_cross_entropy, weighted_batch_mean
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class CenterLoss(Method):
    """Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016.

    ``L = L_S + lambda L_C`` with the cross-entropy ``L_S`` and ``L_C = 1/2 sum_i ||v_i - mu_{y_i}||^2``. After every
    step the centers follow: ``mu_j -= alpha sum_i 1[y_i = j] (mu_j - v_i) / (1 + n_j)``, n_j the number of samples of
    class j in the batch. Both losses are means over the batch.

    Args:
        backbone, class_names, dropout: as for `Method`.
        center_weight: lambda.
        center_rate: alpha, in [0, 1].

    Raises:
        ValueError: a weight or rate outside its range.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = CenterLoss(build_backbone("fer_mini", (48, 48)), EMOTIONS, center_weight=0.01)
        >>> model.compile("adam")
    """

    accepts_crops = True
    diagnostics = ("center_loss",)

    def __init__(self, backbone, class_names, *, center_weight: float = 0.003, center_rate: float = 0.5, **kwargs):
        super().__init__(backbone, class_names, **kwargs)
        if center_weight < 0:
            raise ValueError(f"center_weight: {center_weight}; wanted 0 or more")
        if not 0 <= center_rate <= 1:
            raise ValueError(f"center_rate: {center_rate}; wanted a value in [0, 1]")
        self.center_weight = center_weight
        self.center_rate = center_rate
        self.center_bank = self.build_centers()

    def build_centers(self) -> CenterBank:
        """The class centers, moved by attraction alone; starts at 0."""
        return CenterBank(
            self.num_classes, self.feature_width, self.center_rate, fidelity="paper", push_scale=0.0, name="centers"
        )

    def center_loss(self, features, labels, weights):
        """What is added to the cross-entropy, before its weight.

        Args:
            features: (B, V) features.
            labels: (B,) class indices.
            weights: (B,) weights of the samples.

        Returns:
            A scalar, ``L_C / B``.
        """
        pull = center_pull(features, labels, weights, ops.convert_to_tensor(self.center_bank.centers))
        return pull / ops.cast(ops.shape(labels)[0], "float32")

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        return self.objective(y, outputs["features"], outputs["probs"], sample_weight)

    def objective(self, y, features, probs, sample_weight=None) -> Objective:
        """The loss of a batch from the network's outputs.

        Args:
            y: ``label`` (B,) and ``distribution`` (B, C).
            features, probs: (B, V) and (B, C).
            sample_weight: (B,) or None.

        Returns:
            The loss, and the rows that the centers see.
        """
        labels = ops.cast(y["label"], "int32")
        weights = ops.ones_like(probs[:, 0]) if sample_weight is None else ops.cast(sample_weight, "float32")
        loss_centers = self.center_loss(features, labels, weights)
        cross_entropy = weighted_batch_mean(soft_cross_entropy(y["distribution"], probs), sample_weight)
        rows = {"features": ops.stop_gradient(features), "labels": labels, "weights": weights}
        return Objective(
            cross_entropy + self.center_weight * loss_centers, probs, {self.diagnostics[0]: loss_centers}, rows
        )

    def after_step(self, x, y, objective: Objective) -> None:
        state = objective.state
        self.center_bank.update(state["features"], state["labels"], state["weights"])

    def get_config(self) -> dict:
        return {**super().get_config(), "center_weight": self.center_weight, "center_rate": self.center_rate}
