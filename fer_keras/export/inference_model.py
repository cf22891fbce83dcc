"""The model that is exported: a float32 functional model with nothing of the training in it."""

import keras
from keras import ops

from fer_keras.inference.classifier import OUTPUTS, ModelLoadError
from fer_keras.layers.grey_image import GreyImage

HALF_TYPES = ("float16", "bfloat16")


def inference_model(model: keras.Model) -> keras.Model:
    """The functional model ``image`` -> ``{"probs": ...}`` of a method or of an inference model, in float32.

    Args:
        model: a `fer_keras.methods` model, or a functional model with an output named ``probs``.

    Returns:
        A functional model from ``image`` (N, H, W, 3) uint8 to ``{"probs": (N, C)}``, and ``"valence_arousal"``
        (N, 2) if `model` has it. It shares the weights of `model`, or holds a copy of them where `model` computes in
        half precision.

    Raises:
        ModelLoadError: `model` has no output named ``probs``.
    """
    if hasattr(model, "inference_model"):
        model = model.inference_model()
    if not isinstance(getattr(model, "output", None), dict) or "probs" not in model.output:
        raise ModelLoadError(f"{model.name}: not a classifier of this library (no output named 'probs')")
    outputs = {name: model.output[name] for name in OUTPUTS if name in model.output}
    exported = keras.Model(model.input, outputs, name=model.name)
    return float32_twin(exported) if uses_half_precision(exported) else exported


def without_colour(model: keras.Model) -> keras.Model:
    """A model that answers a colour image as `model` answers its grey version (for models trained on grey images).

    Args:
        model: a functional model as `inference_model` returns it.

    Returns:
        A functional model with the same input and outputs, and the weights of `model`.
    """
    image = _image_like(model)
    outputs = model(GreyImage(name="grey_image")(image))
    return keras.Model(image, outputs, name=model.name)


def averaged_with_mirror(model: keras.Model) -> keras.Model:
    """A model that answers with the mean of `model`'s answers for an image and for its mirror image.

    A face and its mirror image show the same expression, so the mean errs less than either; it takes twice the time.

    Args:
        model: a functional model as `inference_model` returns it.

    Returns:
        A functional model with the same input and outputs, and the weights of `model`.
    """
    image = _image_like(model)
    pixels = ops.cast(image, "float32")
    both = model(ops.concatenate([pixels, ops.flip(pixels, axis=2)], axis=0))
    outputs = {name: ops.mean(ops.reshape(values, (2, -1, values.shape[-1])), axis=0) for name, values in both.items()}
    return keras.Model(image, outputs, name=model.name)


def _image_like(model: keras.Model):
    """A new input as `model` takes it."""
    given = model.inputs[0]
    return keras.Input(given.shape[1:], dtype=given.dtype, name="image")


def uses_half_precision(model: keras.Model) -> bool:
    """Whether any layer computes in float16 or bfloat16."""
    return any(layer.compute_dtype in HALF_TYPES for layer in model._flatten_layers())


def float32_twin(model: keras.Model) -> keras.Model:
    """A copy of a functional model, same weights, in which every layer computes in float32.

    Mixed precision keeps its variables in float32, so nothing is lost. LiteRT cannot convert the half-precision
    graph, and a CPU runs it more slowly than float32.

    Args:
        model: a functional model, also with nested ones, under any dtype policy.

    Returns:
        The copy.
    """
    config = _in_float32(keras.saving.serialize_keras_object(model))
    twin = keras.saving.deserialize_keras_object(config, safe_mode=True)
    twin.set_weights(model.get_weights())
    return twin


def _in_float32(config):
    """A serialised object with every half-precision policy or dtype in it replaced by float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return "float32"
        return {key: _in_float32(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_in_float32(value) for value in config)
    return "float32" if config in (*HALF_TYPES, *(f"mixed_{name}" for name in HALF_TYPES)) else config
