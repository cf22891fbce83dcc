"""Building blocks of FixMatch, Ada-CM and LEAF: consistent predictions for unlabelled images.

Sohn et al. (FixMatch), NeurIPS 2020; Li et al. (Ada-CM), CVPR 2022; LEAF keeps Ada-CM's frame. The three are
sub-classes that choose among the parts of this one.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from fer_keras.backbones.branches import copy_branch
from fer_keras.layers.confidence_margin import AdaptiveConfidenceMargin
from fer_keras.layers.expression_levels import ExpressionLevels, unit_length
from fer_keras.layers.moving_average import average_variables, shrink_variables
from fer_keras.layers.replica import sum_replicas
from fer_keras.losses.fuzzy_positive import fuzzy_positive_loss
from fer_keras.losses.nt_xent import nt_xent
from fer_keras.losses.pseudo_labels import confident, correct_confidence, mean_prediction, pseudo_cross_entropy
from fer_keras.losses.soft_cross_entropy import weighted_batch_mean
from fer_keras.methods.base import Method, Objective, aggregation_options

_CHOICES = {
    "category_level": ("hard", "fuzzy"),
    "mask_mode": ("per_sample", "scalar"),
    "weak_views": (1, 2),
    "margin": ("fixed", "online", "augmented"),
}


class SemiSupervised(Method):
    """Learns from labelled images and from views of unlabelled ones; an averaged copy of the network is judged.

    ``L = labelled_weight L_x + unlabelled_weight L_u + contrastive_weight L_s + balance_weight L_b``. L_x is the
    cross-entropy of the labelled images. The mean prediction of the weak views gives each unlabelled image a
    pseudo-label, which counts where it reaches the threshold of its class. L_u pulls the strong view towards it, L_s
    (NT-Xent) the weak views of those below the threshold towards each other.

    Batches must hold ``weak_a``, ``weak_b`` and ``strong`` beside the labelled images
    (`fer_keras.data.unlabelled.unlabelled_dataset`; ``fer-keras train`` makes them).

    Args:
        backbone, class_names: as for `Method`.
        dropout: rate on the pooled features.
        aggregation: as for `Method`; the same as `experts`.
        experts: None, or the arguments of `fer_keras.layers.expression_aware_aggregation.ExpressionAwareAggregation`.
        instance_level: of `fer_keras.layers.expression_levels.ExpressionLevels`.
        category_level: ``hard``: L_u is the cross-entropy with the pseudo-label; ``fuzzy``: the fuzzy positive loss,
            rescaled to the size of that cross-entropy, each over the images that count.
        mask_mode: whether the threshold leaves out single images, or scales L_u by the share that reaches it.
        cover, max_positives: of `fer_keras.losses.fuzzy_positive.positive_set`.
        weak_views: 1 or 2 views that the pseudo-label is made of.
        labelled_weight, unlabelled_weight, contrastive_weight, balance_weight: of the terms.
        temperature: of NT-Xent.
        margin: ``fixed``: every threshold is `floor`; ``online``: from what the network says of the labelled images as
            the steps of an epoch see them; ``augmented``: from a pass of the averaged network over them after each
            epoch, by `fer_keras.methods.TrainingSetPass` (released code).
        floor, scale: of `fer_keras.layers.confidence_margin.AdaptiveConfidenceMargin`.
        ema_decay: of the averaged copy that is evaluated and exported, BatchNorm statistics included; None: no copy.
        shrink: after each step all weights and BatchNorm statistics are multiplied by ``1 - shrink * learning rate``
            (released code: 0.02); 0 = off.

    Raises:
        ValueError: an unknown choice, or a value out of range.
    """

    uses_epoch = True
    uses_unlabelled = True
    accepts_unlabelled = True
    diagnostics = ("labelled", "unlabelled", "contrastive", "mask")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        aggregation: str | dict | None = None,
        experts: dict | None = None,
        instance_level: str | None = "feature",
        category_level: str = "hard",
        mask_mode: str = "per_sample",
        cover: float = 0.9,
        max_positives: int = 3,
        weak_views: int = 2,
        labelled_weight: float = 0.5,
        unlabelled_weight: float = 1.0,
        contrastive_weight: float = 0.1,
        balance_weight: float = 0.0,
        temperature: float = 0.07,
        margin: str = "online",
        floor: float = 0.8,
        scale: float = 0.97,
        ema_decay: float | None = 0.999,
        shrink: float = 0.0,
        **kwargs,
    ):
        if aggregation is not None:  # the place of LEAF's experts here, where embeddings are needed too
            if experts is not None:
                raise ValueError("aggregation: there are experts already; give their options as experts")
            experts = aggregation_options(aggregation)
        super().__init__(backbone, class_names, **kwargs)
        self.experts = experts
        self.instance_level = instance_level
        self.category_level = category_level
        self.mask_mode = mask_mode
        self.cover = cover
        self.max_positives = max_positives
        self.weak_views = weak_views
        self.labelled_weight = labelled_weight
        self.unlabelled_weight = unlabelled_weight
        self.contrastive_weight = contrastive_weight
        self.balance_weight = balance_weight
        self.temperature = temperature
        self.margin = margin
        self.floor = floor
        self.scale = scale
        self.ema_decay = ema_decay
        self.shrink = shrink
        self._check_options()
        self.training_set_pass = "augmented" if margin == "augmented" else None
        self.levels = self._new_levels("levels")
        self.teacher_backbone = self.teacher_levels = self.teacher_classifier = None
        if ema_decay is not None:
            self.teacher_backbone = copy_branch(backbone, "teacher")
            self.teacher_levels = self._new_levels("teacher_levels")
            self.teacher_classifier = keras.layers.Dense(self.num_classes, name="teacher_classifier", dtype="float32")
            self.teacher_classifier.build((None, self.feature_width))
            for teacher, live in zip(self._parts(teacher=True), self._parts(), strict=True):
                teacher.set_weights(live.get_weights())
                teacher.trainable = False
        self.thresholds = AdaptiveConfidenceMargin(self.num_classes, floor, scale, name="thresholds")
        self.seen = self.add_weight((2, self.num_classes), "zeros", trainable=False, name="seen",
                                    aggregation="only_first_replica")  # fmt: skip

    def _check_options(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                wanted = ", ".join(map(str, choices))
                raise ValueError(f"{name}: {getattr(self, name)!r}; wanted one of: {wanted}")
        for name in ("labelled_weight", "unlabelled_weight", "contrastive_weight", "balance_weight", "shrink"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: {getattr(self, name)}; wanted 0 or more")
        if self.ema_decay is not None and not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay: {self.ema_decay}; wanted null or a value in [0, 1)")
        if self.contrastive_weight and self.weak_views == 1:
            raise ValueError(
                "contrastive_weight: the contrastive term compares two weak views; set weak_views to 2, or 0"
            )
        if not 1 <= self.max_positives < self.num_classes:
            raise ValueError(f"max_positives: {self.max_positives}; wanted 1 to {self.num_classes - 1}")

    def _new_levels(self, name: str) -> ExpressionLevels | None:
        if self.experts is None:
            return None
        return ExpressionLevels(self.feature_width, self.num_classes, self.experts, self.instance_level, name=name)

    def _parts(self, teacher: bool = False) -> list:
        """The layers that hold weights, of the network that learns or of its averaged copy."""
        parts = (
            (self.teacher_backbone, self.teacher_levels, self.teacher_classifier)
            if teacher
            else (self.backbone, self.levels, self.classifier)
        )
        return [part for part in parts if part is not None]

    # -- network -----------------------------------------------------------------------------------------------

    def extract_features(self, pixels, training: bool = False):
        """As `Method.extract_features`, by the averaged network unless `training`; what the classifier reads."""
        teacher = self.ema_decay is not None and not training
        backbone = self.teacher_backbone if teacher else self.backbone
        levels = self.teacher_levels if teacher else self.levels
        features = self.pool(backbone(pixels, training=training))
        return features if levels is None else levels(features, training=training)

    def logits(self, features):
        """As `Method.logits`, of the averaged network."""
        classifier = self.classifier if self.ema_decay is None else self.teacher_classifier
        levels = self.levels if self.ema_decay is None else self.teacher_levels
        logits = classifier(features)
        return logits if levels is None else levels.refine(logits)

    def embed(self, images, training: bool = False) -> dict:
        """Embeddings and logits by the network that learns.

        Args:
            images: (B, H, W, 3), pixels 0..255.
            training: whether dropout and noise are active and BatchNorm uses batch statistics.

        Returns:
            ``embedding`` (B, D) of unit length, ``logits`` (B, C), ``balance_loss``.
        """
        self._check_images(images)
        features = self.pool(self.backbone(ops.cast(images, "float32"), training=training))
        features = self.dropout(features, training=training)
        if self.levels is not None:
            return self.levels.outputs(features, self.classifier, training=training)
        return {"embedding": unit_length(features), "logits": self.classifier(features), "balance_loss": 0.0}

    # -- equations ---------------------------------------------------------------------------------------------

    def unlabelled_loss(self, weak_logits: list, strong_logits) -> dict:
        """L_u, and which pseudo-labels reach their threshold.

        Args:
            weak_logits: one or two (U, C).
            strong_logits: (U, C).

        Returns:
            ``loss``, a scalar; ``mask`` (U,) bool; ``pseudo_label`` (U,).
        """
        mean = mean_prediction(weak_logits[0], weak_logits[-1])
        pseudo_label, mask = confident(mean, self.thresholds.thresholds.value)
        cross_entropy = pseudo_cross_entropy(strong_logits, pseudo_label)
        share = ops.mean(ops.cast(mask, "float32"))
        # Which images count: those above their threshold, or all of them by the share that is above.
        weights = ops.cast(mask, "float32") if self.mask_mode == "per_sample" else ops.ones_like(cross_entropy) * share
        if self.category_level == "hard":
            values, rescale = cross_entropy, 1.0
        else:
            # Pseudo-labels come from the mean of the probabilities, the positive set from the mean of the logits.
            probs = ops.softmax((weak_logits[0] + weak_logits[-1]) / 2.0, axis=-1)
            fuzzy = fuzzy_positive_loss(strong_logits, probs, self.cover, self.max_positives)
            values = fuzzy["weight"] * fuzzy["pair_loss"]
            size = ops.mean(weights * values)
            # Where every prediction is flat, or none is sure, there is nothing to rescale.
            rescale = ops.where(size > 0, ops.mean(weights * cross_entropy) / ops.where(size > 0, size, 1.0), 0.0)
            rescale = ops.stop_gradient(rescale)
        loss = ops.mean(weights * values) * rescale
        return {"loss": loss, "mask": mask, "pseudo_label": pseudo_label}

    def objective(self, y, labelled: dict, weak: list[dict], strong: dict, sample_weight=None) -> Objective:
        """The loss of a batch from the network's outputs.

        Args:
            y: ``distribution`` (B, C) and ``label`` (B,).
            labelled, strong: of `embed`, for the labelled images and the strong views.
            weak: of `embed`, for one or two weak views.
            sample_weight: (B,) or None; weighs the labelled samples.

        Returns:
            The loss and its terms; probabilities are those of the labelled images.
        """
        cross_entropy = -ops.sum(y["distribution"] * ops.log_softmax(labelled["logits"]), axis=-1)
        unlabelled = self.unlabelled_loss([view["logits"] for view in weak], strong["logits"])
        contrastive = ops.zeros(())
        if self.contrastive_weight:
            contrastive = nt_xent(
                weak[0]["embedding"], weak[1]["embedding"], self.temperature, ops.logical_not(unlabelled["mask"])
            )
        logs = {
            "labelled": weighted_batch_mean(cross_entropy, sample_weight),
            "unlabelled": unlabelled["loss"],
            "contrastive": contrastive,
            "mask": ops.mean(ops.cast(unlabelled["mask"], "float32")),
        }
        loss = (
            self.labelled_weight * logs["labelled"]
            + self.unlabelled_weight * logs["unlabelled"]
            + self.contrastive_weight * logs["contrastive"]
            + self.balance_weight * labelled["balance_loss"]
        )
        return Objective(loss, ops.softmax(labelled["logits"]), logs)

    # -- training ----------------------------------------------------------------------------------------------

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        views = [*("weak_a", "weak_b")[: self.weak_views], "strong"]
        missing = [name for name in views if name not in x]
        if missing:
            raise ValueError(
                f"{self.name}: batches lack {', '.join(missing)}: it learns from unlabelled images too; name the "
                "samples that keep their labels in data.labelled (fer-tfrecords add-labelled-subset)"
            )
        parts = [x["image"], *(x[name] for name in views)]
        # One pass for all: BatchNorm sees labelled and unlabelled images together.
        outputs = self.embed(ops.concatenate(parts, axis=0), training=True)
        sizes = [tf.shape(part)[0] for part in parts]
        split = {name: tf.split(outputs[name], sizes) for name in ("embedding", "logits")}
        labelled, *weak, strong = ({name: rows[index] for name, rows in split.items()} for index in range(len(parts)))
        return self.objective(y, {**labelled, "balance_loss": outputs["balance_loss"]}, weak, strong, sample_weight)

    def after_step(self, x, y, objective: Objective) -> None:
        if self.ema_decay is not None:
            for teacher, live in zip(self._parts(teacher=True), self._parts(), strict=True):
                average_variables(teacher.weights, live.weights, self.ema_decay)
        if self.shrink:
            factor = 1.0 - self.shrink * ops.cast(self.optimizer.learning_rate, "float32")
            for part in self._parts():
                shrink_variables(part.weights, factor)
        if self.margin == "online":
            self.seen.assign(self.seen.value + sum_replicas(correct_confidence(y["label"], objective.probs))[0])

    def end_epoch(self, epoch: int) -> None:
        if self.margin == "online":
            self.thresholds.measure(*self.seen.value, epoch)
            self.seen.assign(ops.zeros_like(self.seen.value))

    def read_training_set(self, batches) -> None:
        """Makes new thresholds from a pass of the averaged network over the labelled images.

        Args:
            batches: pairs of x with ``image`` and y with ``label``.
        """
        total = np.zeros((2, self.num_classes), np.float32)
        for x, y in batches:
            total += np.asarray(self._measure(x["image"], y["label"]))
        self.thresholds.measure(*total, int(self.epoch))

    @tf.function(reduce_retracing=True)
    def _measure(self, images, labels):
        return correct_confidence(labels, self.forward(images)["probs"])

    def get_config(self) -> dict:
        names = (
            "experts instance_level category_level mask_mode cover max_positives weak_views labelled_weight "
            "unlabelled_weight contrastive_weight balance_weight temperature margin floor scale ema_decay shrink"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
