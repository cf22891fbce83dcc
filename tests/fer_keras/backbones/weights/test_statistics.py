import keras
import numpy as np
import pytest

from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.backbones.weights.statistics import BATCH, restore_statistics


@pytest.fixture
def network():
    """Three BatchNorm layers with statistics that are not those of their inputs."""
    keras.utils.set_random_seed(1)
    model = build_backbone("fer_mini", (16, 16), widths=[4, 6], blocks=[1, 1])
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            low, high = (-1.5, 0.0, -0.2, 0.5), (1.5, 0.5, 0.2, 2.0)
            width = layer.gamma.shape[0]
            layer.set_weights([rng.uniform(a, b, width) for a, b in zip(low, high, strict=True)])
    return model


@pytest.fixture
def images():
    """Two batches, the second one shorter and darker."""
    rng = np.random.default_rng(3)
    bright, dark = rng.integers(100, 256, (BATCH, 16, 16, 3)), rng.integers(0, 60, (5, 16, 16, 3))
    return np.concatenate([bright, dark]).astype(np.uint8)


def test_outputs_stay_and_statistics_are_those_of_the_images(network, images):
    before = network.predict(images, verbose=0)
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert restore_statistics(network, images) == len(norms)
    np.testing.assert_allclose(network.predict(images, verbose=0), before, atol=1e-4 * np.abs(before).max())
    for layer in norms:
        inputs = keras.Model(network.input, layer.input).predict(images, verbose=0).astype(np.float64)
        np.testing.assert_allclose(layer.moving_mean, inputs.mean((0, 1, 2)), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(layer.moving_variance, inputs.var((0, 1, 2)), rtol=1e-4, atol=1e-6)


def test_training_mode_then_computes_what_inference_does(network, images):
    """With all images as the batch, batch statistics are the stored ones."""
    difference = {}
    for moment in ("before", "after"):
        inference, training = (network(images.astype(np.float32), training=mode).numpy() for mode in (False, True))
        difference[moment] = np.abs(training - inference).max() / np.abs(inference).max()
        restore_statistics(network, images)
    assert difference["before"] > 0.05 and difference["after"] < 1e-3


def test_networks_that_cannot_be_restored_are_refused(images):
    image = keras.Input((16, 16, 3))
    plain = keras.Model(image, keras.layers.Conv2D(2, 3)(image), name="plain")
    with pytest.raises(WeightsError, match="plain has no BatchNorm layer"):
        restore_statistics(plain, images)
    norm = keras.layers.BatchNormalization(scale=False, name="norm")
    with pytest.raises(WeightsError, match="norm of odd has no scale or no offset"):
        restore_statistics(keras.Model(image, norm(image), name="odd"), images)
