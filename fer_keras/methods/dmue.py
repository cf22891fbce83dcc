"""DMUE: branches that each ignore one class find out what its samples look like besides.

She et al., "Dive into Ambiguity: Latent Distribution Mining and Pairwise Uncertainty Estimation for Facial Expression
Recognition", CVPR 2021, as released.
"""

import keras
import numpy as np
from keras import ops

from fer_keras.backbones.branches import copy_branch, split_backbone
from fer_keras.layers.pairwise_confidence import PairwiseConfidence
from fer_keras.layers.sample_average import SampleAverage
from fer_keras.losses.latent_distribution import (
    branch_cross_entropy,
    latent_distance,
    latent_distribution,
    similarity_distance,
)
from fer_keras.losses.ramps import ramp_down, ramp_up
from fer_keras.losses.soft_cross_entropy import soft_cross_entropy, weighted_batch_mean
from fer_keras.methods.base import Method, Objective

STEEPNESS = 5.0
"""Of the rising ramp."""


@keras.saving.register_keras_serializable(package="fer_keras")
class DMUE(Method):
    """Distribution mining and uncertainty estimation.

    Behind a shared trunk, C auxiliary branches and a target branch have a last stage and a classifier of their own.
    Auxiliary branch c learns from the samples that are not of class c, with C - 1 outputs; what it says of a sample of
    class c is that sample's latent distribution. ``L = up(e) (L_ce + w L_soft + gamma L_sp) + down(e) L_aux``:

    - L_ce: cross-entropy of ``s z``, logits scaled by the confidence s of `PairwiseConfidence`;
    - L_soft: `latent_distance` of the target's prediction and the sharpened latent distribution;
    - L_sp: `similarity_distance` of the branches and the target;
    - L_aux: `branch_cross_entropy`;
    - up rises with ``exp(-5 (1 - e/a)^2)`` to 1 at epoch a, where down begins to fall (`ramp_up`, `ramp_down`; the
      first epoch is e = 0).

    Batches should hold two samples of every class: ``data.sampler: class_aware``. At test time the target branch alone
    is left. With several replicas, samples are compared within each replica's share of the batch.

    Args:
        backbone, class_names: as for `Method`.
        dropout: rate between the pooled features and the necks; 0.5 as released.
        num_samples: N, the number of training samples.
        stage: the last layer of the trunk; what comes behind it is copied for each class.
        ramp_epochs: a.
        soft_weight: w.
        similarity_weight: gamma.
        temperature: T of the sharpening, above 0.
        uncertainty_momentum: m of the average ``u <- m u + (1 - m) (1 - s)`` that is kept of each sample.

    Raises:
        StageError: the backbone cannot be cut behind `stage`.
        ValueError: a value out of range, or fewer than three classes.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = DMUE(build_backbone("fer_mini", (48, 48)), EMOTIONS, num_samples=1000, stage="stage3")
        >>> model.compile("adam")
    """

    uses_sample_table = True
    uses_epoch = True
    diagnostics = ("target", "soft", "similarity", "auxiliary", "confidence")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        num_samples: int,
        stage: str = "stage3",
        ramp_epochs: float = 9.0,
        soft_weight: float = 0.5,
        similarity_weight: float = 1000.0,
        temperature: float = 1.2,
        uncertainty_momentum: float = 0.9,
        **kwargs,
    ):
        super().__init__(backbone, class_names, **kwargs)
        if self.num_classes < 3:
            raise ValueError(f"dmue: {self.num_classes} classes; a branch without one of them needs two others")
        for name, value in (("ramp_epochs", ramp_epochs), ("temperature", temperature)):
            if value <= 0:
                raise ValueError(f"{name}: {value}; wanted a value above 0")
        for name, value in (("soft_weight", soft_weight), ("similarity_weight", similarity_weight)):
            if value < 0:
                raise ValueError(f"{name}: {value}; wanted 0 or more")
        self.num_samples = num_samples
        self.stage = stage
        self.ramp_epochs = ramp_epochs
        self.soft_weight = soft_weight
        self.similarity_weight = similarity_weight
        self.temperature = temperature
        self.uncertainty_momentum = uncertainty_momentum
        trunk, branch = split_backbone(backbone, stage)
        # The backbone owns these layers: a function hides the two models, so that nothing is saved twice.
        self._split = lambda: (trunk, branch)
        self.neck = self._build_neck("neck")
        self.auxiliary_branches = [copy_branch(branch, f"auxiliary{c}") for c in range(self.num_classes)]
        self.auxiliary_necks = [self._build_neck(f"auxiliary{c}_neck") for c in range(self.num_classes)]
        self.auxiliary_classifiers = [
            keras.layers.Dense(self.num_classes - 1, name=f"auxiliary{c}_classifier", dtype="float32")
            for c in range(self.num_classes)
        ]
        for classifier in self.auxiliary_classifiers:
            classifier.build((None, self.feature_width))
        self.confidence = PairwiseConfidence(self.num_classes, name="confidence")
        self.confidence.build((None, self.feature_width))
        self.sample_uncertainties = SampleAverage(num_samples, uncertainty_momentum, name="sample_uncertainties")

    def _build_neck(self, name: str) -> keras.layers.BatchNormalization:
        neck = keras.layers.BatchNormalization(center=False, momentum=0.9, epsilon=1e-5, name=name, dtype="float32")
        neck.build((None, self.feature_width))
        return neck

    def logits(self, features):
        """Logits (B, C) of features (B, V) as at test time, through the neck."""
        return self.classifier(self.neck(features, training=False))

    def forward(self, images, training: bool = False) -> dict:
        """As `Method.forward`, of the target branch."""
        self._check_images(images)
        features = self.extract_features(ops.cast(images, "float32"), training=training)
        return self._classify(features, training)

    def _classify(self, features, training: bool) -> dict:
        embedded = self.neck(self.dropout(features, training=training), training=training)
        logits = self.classifier(embedded)
        return {"features": features, "embedded": embedded, "logits": logits, "probs": ops.softmax(logits)}

    def forward_branches(self, images) -> dict:
        """The outputs of all branches for a batch, in training mode.

        Args:
            images: (B, H, W, 3), pixels 0..255.

        Returns:
            Of the target ``features`` and ``embedded`` (B, V), before and behind the neck, ``logits`` and ``probs``
            (B, C); of the auxiliary branches ``branch_logits`` and, without dropout, ``latent_logits`` (B, C, C - 1).
        """
        self._check_images(images)
        trunk, target = self._split()
        maps = trunk(ops.cast(images, "float32"), training=True)
        branch_logits, latent_logits = [], []
        for branch, neck, classifier in zip(self.auxiliary_branches, self.auxiliary_necks, self.auxiliary_classifiers):
            features = self.pooled(branch(maps, training=True), training=True)
            branch_logits.append(classifier(neck(self.dropout(features, training=True), training=True)))
            latent_logits.append(classifier(neck(features, training=True)))
        return {
            **self._classify(self.pooled(target(maps, training=True), training=True), training=True),
            "branch_logits": ops.stack(branch_logits, axis=1),
            "latent_logits": ops.stack(latent_logits, axis=1),
        }

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        return self.objective(y, self.forward_branches(x["image"]), sample_weight)

    def objective(self, y, outputs: dict, sample_weight=None) -> Objective:
        """The loss of a batch from the network's outputs.

        Args:
            y: ``label`` (B,) and ``distribution`` (B, C).
            outputs: of `forward_branches`.
            sample_weight: (B,) or None; the similarities between samples are not weighted.

        Returns:
            The loss, its terms, and the confidences.
        """
        labels, probs = y["label"], outputs["probs"]
        weights = ops.ones_like(probs[:, 0]) if sample_weight is None else ops.cast(sample_weight, "float32")
        confidence = self.confidence(outputs["features"], labels)
        latent = latent_distribution(outputs["latent_logits"], labels, self.temperature)
        scaled = ops.softmax(confidence * outputs["logits"])
        terms = {
            "target": weighted_batch_mean(soft_cross_entropy(y["distribution"], scaled), weights),
            "soft": weighted_batch_mean(latent_distance(probs, labels, latent), weights),
            "similarity": similarity_distance(outputs["branch_logits"], outputs["embedded"], labels),
            "auxiliary": branch_cross_entropy(outputs["branch_logits"], labels, weights),
        }
        epoch = ops.convert_to_tensor(self.epoch) - 1.0
        mined = terms["target"] + self.soft_weight * terms["soft"] + self.similarity_weight * terms["similarity"]
        loss = ramp_up(epoch, self.ramp_epochs, STEEPNESS) * mined
        loss = loss + ramp_down(epoch, self.ramp_epochs) * terms["auxiliary"]
        state = {"confidence": ops.stop_gradient(confidence[:, 0]), "latent": latent}
        return Objective(loss, probs, {**terms, "confidence": ops.mean(confidence)}, state)

    def after_step(self, x, y, objective: Objective) -> None:
        self.sample_uncertainties.update(x["sample_id"], 1.0 - objective.state["confidence"])

    def uncertainties(self) -> np.ndarray:
        """One minus the average confidence of every training sample, (N,) float32; 1 where it was never seen."""
        return self.sample_uncertainties.averages(unseen=1.0)

    def get_config(self) -> dict:
        names = "num_samples stage ramp_epochs soft_weight similarity_weight temperature uncertainty_momentum"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
