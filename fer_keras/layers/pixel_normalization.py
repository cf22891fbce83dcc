"""Pixel values 0..255 to the range a network was designed for, inside the model."""

import keras
from keras import ops

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)

_SCALE_AND_OFFSET: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "tf": ((1 / 127.5,), (-1.0,)),
    "torch": (
        tuple(1 / (255 * std) for std in _IMAGENET_STD),
        tuple(-mean / std for mean, std in zip(_IMAGENET_MEAN, _IMAGENET_STD)),
    ),
    "caffe": ((1.0,), tuple(-mean for mean in _IMAGENET_MEAN_BGR)),
    "none": ((1.0,), (0.0,)),
}


@keras.saving.register_keras_serializable(package="fer_keras")
class PixelNormalization(keras.layers.Layer):
    """Normalises RGB pixels, as one multiplication and one addition per channel.

    Args:
        mode: ``"tf"``: x / 127.5 - 1; ``"torch"``: scaled to [0, 1], minus ImageNet's mean, divided by its
            standard deviation; ``"caffe"``: channels turned to BGR, minus ImageNet's mean, not scaled;
            ``"none"``: unchanged (the network that follows normalises by itself).
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        images: (..., 3) RGB pixels 0..255, any number type.

    Returns:
        A tensor of the same shape, in the layer's compute dtype.

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> import numpy as np
        >>> float(PixelNormalization("tf")(np.full((1, 2, 2, 3), 255.0))[0, 0, 0, 0])
        1.0
    """

    def __init__(self, mode: str = "tf", **kwargs):
        super().__init__(**kwargs)
        if mode not in _SCALE_AND_OFFSET:
            raise ValueError(f"unknown pixel normalization {mode!r}; known: {', '.join(_SCALE_AND_OFFSET)}")
        self.mode = mode

    def call(self, images):
        pixels = ops.cast(images, self.compute_dtype)
        if self.mode == "none":
            return pixels
        if self.mode == "caffe":
            pixels = ops.flip(pixels, axis=-1)
        scale, offset = (ops.convert_to_tensor(value, pixels.dtype) for value in _SCALE_AND_OFFSET[self.mode])
        return pixels * scale + offset

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}
