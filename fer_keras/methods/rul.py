"""RUL: uncertainty learned from how two mixed samples share their feature.

Zhang et al., "Relative Uncertainty Learning for Facial Expression Recognition", NeurIPS 2021, as released.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from fer_keras.layers.embedding_head import EmbeddingHead
from fer_keras.layers.random_stream import RandomStream
from fer_keras.layers.sample_average import SampleAverage
from fer_keras.losses.relative_uncertainty import add_up_loss, sample_uncertainty, uncertainty_mixture
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class RUL(Method):
    """Relative Uncertainty Learning.

    Two heads on the feature map give each image a feature mu and a log variance; the mean variance is its
    uncertainty u. In every step each sample i meets a partner j of the same batch, and one feature
    ``u_i / (u_i + u_j) mu_i + u_j / (u_i + u_j) mu_j`` is classified as both: ``1/2 CE(y_i) + 1/2 CE(y_j)``. At test
    time mu alone is classified. With several replicas, partners are found within each replica's share of the batch,
    so that two replicas do not give the weights of one.

    Args:
        backbone, class_names: as for `Method`.
        dropout: rate between the (mixed) feature and the classifier.
        num_samples: N, the number of training samples.
        embedding_width: D, width of mu and of the log variance.
        head_dropout: rate between the feature map and the linear layers of both heads.
        uncertainty_momentum: m of the average ``a <- m a + (1 - m) u`` that is kept of each sample's uncertainty.

    Raises:
        ValueError: a value out of range.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = RUL(build_backbone("fer_mini", (48, 48)), EMOTIONS, num_samples=1000)
        >>> model.compile("adam")
        >>> model.inference_model().output["features"].shape
        (None, 64)
    """

    uses_sample_table = True
    diagnostics = ("uncertainty",)

    def __init__(
        self,
        backbone,
        class_names,
        *,
        num_samples: int,
        embedding_width: int = 64,
        head_dropout: float = 0.4,
        uncertainty_momentum: float = 0.9,
        **kwargs,
    ):
        self.embedding_width = embedding_width  # the classifier is built for this width
        super().__init__(backbone, class_names, **kwargs)
        self.num_samples = num_samples
        self.head_dropout = head_dropout
        self.uncertainty_momentum = uncertainty_momentum
        self.mean_head = EmbeddingHead(embedding_width, head_dropout, name="mean_head")
        self.log_variance_head = EmbeddingHead(embedding_width, head_dropout, name="log_variance_head")
        for head in (self.mean_head, self.log_variance_head):
            head.build(backbone.output_shape)
        self.sample_uncertainties = SampleAverage(num_samples, uncertainty_momentum, name="sample_uncertainties")
        self.partner_stream = RandomStream(name="partner_stream")

    @property
    def feature_width(self) -> int:
        """D: the features of an image are its mu."""
        return self.embedding_width

    def extract_features(self, pixels, training: bool = False):
        """mu (B, D) of pixels: what is classified at test time."""
        mean = self.mean_head(self.backbone(pixels, training=training), training=training)
        return self.aggregated(mean, training=training)

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        self._check_images(x["image"])
        feature_map = self.backbone(ops.cast(x["image"], "float32"), training=True)
        mean = self.aggregated(self.mean_head(feature_map, training=True), training=True)
        log_variance = self.log_variance_head(feature_map, training=True)
        rows = tf.range(tf.shape(mean)[0])
        partner = tf.random.experimental.stateless_shuffle(rows, self.partner_stream.next_key(), alg="philox")
        return self.objective(y, mean, log_variance, partner, sample_weight)

    def objective(self, y, mean, log_variance, partner, sample_weight=None) -> Objective:
        """The loss of a batch from the outputs of the two heads.

        Args:
            y: ``distribution`` (B, C).
            mean, log_variance: (B, D).
            partner: (B,) integers, the row that each sample is mixed with.
            sample_weight: (B,) or None; weighs each half of the add-up loss by the sample whose label it is.

        Returns:
            The add-up loss, predictions for the mixtures, and what `after_step` needs.
        """
        uncertainty = sample_uncertainty(log_variance)
        mixed, weight = uncertainty_mixture(mean, uncertainty, partner)
        logits = self.classifier(self.dropout(mixed, training=True))
        target = y["distribution"]
        if sample_weight is not None:
            target = target * ops.cast(sample_weight, "float32")[:, None]
        losses = add_up_loss(target, ops.take(target, partner, axis=0), logits)
        state = {"uncertainty": uncertainty[:, 0], "weight": weight, "mixed": mixed, "logits": logits}
        return Objective(ops.mean(losses), ops.softmax(logits), {"uncertainty": ops.mean(uncertainty)}, state)

    def after_step(self, x, y, objective: Objective) -> None:
        self.sample_uncertainties.update(x["sample_id"], objective.state["uncertainty"])

    def uncertainties(self) -> np.ndarray:
        """The average uncertainty of every training sample, (N,) float32 above 0; 1 where a sample was never seen.

        The paper keeps no such table: it is read off while training.
        """
        return self.sample_uncertainties.averages(unseen=1.0)

    def get_config(self) -> dict:
        names = "num_samples embedding_width head_dropout uncertainty_momentum"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
