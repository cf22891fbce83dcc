"""Where LEAF's experts stand between pooled features and logits."""

from collections.abc import Callable

import keras
from keras import ops

from fer_keras.layers.expression_aware_aggregation import ExpressionAwareAggregation

INSTANCE_LEVELS = ("feature", "logits")


@keras.saving.register_keras_serializable(package="fer_keras")
class ExpressionLevels(keras.layers.Layer):
    """Semantic experts on the features, then instance experts on what comes of them.

    With h the features and W the classifier: ``u = E_sem(h)``, ``z = u / |u|``. Instance level ``feature`` (released
    code): ``o = W E_inst(z)``; ``logits`` (the paper's figure): ``o = E_inst(W u)``.

    Args:
        feature_width: D.
        num_classes: C.
        experts: arguments of `ExpressionAwareAggregation`, for both levels.
        instance_level: ``feature``, ``logits``, or None for semantic experts alone.

    Call arguments:
        features: (B, D).
        training: whether the gates' noise is added.

    Returns:
        (B, D) what the classifier reads: ``E_inst(z)``, or u.

    Raises:
        ValueError: an unknown level.

    Example:
        >>> levels = ExpressionLevels(feature_width=16, num_classes=7, experts={"num_experts": 4})
        >>> levels(ops.ones((2, 16))).shape
        TensorShape([2, 16])
    """

    def __init__(
        self,
        feature_width: int,
        num_classes: int,
        experts: dict | None = None,
        instance_level: str | None = "feature",
        **kwargs,
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if instance_level is not None and instance_level not in INSTANCE_LEVELS:
            wanted = ", ".join(INSTANCE_LEVELS)
            raise ValueError(f"instance_level: {instance_level!r}; wanted null or one of: {wanted}")
        self.feature_width = feature_width
        self.num_classes = num_classes
        self.expert_options = dict(experts or {})
        self.instance_level = instance_level
        self.semantic = ExpressionAwareAggregation(**self.expert_options, name="semantic")
        self.semantic.build((None, feature_width))
        self.instance = None
        if instance_level is not None:
            self.instance = ExpressionAwareAggregation(**self.expert_options, name="instance")
            self.instance.build((None, feature_width if instance_level == "feature" else num_classes))
        self.built = True

    def outputs(self, features, classify: Callable, training: bool = False) -> dict:
        """Embedding, logits and balance loss of features.

        Args:
            features: (B, D).
            classify: (B, D) -> (B, C) logits.
            training: whether the gates' noise is added.

        Returns:
            ``embedding`` (B, D) of unit length, ``logits`` (B, C), ``balance_loss``, the sum over the levels.
        """
        meaning, balance = self.semantic.aggregate(features, training=training)
        embedding = unit_length(meaning)
        if self.instance_level == "feature":
            refined, own = self.instance.aggregate(embedding, training=training)
            return {"embedding": embedding, "logits": classify(refined), "balance_loss": balance + own}
        logits = classify(meaning)
        if self.instance_level == "logits":
            logits, own = self.instance.aggregate(logits, training=training)
            balance = balance + own
        return {"embedding": embedding, "logits": logits, "balance_loss": balance}

    def call(self, features, training=False):
        features = self.semantic(features, training=training)
        if self.instance_level == "feature":
            return self.instance(unit_length(features), training=training)
        return features

    def refine(self, logits):
        """Logits (B, C) after the instance experts, where these stand behind the classifier."""
        return self.instance(logits) if self.instance_level == "logits" else logits

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "feature_width": self.feature_width,
            "num_classes": self.num_classes,
            "experts": self.expert_options,
            "instance_level": self.instance_level,
        }


def unit_length(features):
    """Features (B, D) divided by their length."""
    length = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    return features / ops.maximum(length, 1e-12)
