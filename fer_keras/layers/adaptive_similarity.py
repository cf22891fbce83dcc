"""The calibration network of LDLVA: how far a neighbour in the valence-arousal plane is to be trusted."""

import keras
from keras import ops

SCORE_FLOOR = -1.3
"""Lower bound of the score in the released code: no calibration falls below ``sigmoid(-1.3)`` = 0.214."""


@keras.saving.register_keras_serializable(package="fer_keras")
class AdaptiveSimilarity(keras.layers.Layer):
    """Calibration score of each neighbour, Le et al., WACV 2023, equation (3): ``sigmoid(g([v_i, v_k]))``.

    ``g`` is a network of widths 512, 256 and 1 on the features of the sample and of its neighbour.

    Args:
        fidelity: ``"paper"``: LayerNorm after the first two layers; ``"official"`` (released code): BatchNorm, and
            the score is clamped from below at -1.3.
        widths: widths of the two hidden layers.
        floor: lower bound of the score in official mode.

    Call arguments:
        features: (B, V) features of the samples.
        neighbor_features: (B, K, V) features of their neighbours.
        training: whether BatchNorm uses batch statistics.

    Returns:
        (B, K) calibration scores in (0, 1), float32.

    Example:
        >>> layer = AdaptiveSimilarity()
        >>> layer(keras.ops.zeros((2, 16)), keras.ops.zeros((2, 5, 16))).shape
        TensorShape([2, 5])
    """

    def __init__(
        self, fidelity: str = "official", widths: tuple[int, int] = (512, 256), floor: float = SCORE_FLOOR, **kwargs
    ):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.fidelity = fidelity
        self.widths = tuple(widths)
        self.floor = floor
        norm = keras.layers.LayerNormalization if fidelity == "paper" else keras.layers.BatchNormalization
        self.hidden = [
            keras.layers.Dense(width, kernel_initializer="he_normal", dtype=self.dtype_policy, name=f"dense_{i}")
            for i, width in enumerate(self.widths, start=1)
        ]
        self.norms = [norm(epsilon=1e-3, dtype=self.dtype_policy, name=f"norm_{i}") for i in (1, 2)]
        self.score = keras.layers.Dense(1, kernel_initializer="he_normal", dtype=self.dtype_policy, name="dense_3")

    def build(self, features_shape, neighbor_features_shape):
        shape = (*neighbor_features_shape[:2], features_shape[-1] + neighbor_features_shape[-1])
        for dense, norm in zip(self.hidden, self.norms):
            dense.build(shape)
            shape = dense.compute_output_shape(shape)
            norm.build(shape)
        self.score.build(shape)

    def raw_score(self, features, neighbor_features, training=False):
        """The score ``g([v_i, v_k])`` before the clamp and the sigmoid, (B, K)."""
        shape = ops.shape(neighbor_features)
        own = ops.broadcast_to(features[:, None, :], shape)
        x = ops.concatenate([own, neighbor_features], axis=-1)
        for dense, norm in zip(self.hidden, self.norms):
            x = ops.relu(norm(dense(x), training=training))
        return ops.squeeze(self.score(x), axis=-1)

    def call(self, features, neighbor_features, training=False):
        score = self.raw_score(features, neighbor_features, training=training)
        if self.fidelity == "official":
            score = ops.maximum(score, self.floor)
        return ops.sigmoid(score)

    def get_config(self) -> dict:
        return {**super().get_config(), "fidelity": self.fidelity, "widths": self.widths, "floor": self.floor}
