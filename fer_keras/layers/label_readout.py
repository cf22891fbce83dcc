"""One logit from the state of each class."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="fer_keras")
class LabelReadout(keras.layers.Layer):
    """``z_c = w_c . s_c + b_c``: each class reads its own state, with weights of its own.

    Args:
        num_classes: C.

    Call arguments:
        states: (B, C * D), the states of the classes one after the other.

    Returns:
        (B, C) float32.

    Example:
        >>> LabelReadout(num_classes=8)(keras.ops.ones((2, 8 * 32))).shape
        TensorShape([2, 8])
    """

    def __init__(self, num_classes: int, **kwargs):
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def build(self, input_shape):
        width = input_shape[-1] // self.num_classes
        self.kernel = self.add_weight((width, self.num_classes), "he_normal", name="kernel")
        self.bias = self.add_weight((self.num_classes,), "zeros", name="bias")
        self.built = True

    def call(self, states):
        weights = ops.transpose(self.kernel)
        return ops.sum(ops.reshape(states, (-1, *weights.shape)) * weights, axis=-1) + self.bias

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def get_config(self) -> dict:
        return {**super().get_config(), "num_classes": self.num_classes}
