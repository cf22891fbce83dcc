"""Which patches of an image are hidden: a random choice for each sample, and the way back to their order."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="fer_keras")
class RandomMasking(keras.layers.Layer):
    """Keeps a random part of the tokens of each sample (He et al., 2022).

    The tokens are ordered by noise; those with the least are kept. The same noise gives the same choice.

    Args:
        ratio: share of the tokens that is hidden, above 0 and below 1; of N tokens N - round(ratio * N) are kept.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        tokens: (B, N, V).
        noise: (B, N) float.

    Returns:
        The kept tokens (B, n, V) in the order of their noise; the mask (B, N) float32, 1 = hidden; and ``restore``
        (B, N) int32: where each token lies among the kept ones followed by the hidden ones.

    Raises:
        ValueError: `ratio` is out of range, or leaves nothing to hide or nothing to see.

    Example:
        >>> import numpy as np
        >>> tokens, noise = np.array([[[10.0], [20.0], [30.0], [40.0]]]), np.array([[0.7, 0.1, 0.9, 0.4]])
        >>> kept, mask, restore = RandomMasking(0.5)(tokens, noise)
        >>> kept[0, :, 0].numpy().tolist(), mask[0].numpy().tolist(), restore[0].numpy().tolist()
        ([20.0, 40.0], [1.0, 0.0, 1.0, 0.0], [2, 0, 3, 1])
    """

    def __init__(self, ratio: float = 0.75, **kwargs):
        super().__init__(**kwargs)
        if not 0 < ratio < 1:
            raise ValueError(f"the share of masked patches should be above 0 and below 1, not {ratio}")
        self.ratio = ratio
        self.built = True

    def kept(self, count: int) -> int:
        """How many of `count` tokens are kept.

        Raises:
            ValueError: none would be kept, or none hidden.
        """
        kept = count - round(self.ratio * count)
        if not 0 < kept < count:
            raise ValueError(f"a mask ratio of {self.ratio} keeps {kept} of {count} patches; some should be hidden")
        return kept

    def call(self, tokens, noise):
        kept = self.kept(tokens.shape[1])
        order = ops.argsort(noise, axis=-1)
        restore = ops.argsort(order, axis=-1)
        mask = ops.cast(restore >= kept, "float32")
        return select_tokens(tokens, order[:, :kept]), mask, ops.cast(restore, "int32")

    def get_config(self) -> dict:
        return {**super().get_config(), "ratio": self.ratio}


def select_tokens(tokens, indices):
    """Tokens (B, n, V) of (B, N, V) by indices (B, n) of each sample."""
    return ops.take_along_axis(tokens, indices[..., None], axis=1)
