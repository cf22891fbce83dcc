"""Where a patch lies in the image, as fixed sines and cosines added to its features."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="fer_keras")
class SinCosPositions(keras.layers.Layer):
    """Adds a fixed two-dimensional sine-cosine code to a map of patches (He et al., 2022, section A).

    The first half of the channels codes the row, the second half the column, each as V/4 sines and then V/4 cosines of
    p / 10000^(4i / V), i = 0 .. V/4 - 1 (Vaswani et al., 2017). Nothing is learnt, so weights trained at one image
    size fit another.

    Call arguments:
        patches: (B, h, w, V) float, V a multiple of 4.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: V is not a multiple of 4.

    Example:
        >>> import numpy as np
        >>> SinCosPositions()(np.zeros((1, 1, 2, 4), "float32"))[0, 0, 0].numpy().tolist()
        [0.0, 1.0, 0.0, 1.0]
    """

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if channels % 4:
            raise ValueError(f"positions need a width that is a multiple of 4, not {channels}")
        frequencies = 10000.0 ** (-np.arange(channels // 4) / (channels // 4))

        def code(places: int) -> np.ndarray:
            angles = np.arange(places)[:, None] * frequencies
            return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

        shape = (height, width, channels // 2)
        rows, columns = code(height)[:, None], code(width)[None]
        self._table = np.concatenate([np.broadcast_to(rows, shape), np.broadcast_to(columns, shape)], axis=-1)
        super().build(input_shape)

    def call(self, patches):
        return patches + ops.convert_to_tensor(self._table[None], patches.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
