"""Ada-DF: one branch learns what a face looks like to the network, the other learns a mix of that and its class.

Liu, Xu, Wan, Kui, "A Dual-Branch Adaptive Distribution Fusion Framework for Real-World Facial Expression Recognition",
ICASSP 2023. Where the released code departs from its own description, ``fidelity="official"`` follows the code.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from fer_keras.backbones.branches import copy_branch, split_backbone
from fer_keras.layers.class_distributions import ClassDistributions
from fer_keras.layers.importance_attention import ImportanceAttention
from fer_keras.losses.adaptive_fusion import attention_weights, divergence_from_logits, fuse_distributions
from fer_keras.losses.class_distribution import class_sums
from fer_keras.losses.ramps import ramp_down, ramp_up
from fer_keras.losses.rank_regularization import rank_regularization
from fer_keras.losses.soft_cross_entropy import smooth_labels, weighted_batch_mean
from fer_keras.methods.base import Method, Objective

_CHOICES = {
    "fidelity": ("paper", "official"),
    "class_distributions": ("online", "extra_clean", "extra_augmented"),
    "trunk_statistics": ("moving", "fixed"),
}
_SECOND_PASS = {"online": None, "extra_clean": "clean", "extra_augmented": "augmented"}


@keras.saving.register_keras_serializable(package="fer_keras")
class AdaDF(Method):
    """Dual-branch adaptive distribution fusion.

    The backbone is cut behind `stage` into a trunk and two branches, equal at the start but for their attention. The
    auxiliary branch learns the given label; its softmax d is the sample's label distribution, whose mean over the
    samples of a class is the class distribution M. The target branch learns ``tau = (1 - w) d + w M``, where w comes
    from the attention of both branches. The target branch alone is evaluated, saved for inference and exported.

    ``L = alpha_2 CE(l, d) + alpha_1 KL(tau || f) + rank_weight L_rr``; smallest and largest attention of the batch and
    the groups of L_rr are those of each replica's share of it.

    Args:
        backbone, class_names: as for `Method`. Weights of the backbone go into trunk and both branches.
        dropout: dropout rate between the pooled features and the heads of both branches.
        stage: layer behind which the backbone is cut (``stage1`` is the released code's place in a ResNet-18); see
            `fer_keras.backbones.branches.split_backbone`.
        fidelity: ``"paper"``, or ``"official"`` (released code): sets `legacy_fallback` where that is None, and
            in official mode sharpening divides by the sums of the wrong axis, the groups of the rank regularisation
            are as large as the released code rounds them, and losses are divided by images, not crops.
        threshold: t, see `fer_keras.losses.class_distribution.class_table`.
        beta: epochs over which alpha_1 rises; alpha_2 falls afterwards.
        alpha: if given, alpha_1 in all epochs, and alpha_2 is ``1 - alpha``.
        weight_min, weight_max: range of w within a batch.
        rank_ratio, rank_margin: of L_rr, see `fer_keras.losses.rank_regularization.rank_regularization`.
        rank_weight: factor of L_rr.
        class_distributions: where M comes from after each epoch: ``"online"``: from d as the steps of the epoch saw
            it; ``"extra_clean"``, ``"extra_augmented"``: from a second pass over the training images, as they are
            or augmented anew (released code), by `fer_keras.methods.TrainingSetPass`.
        legacy_fallback: whether rows of M that fall back sum to ``t + 0.4``; None: in official mode only.
        sharpen_temperature: if given, M is sharpened (the released code has 1.2, switched off).
        stop_gradient_target: whether tau is a constant for the gradient; False lets KL train the auxiliary branch
            and the attention too.
        freeze_trunk: whether the trunk's weights stay as they are; None: only if the backbone was built with weights.
        trunk_statistics: BatchNorm in a frozen trunk: ``"moving"`` takes batch statistics and keeps averaging them,
            as the released code does, ``"fixed"`` uses the stored ones, which is what Keras calls frozen.
        trunk_dropout: dropout rate of what the branches read.
        label_smoothing: s in [0, 1]; the label of CE becomes ``(1 - s) l + s / C``.
        crops: rows of a batch that are crops of the same image; matters in official mode only.

    Raises:
        ValueError: an unknown choice, or a value out of range.
        StageError: the backbone cannot be cut behind `stage`; the message lists where it can.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = AdaDF(build_backbone("fer_mini", (48, 48)), EMOTIONS, threshold=0.5)
        >>> model.compile("adam")
        >>> model.class_distribution_table().shape
        (8, 8)
    """

    accepts_crops = True
    uses_epoch = True
    diagnostics = ("cross_entropy", "divergence", "rank_loss", "weight")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        stage: str = "stage1",
        fidelity: str = "paper",
        threshold: float = 0.7,
        beta: float = 3,
        alpha: float | None = None,
        weight_min: float = 0.2,
        weight_max: float = 1.0,
        rank_ratio: float = 0.7,
        rank_margin: float = 0.07,
        rank_weight: float = 1.0,
        class_distributions: str = "online",
        legacy_fallback: bool | None = None,
        sharpen_temperature: float | None = None,
        stop_gradient_target: bool = False,
        freeze_trunk: bool | None = None,
        trunk_statistics: str = "moving",
        trunk_dropout: float = 0.0,
        label_smoothing: float = 0.0,
        crops: int = 1,
        **kwargs,
    ):
        super().__init__(backbone, class_names, **kwargs)
        self.stage = stage
        self.fidelity = fidelity
        self.threshold = threshold
        self.beta = beta
        self.alpha = alpha
        self.weight_min = weight_min
        self.weight_max = weight_max
        self.rank_ratio = rank_ratio
        self.rank_margin = rank_margin
        self.rank_weight = rank_weight
        self.class_distributions = class_distributions
        self.legacy_fallback = fidelity == "official" if legacy_fallback is None else legacy_fallback
        self.sharpen_temperature = sharpen_temperature
        self.stop_gradient_target = stop_gradient_target
        self.freeze_trunk = getattr(backbone, "pretrained", False) if freeze_trunk is None else freeze_trunk
        self.trunk_statistics = trunk_statistics
        self.trunk_dropout = trunk_dropout
        self.label_smoothing = label_smoothing
        self.crops = crops
        self._check_options()
        self.training_set_pass = _SECOND_PASS[class_distributions]
        self._create_branches()

    def _check_options(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: {getattr(self, name)!r}; wanted one of: {', '.join(choices)}")
        if not 0.0 <= self.weight_min <= self.weight_max <= 1.0:
            raise ValueError(f"weight_min, weight_max: {self.weight_min}, {self.weight_max}; wanted a range in [0, 1]")
        for name, low, high in (("threshold", 0, 1), ("rank_ratio", 0, 1), ("beta", 0, np.inf), ("crops", 0, np.inf)):
            if not low < getattr(self, name) < high:
                raise ValueError(f"{name}: {getattr(self, name)}; wanted a value between {low} and {high}")
        if self.alpha is not None and not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha: {self.alpha}; wanted null or a value in [0, 1]")
        if self.sharpen_temperature is not None and self.sharpen_temperature <= 0:
            raise ValueError(f"sharpen_temperature: {self.sharpen_temperature}; wanted null or a value above 0")

    def _create_branches(self) -> None:
        # The backbone stays whole: it is trunk and target branch, and all that inference needs.
        self.trunk, self.target_branch = split_backbone(self.backbone, self.stage)
        self.auxiliary_branch = copy_branch(self.target_branch, "auxiliary")
        self.dropout_behind_trunk = keras.layers.Dropout(self.trunk_dropout)
        self.auxiliary_classifier = keras.layers.Dense.from_config(
            {**self.classifier.get_config(), "name": "auxiliary_classifier"}
        )
        self.auxiliary_classifier.build((None, self.feature_width))
        self.auxiliary_classifier.set_weights(self.classifier.get_weights())
        self.attention = ImportanceAttention(name="attention")
        self.auxiliary_attention = ImportanceAttention(name="auxiliary_attention")
        for attention in (self.attention, self.auxiliary_attention):
            attention.build((None, self.feature_width), (None, self.num_classes))
        self.distribution_bank = ClassDistributions(
            self.num_classes,
            self.threshold,
            self.legacy_fallback,
            self.sharpen_temperature,
            legacy_sharpening=self.fidelity == "official",
            name="class_distributions",
        )
        if self.freeze_trunk:
            # The variables, not the layers: a BatchNormalization layer that is not trainable keeps no statistics.
            for variable in self.trunk.trainable_variables:
                variable.trainable = False

    # -- network -----------------------------------------------------------------------------------------------

    def logits(self, features):
        """As `Method.logits`, scaled by the target branch's attention."""
        return self.attention(features, self.classifier(features))[1]

    def branches(self, images, training: bool = False) -> dict:
        """What both branches say of images.

        Args:
            images: (B, H, W, 3), pixels 0..255.
            training: whether dropout is active and BatchNorm uses batch statistics.

        Returns:
            As `heads`.
        """
        self._check_images(images)
        shared = self._shared(images, training)
        parts = (self.auxiliary_branch, self.target_branch)
        features = [self.pooled(part(shared, training=training), training=training) for part in parts]
        return self.heads(*(self.dropout(rows, training=training) for rows in features))

    def heads(self, auxiliary_features, features) -> dict:
        """The attention-scaled logits ``a (W f + b)`` of both branches, and their joint attention.

        Args:
            auxiliary_features, features: (B, V), of the auxiliary and of the target branch.

        Returns:
            ``auxiliary_logits`` and ``logits`` (B, C), ``attention`` (B, 1), the mean of both.
        """
        auxiliary, auxiliary_logits = self._auxiliary_head(auxiliary_features)
        target, logits = self.attention(features, self.classifier(features))
        return {"auxiliary_logits": auxiliary_logits, "logits": logits, "attention": (auxiliary + target) / 2.0}

    def _auxiliary_head(self, features):
        return self.auxiliary_attention(features, self.auxiliary_classifier(features))

    def _shared(self, images, training: bool):
        statistics = training and not (self.freeze_trunk and self.trunk_statistics == "fixed")
        shared = self.trunk(ops.cast(images, "float32"), training=statistics)
        if self.freeze_trunk:
            shared = ops.stop_gradient(shared)
        return self.dropout_behind_trunk(shared, training=training)

    # -- equations ---------------------------------------------------------------------------------------------

    def term_weights(self):
        """alpha_1 of the divergence and alpha_2 of the cross-entropy in the current epoch."""
        if self.alpha is not None:
            return self.alpha, 1.0 - self.alpha
        return ramp_up(self.epoch, self.beta), ramp_down(self.epoch, self.beta)

    def fuse(self, labels, outputs: dict) -> dict:
        """Adaptive fusion: the target of each sample, and what it is made of.

        Args:
            labels: (B,) class indices.
            outputs: of `heads`.

        Returns:
            ``label_distribution`` d, ``class_distribution`` M[y] and ``target`` tau, (B, C), and ``weight`` w (B,).
        """
        label_distribution = ops.softmax(outputs["auxiliary_logits"])
        class_distribution = self.distribution_bank(labels)
        weight = attention_weights(outputs["attention"], self.weight_min, self.weight_max)
        return {
            "label_distribution": label_distribution,
            "class_distribution": class_distribution,
            "weight": weight,
            "target": fuse_distributions(label_distribution, class_distribution, weight),
        }

    def objective(self, y, outputs: dict, sample_weight=None) -> Objective:
        """The loss of a batch from the outputs of both branches.

        Args:
            y: ``label`` (B,) and ``distribution`` (B, C).
            outputs: of `heads`.
            sample_weight: (B,) or None; weighs the samples in the cross-entropy and in the divergence.

        Returns:
            The loss, its terms, and the fusion that `after_step` needs.
        """
        fusion = self.fuse(y["label"], outputs)
        given = smooth_labels(y["distribution"], self.label_smoothing)
        cross_entropy = -ops.sum(given * ops.log_softmax(outputs["auxiliary_logits"]), axis=-1)
        target = ops.stop_gradient(fusion["target"]) if self.stop_gradient_target else fusion["target"]
        divergence = divergence_from_logits(target, outputs["logits"])
        legacy = self.fidelity == "official"
        terms = {
            "cross_entropy": weighted_batch_mean(cross_entropy, sample_weight),
            # Released code: a sum over all crops, divided by the number of images.
            "divergence": weighted_batch_mean(divergence, sample_weight) * (self.crops if legacy else 1),
            "rank_loss": rank_regularization(
                outputs["attention"],
                self.rank_ratio,
                self.rank_margin,
                size=ops.shape(divergence)[0] // self.crops if legacy else None,
                exact=not legacy,
            ),
        }
        alpha_1, alpha_2 = self.term_weights()
        loss = alpha_2 * terms["cross_entropy"] + alpha_1 * terms["divergence"] + self.rank_weight * terms["rank_loss"]
        logs = {**terms, "weight": ops.mean(fusion["weight"])}
        return Objective(loss, ops.softmax(outputs["logits"]), logs, fusion)

    # -- training ----------------------------------------------------------------------------------------------

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        return self.objective(y, self.branches(x["image"], training=True), sample_weight)

    def after_step(self, x, y, objective: Objective) -> None:
        if self.class_distributions == "online":
            self.distribution_bank.accumulate(y["label"], objective.state["label_distribution"])

    def end_epoch(self, epoch: int) -> None:
        if self.class_distributions == "online":
            self.distribution_bank.refresh()

    def read_training_set(self, batches) -> None:
        """Makes new class distributions from a pass over the training set, in inference mode.

        Args:
            batches: pairs of x with ``image`` and y with ``label``.
        """
        sums = np.zeros((self.num_classes, self.num_classes), np.float64)
        counts = np.zeros(self.num_classes, np.float64)
        for x, y in batches:
            batch_sums, batch_counts = self._measure(x["image"], y["label"])
            sums += np.asarray(batch_sums)
            counts += np.asarray(batch_counts)
        self.distribution_bank.measure(sums.astype("float32"), counts.astype("float32"))

    @tf.function(reduce_retracing=True)
    def _measure(self, images, labels):
        features = self.pooled(self.auxiliary_branch(self._shared(images, training=False), training=False))
        _, logits = self._auxiliary_head(features)
        return class_sums(labels, ops.softmax(logits))

    def class_distribution_table(self) -> np.ndarray:
        """M, (C, C) float32: row c is the class distribution of class c."""
        return np.asarray(self.distribution_bank.table)

    def adaptive_fusion(self, images, labels) -> dict[str, np.ndarray]:
        """Adaptive fusion of some images, taken as one batch, in inference mode.

        Args:
            images: (B, H, W, 3), pixels 0..255.
            labels: (B,) class indices.

        Returns:
            As `fuse`, and ``probs`` (B, C), the target branch's prediction.
        """
        outputs = self.branches(images)
        found = {**self.fuse(labels, outputs), "probs": ops.softmax(outputs["logits"])}
        return {name: np.asarray(value) for name, value in found.items()}

    def get_config(self) -> dict:
        names = (
            "stage fidelity threshold beta alpha weight_min weight_max rank_ratio rank_margin rank_weight "
            "class_distributions legacy_fallback sharpen_temperature stop_gradient_target freeze_trunk "
            "trunk_statistics trunk_dropout label_smoothing crops"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
