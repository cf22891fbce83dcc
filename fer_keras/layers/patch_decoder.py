"""The light decoder of a masked autoencoder."""

import keras
from keras import ops

from fer_keras.layers.random_masking import select_tokens
from fer_keras.layers.sincos_positions import SinCosPositions
from fer_keras.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable(package="fer_keras")
class PatchDecoder(keras.layers.Layer):
    """From the encoded tokens that were seen to the pixels of all patches (He et al., 2022).

    Projects the tokens to its own width, puts one learnt vector in place of every hidden token, brings all into the
    order of the image, adds positions, and ends in transformer blocks, a normalization and a dense layer.

    Args:
        grid: (h, w), the patches in each direction.
        outputs: D, values of a patch.
        width: width of the decoder, a multiple of 4 and of `heads`.
        depth: number of blocks.
        heads: attention heads of a block.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        tokens: (B, n, V) encoded tokens, n < h * w.
        restore: (B, h * w) int32, of `RandomMasking`.
        training: passed on to the blocks.

    Returns:
        (B, h * w, D) float32.
    """

    def __init__(self, grid: tuple[int, int], outputs: int, width: int = 128, depth: int = 4, heads: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.grid = tuple(grid)
        self.outputs = outputs
        self.width = width
        self.depth = depth
        self.heads = heads

    def build(self, input_shape):
        rows, columns = self.grid
        common, everywhere = {"dtype": self.dtype_policy}, (None, rows * columns, self.width)
        self.embedding = keras.layers.Dense(self.width, name="embedding", **common)
        self.embedding.build(input_shape)
        self.mask_token = self.add_weight(
            (1, 1, self.width), keras.initializers.RandomNormal(stddev=0.02), name="mask_token"
        )
        self.positions = SinCosPositions(name="positions", **common)
        self.positions.build((None, rows, columns, self.width))
        self.blocks = [TransformerBlock(self.heads, name=f"block{i}", **common) for i in range(1, self.depth + 1)]
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6, name="norm", **common)
        self.pixels = keras.layers.Dense(self.outputs, name="pixels", dtype="float32")
        for layer in (*self.blocks, self.norm, self.pixels):
            layer.build(everywhere)
        super().build(input_shape)

    def call(self, tokens, restore, training=False):
        rows, columns = self.grid
        x = self.embedding(tokens)
        batch, hidden = ops.shape(x)[0], rows * columns - x.shape[1]
        masks = ops.broadcast_to(ops.cast(self.mask_token, x.dtype), (batch, hidden, self.width))
        x = select_tokens(ops.concatenate([x, masks], axis=1), restore)
        x = self.positions(ops.reshape(x, (-1, rows, columns, self.width)))
        x = ops.reshape(x, (-1, rows * columns, self.width))
        for block in self.blocks:
            x = block(x, training=training)
        return self.pixels(self.norm(x))

    def get_config(self) -> dict:
        options = {"width": self.width, "depth": self.depth, "heads": self.heads}
        return {**super().get_config(), "grid": self.grid, "outputs": self.outputs, **options}
