"""What every training method shares."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from fer_keras.emotions import UNLABELLED, canonical_name
from fer_keras.layers.expression_levels import ExpressionLevels
from fer_keras.layers.replica import num_replicas
from fer_keras.losses.soft_cross_entropy import soft_cross_entropy, weighted_batch_mean
from fer_keras.methods.epoch_hooks import with_epoch_hooks


@dataclasses.dataclass
class Objective:
    """What a method's training loss returns.

    Args:
        loss: scalar, the mean over this replica's samples of what is to be minimised.
        probs: (B, C) predictions for the batch, for the metrics.
        logs: further scalars to show, by the names in `Method.diagnostics`.
        state: tensors that `Method.after_step` needs.
    """

    loss: tf.Tensor
    probs: tf.Tensor
    logs: dict[str, tf.Tensor] = dataclasses.field(default_factory=dict)
    state: dict[str, tf.Tensor] = dataclasses.field(default_factory=dict)


def aggregation_options(aggregation: str | dict) -> dict:
    """Arguments of the experts that the option ``aggregation`` asks for: those of LEAF, or a section of its own.

    Raises:
        ValueError: another word than ``leaf``.

    Example:
        >>> aggregation_options("leaf"), aggregation_options({"num_experts": 4})
        ({}, {'num_experts': 4})
    """
    if isinstance(aggregation, str) and aggregation != "leaf":
        raise ValueError(f"aggregation: {aggregation!r}; wanted leaf, a section of options, or null")
    return {} if aggregation == "leaf" else dict(aggregation)


@keras.saving.register_keras_serializable(package="fer_keras")
class Method(keras.Model):
    """Base class of the training methods: a backbone, a classifier, and one training step.

    A subclass implements `training_loss`, its equations, and `after_step` where it keeps tables. This class owns the
    rest: gradient tape, loss scaling under a ``tf.distribute`` strategy and under mixed precision, metrics, the guard
    against NaN, and `inference_model`. A method works with plain ``compile``, ``fit`` and stock Keras callbacks.

    Args:
        backbone: functional model, pixels 0..255 (B, H, W, 3) -> feature map (B, h, w, V).
        class_names: the C classes, in the order of the label indices.
        dropout: dropout rate between the pooled features and the classifier.
        aggregation: None; ``leaf``: pooled features pass through LEAF's expression-aware aggregation (both levels, as
            its released code places them); or the arguments of
            `fer_keras.layers.expression_aware_aggregation.ExpressionAwareAggregation`.

    Call arguments:
        inputs: images (B, H, W, 3), pixels 0..255, or a dict that holds them under ``"image"``.

    Returns:
        (B, C) class probabilities, float32.

    Raises:
        ValueError: images of another size than the backbone's.
    """

    uses_sample_table = False
    """Whether the constructor takes ``num_samples``, the number of training samples."""

    uses_valence_arousal = False
    """Whether batches must hold ``y["valence_arousal"]`` (B, 2) float32, NaN = unknown."""

    uses_unlabelled = False
    """Whether batches must hold views of unlabelled images: ``weak_a``, ``weak_b`` and ``strong`` (U, H, W, 3)."""

    uses_candidates = False
    """Whether batches must hold ``y["candidates"]`` (B, C) float32, a distribution over each candidate set."""

    accepts_unlabelled = False
    """Whether samples without a label (-1) may be among the training samples."""

    learns_distributions = False
    """Whether ``y["distribution"]`` is all that the loss reads of the labels: with ``data.targets: votes``, a sample
    whose votes name no single label is then as good as any other."""

    learns_candidates = False
    """Whether candidate sets, where batches hold them, are all that the loss reads of the labels."""

    accepts_mixed_samples = False
    """Whether images may be mixed with others, and their distributions with them (MixUp and the like). Not where the
    method keeps something for each sample, or needs its one label: one image is then one ``sample_id``."""

    accepts_crops = False
    """Whether several rows of a batch may be crops of the same sample. Not where the method keeps something for each
    sample, or compares the samples of a batch."""

    uses_epoch = False
    """Whether something depends on the epoch: its number, from 1 on, is then the weight `epoch`."""

    training_set_pass: str | None = None
    """None, or how `read_training_set` wants the training images after each epoch: ``"clean"`` or ``"augmented"``."""

    diagnostics: tuple[str, ...] = ()
    """Names of scalars that the method logs beside loss and accuracy, as means over the epoch."""

    def __init__(
        self,
        backbone: keras.Model,
        class_names: Sequence[str],
        *,
        dropout: float = 0.0,
        aggregation: str | dict | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.class_names = tuple(canonical_name(name) for name in class_names)
        self.dropout_rate = dropout
        self.pool = keras.layers.GlobalAveragePooling2D(name="features", dtype="float32")
        self.dropout = keras.layers.Dropout(dropout)
        self.classifier = self.build_classifier()
        self.aggregation = aggregation
        self.aggregation_levels = self._aggregation_levels()
        self.built = True  # every part is built here, so weights can be counted, loaded and restored at once
        if self.uses_epoch:
            self.epoch = self.add_weight((), "ones", trainable=False, name="epoch", aggregation="only_first_replica")
        self._accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        self._diagnostics = {name: keras.metrics.Mean(name=name) for name in self.diagnostics}

    def build_classifier(self, name: str = "classifier") -> keras.layers.Layer:
        """A layer from features (B, V) to logits (B, C), built; the constructor makes `classifier` by it."""
        classifier = keras.layers.Dense(self.num_classes, kernel_initializer="he_normal", name=name, dtype="float32")
        classifier.build((None, self.feature_width))
        return classifier

    @property
    def feature_width(self) -> int:
        """V, the width of the pooled features."""
        return self.backbone.output_shape[-1]

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of the images that the method takes."""
        return tuple(self.backbone.input_shape[1:3])

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.class_names)

    def forward(self, images, training: bool = False) -> dict:
        """Features, logits and probabilities of images.

        Args:
            images: (B, H, W, 3), pixels 0..255, any numeric dtype.
            training: whether dropout is active and BatchNorm uses batch statistics.

        Returns:
            ``features`` (B, V), ``logits`` (B, C) and ``probs`` (B, C), float32.
        """
        self._check_images(images)
        features = self.extract_features(ops.cast(images, "float32"), training=training)
        logits = self.logits(self.dropout(features, training=training))
        return {"features": features, "logits": logits, "probs": ops.softmax(logits)}

    def extract_features(self, pixels, training: bool = False):
        """Features (B, V) float32 of pixels (B, H, W, 3) float32; of symbolic ones as well, for `inference_model`."""
        return self.pooled(self.backbone(pixels, training=training), training=training)

    def pooled(self, feature_map, training: bool = False):
        """Features (B, V) float32 of a feature map (B, h, w, V), `aggregated`."""
        return self.aggregated(self.pool(feature_map), training=training)

    def aggregated(self, features, training: bool = False):
        """Features (B, V) after the experts that `aggregation` asks for; the same features without."""
        return features if self.aggregation_levels is None else self.aggregation_levels(features, training=training)

    def _aggregation_levels(self) -> ExpressionLevels | None:
        if self.aggregation is None:
            return None
        experts = aggregation_options(self.aggregation)
        return ExpressionLevels(self.feature_width, self.num_classes, experts, name="aggregation")

    def logits(self, features):
        """Logits (B, C) float32 of features (B, V); of symbolic ones as well, for `inference_model`."""
        return self.classifier(features)

    def _check_images(self, images) -> None:
        if tuple(images.shape[1:]) != (*self.image_size, 3):
            height, width = self.image_size
            raise ValueError(
                f"{self.name}: images of shape {tuple(images.shape)}; wanted (batch, {height}, {width}, 3), "
                "pixels 0..255 (set data.image_size, or resize with fer_keras.data.preprocessing)"
            )

    def call(self, inputs, training=False):
        images = inputs["image"] if isinstance(inputs, dict) else inputs
        return self.forward(images, training=training)["probs"]

    def training_loss(self, x: dict, y: dict, sample_weight=None) -> Objective:
        """The method's loss for a batch; called under the gradient tape.

        Args:
            x: inputs of the batch (``image``, ``sample_id``, ...; docs/architecture.md, Batches).
            y: ``label`` (B,) and ``distribution`` (B, C), the given label as a distribution.
            sample_weight: (B,) or None.

        Returns:
            The loss, the predictions, and what `after_step` needs.
        """
        raise NotImplementedError(f"{type(self).__name__} must define training_loss(x, y, sample_weight)")

    def after_step(self, x: dict, y: dict, objective: Objective) -> None:
        """Updates of tables after the weights have moved; nothing by default."""

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, *args, **kwargs):
        """As `keras.Model.fit`, with `begin_epoch` and `end_epoch` called."""
        callbacks = with_epoch_hooks(self, callbacks)
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **kwargs)

    def begin_epoch(self, epoch: int) -> None:
        """Called by ``fit`` before the first step of an epoch, counted from 1."""
        if self.uses_epoch:
            self.epoch.assign(epoch)

    def end_epoch(self, epoch: int) -> None:
        """Called by ``fit`` after validation, before other callbacks; nothing by default."""

    def read_training_set(self, batches) -> None:
        """Called by `TrainingSetPass` after each epoch with an iterable of ``(x, y)``; nothing by default."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if self._compile_loss is not None:
            raise ValueError(f"{type(self).__name__} brings its own loss; leave `loss` out of compile()")
        with tf.GradientTape() as tape:
            objective = self.training_loss(x, y, sample_weight)
            # The optimizer sums gradients over replicas, so each contributes its share of the global mean.
            scaled = self.optimizer.scale_loss(objective.loss / num_replicas())
        tf.debugging.assert_all_finite(
            objective.loss, f"{self.name}: the loss is NaN or infinite; lower the learning rate or check the labels"
        )
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(scaled, weights), weights))
        self.after_step(x, y, objective)
        logs = self._update_metrics(objective, x, y, sample_weight)
        for name, metric in self._diagnostics.items():
            if name in objective.logs:
                metric.update_state(objective.logs[name])
            logs[name] = metric.result()
        return logs

    def test_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        probs = self(x, training=False)
        loss = weighted_batch_mean(soft_cross_entropy(y["distribution"], probs), sample_weight)
        return self._update_metrics(Objective(loss, probs), x, y, sample_weight)

    def _update_metrics(self, objective: Objective, x, y, sample_weight) -> dict:
        self._loss_tracker.update_state(objective.loss, sample_weight=ops.shape(objective.probs)[0])
        labelled = ops.cast(y["label"] != UNLABELLED, "float32")  # with votes as targets, some samples have no label
        counted = labelled if sample_weight is None else labelled * ops.cast(sample_weight, "float32")
        self._accuracy.update_state(y["label"], objective.probs, counted)
        logs = self.compute_metrics(x, y["label"], objective.probs, sample_weight)
        return {name: value for name, value in logs.items() if name not in self._diagnostics}

    def uncertainties(self) -> np.ndarray | None:
        """How doubtful each training sample's given label is, (N,) float32 by ``sample_id``; None if unknown."""
        return None

    def label_distributions(self, given, features, probs, neighbors=None) -> np.ndarray:
        """What training made of the given labels: a label distribution for every training sample.

        Args:
            given: (N, C) given labels as distributions.
            features, probs: (N, V) and (N, C), the network's outputs for the training images as they are.
            neighbors: ``ids`` (N, K) and ``differences`` (N, K, 2), for methods that use neighbours.

        Returns:
            (N, C) float32, by ``sample_id``. Unless a method says otherwise: the predictions.
        """
        return np.asarray(probs, np.float32)

    def inference_model(self) -> keras.Model:
        """The classifier alone, as a functional model with nothing of the training left in it.

        Returns:
            ``image`` (N, H, W, 3) uint8 -> the outputs of `inference_outputs`, sharing this model's weights.
        """
        image = keras.Input((*self.image_size, 3), dtype="uint8", name="image")
        features = self.extract_features(keras.layers.Rescaling(1.0, dtype="float32", name="pixels")(image))
        return keras.Model(image, self.inference_outputs(features), name=self.name)

    def inference_outputs(self, features) -> dict:
        """What the inference model says of an image, from its features.

        Args:
            features: (N, V), symbolic.

        Returns:
            ``probs`` (N, C) and ``features`` (N, V).
        """
        probs = keras.layers.Softmax(name="probs", dtype="float32")(self.logits(features))
        return {"probs": probs, "features": features}

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "name": self.name,
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "class_names": list(self.class_names),
            "dropout": self.dropout_rate,
            "aggregation": self.aggregation,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"], custom_objects=custom_objects)
        return cls(**config)
