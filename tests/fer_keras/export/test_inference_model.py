import keras
import numpy as np
import pytest

from fer_keras.export.inference_model import float32_twin, inference_model, uses_half_precision
from fer_keras.inference.classifier import ModelLoadError


def _model(dtype):
    """A mixed-precision model with a nested one, as a method with a backbone has."""
    keras.utils.set_random_seed(1)
    with_dtype = {"dtype": keras.DTypePolicy(dtype)}
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, **with_dtype)(pixels)
    backbone = keras.Model(pixels, keras.layers.BatchNormalization(**with_dtype)(x), name="backbone")
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.Flatten(**with_dtype)(backbone(keras.layers.Rescaling(1 / 255, **with_dtype)(image)))
    probs = keras.layers.Dense(3, activation="softmax", dtype="float32")(x)
    return keras.Model(image, {"probs": probs})


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_twin_computes_the_same_in_float32(policy):
    half, full = _model(policy), _model("float32")
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    assert uses_half_precision(half) and not uses_half_precision(full)
    twin = float32_twin(half)
    assert not uses_half_precision(twin)
    np.testing.assert_allclose(twin(images)["probs"], full(images)["probs"], atol=1e-6)
    np.testing.assert_allclose(twin(images)["probs"], half(images)["probs"], atol=2e-2)


def test_a_float32_model_shares_its_weights():
    model = _model("float32")
    exported = inference_model(model)
    assert list(exported.output) == ["probs"]
    assert exported.weights[0] is model.weights[0]


def test_only_classifiers_are_taken():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ModelLoadError, match="no output named 'probs'"):
        inference_model(keras.Model(image, keras.layers.Flatten()(image)))
