"""Ambiguity distillation: label distributions learned as they are, with an uncertainty and a teacher.

After a summary of "Rethinking the Learning Paradigm for Facial Expression Recognition" (arXiv 2209.15402) that names
label distributions, an uncertainty-aware loss and distillation of distributions. A re-implementation from that summary;
not verified against the authors' results.
"""

import keras
import numpy as np
from keras import ops

from fer_keras.backbones.branches import copy_branch
from fer_keras.layers.moving_average import average_variables
from fer_keras.layers.sample_average import SampleAverage
from fer_keras.losses.distribution_distillation import discounted_divergence, distillation_divergence
from fer_keras.losses.ramps import linear_ramp
from fer_keras.losses.soft_cross_entropy import smooth_labels, weighted_batch_mean
from fer_keras.methods.base import Method, Objective


@keras.saving.register_keras_serializable(package="fer_keras")
class AmbiguityDistillation(Method):
    """Distribution learning with an uncertainty head and a mean teacher.

    ``q`` is the distribution of a sample's votes, ``p = softmax(z)`` the prediction, ``u = softplus(w . v + b)`` the
    uncertainty read from its features. ``L = L_ldl + eta(e) L_kd``:

    - ``L_ldl = 1/B sum_i [ KL(q_i || p_i) / (1 + u_i) + 1/2 log(1 + u_i) ]`` (`discounted_divergence`);
    - ``L_kd = T^2 1/B sum_i KL(softmax(z^T_i / T) || softmax(z_i / T))`` (`distillation_divergence`), z^T the logits of
      the teacher, a copy of the network whose weights follow it after every step, ``a <- m a + (1 - m) w``;
    - eta rises from 0 in the first epoch to 1 after `ramp_epochs` more.

    The distribution is ``y["candidates"]`` if batches have it (``data.candidates``), else ``y["distribution"]``: the
    votes with ``data.targets: votes``, or the label. No label is ever made of it. Teacher and uncertainty head are
    stored with the method and are no part of its predictions.

    Args:
        backbone, class_names, dropout: as for `Method`; the teacher has no dropout of its own.
        num_samples: N, the number of training samples.
        label_smoothing: s in [0, 1]; ``q <- (1 - s) q + s / C``, which makes a distribution of a label.
        temperature: T, above 0.
        teacher_decay: m in [0, 1).
        ramp_epochs: length of eta's ramp; a fifth of the training.
        distillation_weight: factor of eta.
        uncertainty_momentum: m of the average ``<- m . + (1 - m) u / (1 + u)`` that is kept of each sample.

    Raises:
        ValueError: a value out of range.

    Example:
        >>> from fer_keras.backbones import build_backbone
        >>> from fer_keras.emotions import EMOTIONS
        >>> model = AmbiguityDistillation(build_backbone("fer_mini", (48, 48)), EMOTIONS, num_samples=1000)
        >>> model.compile("adam")
    """

    uses_sample_table = True
    uses_epoch = True
    learns_distributions = True
    learns_candidates = True
    diagnostics = ("divergence", "distillation", "uncertainty")

    def __init__(
        self,
        backbone,
        class_names,
        *,
        num_samples: int,
        label_smoothing: float = 0.0,
        temperature: float = 2.0,
        teacher_decay: float = 0.999,
        ramp_epochs: float = 8.0,
        distillation_weight: float = 1.0,
        uncertainty_momentum: float = 0.9,
        **kwargs,
    ):
        super().__init__(backbone, class_names, **kwargs)
        for name, value in (("temperature", temperature), ("ramp_epochs", ramp_epochs)):
            if value <= 0:
                raise ValueError(f"{name}: {value}; wanted a value above 0")
        if not 0.0 <= teacher_decay < 1.0:
            raise ValueError(f"teacher_decay: {teacher_decay}; wanted a value in [0, 1)")
        if distillation_weight < 0:
            raise ValueError(f"distillation_weight: {distillation_weight}; wanted 0 or more")
        self.num_samples = num_samples
        self.label_smoothing = label_smoothing
        self.temperature = temperature
        self.teacher_decay = teacher_decay
        self.ramp_epochs = ramp_epochs
        self.distillation_weight = distillation_weight
        self.uncertainty_momentum = uncertainty_momentum
        self.uncertainty_head = keras.layers.Dense(1, activation="softplus", name="uncertainty", dtype="float32")
        self.uncertainty_head.build((None, self.feature_width))
        self.teacher = copy_branch(backbone, "teacher")
        self.teacher_classifier = self.build_classifier("teacher_classifier")
        self.teacher_classifier.set_weights(self.classifier.get_weights())
        self.teacher.trainable = self.teacher_classifier.trainable = False
        self.teacher_levels = self._aggregation_levels()
        if self.teacher_levels is not None:
            self.teacher_levels.set_weights(self.aggregation_levels.get_weights())
            self.teacher_levels.trainable = False
        self.sample_uncertainties = SampleAverage(num_samples, uncertainty_momentum, name="sample_uncertainties")

    def teacher_logits(self, images):
        """Logits (B, C) of the teacher, in inference mode."""
        features = self.pool(self.teacher(ops.cast(images, "float32"), training=False))
        return self.teacher_classifier(features if self.teacher_levels is None else self.teacher_levels(features))

    def training_loss(self, x, y, sample_weight=None) -> Objective:
        outputs = self.forward(x["image"], training=True)
        uncertainty = self.uncertainty_head(outputs["features"])[:, 0]
        return self.objective(y, outputs["logits"], uncertainty, self.teacher_logits(x["image"]), sample_weight)

    def objective(self, y, logits, uncertainty, teacher_logits, sample_weight=None) -> Objective:
        """The loss of a batch from the outputs of both networks.

        Args:
            y: ``candidates`` or ``distribution`` (B, C).
            logits, teacher_logits: (B, C) z and z^T.
            uncertainty: (B,) u.
            sample_weight: (B,) or None.

        Returns:
            The loss, both terms, the mean uncertainty, and what `after_step` needs.
        """
        logits = ops.convert_to_tensor(logits)
        target = smooth_labels(ops.convert_to_tensor(y.get("candidates", y["distribution"])), self.label_smoothing)
        terms = {
            "divergence": weighted_batch_mean(discounted_divergence(target, logits, uncertainty), sample_weight),
            "distillation": weighted_batch_mean(
                distillation_divergence(teacher_logits, logits, self.temperature), sample_weight
            ),
        }
        eta = self.distillation_weight * linear_ramp(self.epoch, self.ramp_epochs, 0.0, 1.0)
        loss = terms["divergence"] + eta * terms["distillation"]
        logs = {**terms, "uncertainty": ops.mean(uncertainty)}
        return Objective(loss, ops.softmax(logits), logs, {"uncertainty": uncertainty})

    def after_step(self, x, y, objective: Objective) -> None:
        average_variables(self.teacher.weights, self.backbone.weights, self.teacher_decay)
        average_variables(self.teacher_classifier.weights, self.classifier.weights, self.teacher_decay)
        if self.teacher_levels is not None:
            average_variables(self.teacher_levels.weights, self.aggregation_levels.weights, self.teacher_decay)
        uncertainty = objective.state["uncertainty"]
        self.sample_uncertainties.update(x["sample_id"], uncertainty / (1.0 + uncertainty))

    def uncertainties(self) -> np.ndarray:
        """The average of ``u / (1 + u)`` of every training sample, (N,) float32 in [0, 1): by how much its divergence
        was discounted; 0.5 where a sample was never seen."""
        return self.sample_uncertainties.averages(unseen=0.5)

    def get_config(self) -> dict:
        names = (
            "num_samples label_smoothing temperature teacher_decay ramp_epochs distillation_weight uncertainty_momentum"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
