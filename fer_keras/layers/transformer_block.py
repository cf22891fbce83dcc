"""A block of a Vision Transformer: attention among patches, then a small network for each patch."""

import keras


@keras.saving.register_keras_serializable(package="fer_keras")
class TransformerBlock(keras.layers.Layer):
    """A pre-norm transformer block (Dosovitskiy et al., 2021): x + A(N(x)), then x + M(N(x)).

    A is multi-head self-attention, M two dense layers with a GELU between them, N layer normalization with epsilon
    1e-6. In training, each of the two additions is left out for a random share of the samples and scaled up for the
    others (stochastic depth, Huang et al., 2016). The number of tokens is free: weights do not depend on it.

    Args:
        heads: attention heads; they share the width evenly.
        mlp_ratio: width of M's hidden layer, as a multiple of V.
        drop_path: share of the samples for which an addition is left out.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        tokens: (B, N, V) float.
        training: whether additions are left out.

    Returns:
        (B, N, V).

    Raises:
        ValueError: V is not a multiple of `heads`.

    Example:
        >>> import numpy as np
        >>> TransformerBlock(heads=2)(np.zeros((3, 5, 8), "float32")).shape
        TensorShape([3, 5, 8])
    """

    def __init__(self, heads: int, mlp_ratio: float = 4.0, drop_path: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads
        self.mlp_ratio = mlp_ratio
        self.drop_path = drop_path

    def build(self, input_shape):
        width = input_shape[-1]
        if width % self.heads:
            raise ValueError(f"a width of {width} cannot be shared by {self.heads} attention heads")
        common = {"dtype": self.dtype_policy}
        # Glorot's limit for a square matrix; Keras would take the heads' axis for a part of the kernel's size.
        limit = (3 / width) ** 0.5
        initializer = keras.initializers.RandomUniform(-limit, limit)
        self.norm1 = keras.layers.LayerNormalization(epsilon=1e-6, name="norm1", **common)
        self.attention = keras.layers.MultiHeadAttention(
            self.heads, width // self.heads, kernel_initializer=initializer, name="attention", **common
        )
        self.norm2 = keras.layers.LayerNormalization(epsilon=1e-6, name="norm2", **common)
        self.expand = keras.layers.Dense(round(self.mlp_ratio * width), activation="gelu", name="expand", **common)
        self.contract = keras.layers.Dense(width, name="contract", **common)
        # One decision for all tokens of a sample.
        self.drop = keras.layers.Dropout(self.drop_path, noise_shape=(None, 1, 1), name="drop", **common)
        for layer in (self.norm1, self.norm2, self.expand):
            layer.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.contract.build((*input_shape[:-1], self.expand.units))
        super().build(input_shape)

    def call(self, tokens, training=False):
        normed = self.norm1(tokens)
        tokens = tokens + self.drop(self.attention(normed, normed, training=training), training=training)
        return tokens + self.drop(self.contract(self.expand(self.norm2(tokens))), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        options = {"heads": self.heads, "mlp_ratio": self.mlp_ratio, "drop_path": self.drop_path}
        return {**super().get_config(), **options}
