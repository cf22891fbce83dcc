"""Colour taken out of images, inside the model."""

import keras
from keras import ops

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel (ITU-R BT.601)."""


@keras.saving.register_keras_serializable(package="fer_keras")
class GreyImage(keras.layers.Layer):
    """Gives all three channels the brightness of the pixel: a model that was trained on grey images then gives a colour
    image the answer that it gives its grey version. Grey images stay as they are.

    Call arguments:
        images: (..., 3) RGB pixels, any number type.

    Returns:
        A tensor of the same shape, in the layer's compute dtype.

    Example:
        >>> import numpy as np
        >>> [round(float(value)) for value in GreyImage()(np.array([[[[255.0, 0.0, 0.0]]]]))[0, 0, 0]]
        [76, 76, 76]
    """

    def call(self, images):
        pixels = ops.cast(images, self.compute_dtype)
        brightness = sum(weight * pixels[..., channel : channel + 1] for channel, weight in enumerate(LUMA))
        # Whole levels, as in a grey image file; and a grey image comes out as it went in, to the last bit.
        return ops.concatenate([ops.round(brightness)] * 3, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape
