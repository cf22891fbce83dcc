import keras
import numpy as np
import pytest

from fer_keras.layers.pixel_normalization import PixelNormalization

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(np.uint8)


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe"])
def test_modes_are_those_of_keras_applications(mode):
    expected = keras.applications.imagenet_utils.preprocess_input(IMAGES.astype(np.float32), mode=mode)
    np.testing.assert_allclose(PixelNormalization(mode)(IMAGES), expected, atol=2e-5)


def test_none_only_casts():
    out = PixelNormalization("none")(IMAGES)
    assert keras.backend.standardize_dtype(out.dtype) == "float32"
    np.testing.assert_array_equal(out, IMAGES)


@pytest.mark.parametrize("mode", ["tf", "torch", "caffe", "none"])
def test_half_precision_stays_close(mode):
    layer = PixelNormalization(mode, dtype="mixed_float16")
    full = PixelNormalization(mode)(IMAGES)
    assert keras.backend.standardize_dtype(layer(IMAGES).dtype) == "float16"
    np.testing.assert_allclose(layer(IMAGES), full, atol=0.07 if mode == "caffe" else 3e-3)


def test_it_is_rebuilt_from_its_config():
    layer = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(PixelNormalization("caffe")))
    np.testing.assert_array_equal(layer(IMAGES), PixelNormalization("caffe")(IMAGES))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="unknown pixel normalization 'tensorflow'; known: tf, torch, caffe, none"):
        PixelNormalization("tensorflow")
