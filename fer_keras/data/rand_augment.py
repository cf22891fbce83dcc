"""RandAugment with the operations of `keras.layers.RandAugment`, chosen per image and stateless.

The stock layer chooses its operations once per batch, computes all eleven to keep a few, and draws from a
generator with state. Here each image has its own operations, each operation sees only its images, and every
random number comes from a given seed.
"""

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    import tensorflow as tf

OPERATIONS = (
    "random_shear",
    "random_translation",
    "random_rotation",
    "random_brightness",
    "random_color_degeneration",
    "random_contrast",
    "random_sharpness",
    "random_posterization",
    "solarization",
    "auto_contrast",
    "equalization",
)
"""Attributes of `keras.layers.RandAugment`, each a Keras layer."""


def fold_in(key: "tf.Tensor", number: "int | tf.Tensor") -> "tf.Tensor":
    """A new stateless seed (2,) from a seed and a number; different numbers give independent seeds."""
    import tensorflow as tf

    return tf.random.fold_in(key, tf.cast(number, tf.int64), alg="philox")


class _StatelessSeed(keras.random.SeedGenerator):
    """Seeds derived from a tensor, in the order in which they are asked for; no variable behind them."""

    def __init__(self, key: "tf.Tensor"):
        self.key = key
        self.draws = 0

    def next(self, ordered: bool = True) -> "tf.Tensor":
        self.draws += 1
        return fold_in(self.key, self.draws)


class RandAugment:
    """Applies random operations to each image (Cubuk et al., 2020), drawn with replacement.

    Args:
        num_ops: operations per image.
        factor: strength in [0, 1] as `keras.layers.RandAugment` defines it; note that rotations reach
            ``360 * factor`` degrees and shifts ``factor`` of the image.

    Call arguments:
        images: (B, H, W, 3) uint8.
        key: (2,) int64 stateless seed.

    Returns:
        (B, H, W, 3) uint8.

    Raises:
        ValueError: `num_ops` or `factor` is out of range.

    Example:
        >>> import tensorflow as tf
        >>> operations = RandAugment(num_ops=2, factor=0.1)
        >>> operations(tf.zeros((4, 48, 48, 3), tf.uint8), tf.constant([0, 1], tf.int64)).shape
        TensorShape([4, 48, 48, 3])
    """

    def __init__(self, num_ops: int = 2, factor: float = 0.5):
        if num_ops < 1 or not 0 <= factor <= 1:
            raise ValueError(f"rand_augment: num_ops must be 1 or more and factor within 0..1, not {num_ops}, {factor}")
        self.num_ops = num_ops
        layer = keras.layers.RandAugment(value_range=(0, 255), num_ops=num_ops, factor=factor, dtype="float32")
        self.layers = [getattr(layer, name) for name in OPERATIONS]

    def __call__(self, images: "tf.Tensor", key: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        batch = tf.shape(images)[0]
        pixels = tf.cast(images, tf.float32)
        for round_key in (fold_in(key, index) for index in range(self.num_ops)):
            choice = tf.random.stateless_uniform([batch], round_key, 0, len(OPERATIONS), tf.int32, alg="philox")
            rows = tf.dynamic_partition(tf.range(batch), choice, len(OPERATIONS))
            parts = [
                _apply(layer, tf.gather(pixels, chosen), fold_in(round_key, index))
                for index, (layer, chosen) in enumerate(zip(self.layers, rows))
            ]
            pixels = tf.reshape(tf.dynamic_stitch(rows, parts), tf.shape(images))
        return tf.ensure_shape(tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8), images.shape)


def _apply(layer: keras.layers.Layer, images: "tf.Tensor", key: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    def transformed() -> "tf.Tensor":
        transformation = layer.get_random_transformation(images, training=True, seed=_StatelessSeed(key))
        return tf.ensure_shape(layer.transform_images(images, transformation, training=True), images.shape)

    # Some of the layers fail on an empty batch.
    return tf.cond(tf.shape(images)[0] > 0, transformed, lambda: images)
