import inspect

import keras
import numpy as np
import pytest

from fer_keras.backbones import applications
from fer_keras.layers.pixel_normalization import PixelNormalization

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.float32)


def test_every_network_of_keras_is_there():
    networks = {
        name.lower()
        for name, member in inspect.getmembers(keras.applications, inspect.isfunction)
        if "include_top" in inspect.signature(member).parameters
    }
    assert set(applications.applications()) == networks


@pytest.mark.parametrize("family", applications.NORMALIZATION)
def test_normalization_equals_the_familys_own(family):
    own = getattr(keras.applications, family).preprocess_input(IMAGES.copy())
    np.testing.assert_allclose(PixelNormalization(applications.NORMALIZATION[family])(IMAGES), own, atol=2e-5)


@pytest.mark.parametrize("name", ["vgg16", "mobilenetv2", "mobilenetv3small"])
def test_pixels_go_through_the_normalization_into_the_plain_network(name, tmp_path):
    model = applications.build_application(name, (32, 32))
    assert (model.name, model.input.name, model.input.shape) == (name, "image", (None, 32, 32, 3))
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    network = applications.applications()[name](include_top=False, weights=None, input_shape=(32, 32, 3))
    network.set_weights(model.get_weights())
    module = getattr(keras.applications, applications.family(applications.applications()[name]))
    np.testing.assert_allclose(model(images), network(module.preprocess_input(images.copy())), atol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(images), model(images), atol=1e-6)


def test_options_reach_the_network():
    narrow = applications.build_application("mobilenet", (32, 32), alpha=0.25)
    assert narrow.output.shape[-1] == 256
    assert "alpha" in applications.application_options("mobilenet")
    assert "include_top" not in applications.application_options("mobilenet")


@pytest.mark.slow
@pytest.mark.parametrize("family", applications.NORMALIZATION)
def test_a_network_of_every_family_builds_and_reloads(family, tmp_path):
    networks = applications.applications()
    name = next(name for name in sorted(networks) if applications.family(networks[name]) == family)
    model = applications.build_application(name, (96, 96))
    images = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3)).astype(np.float32)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(images), model(images), rtol=1e-4, atol=1e-5)
