import numpy as np
import pytest

from fer_keras.data.ten_crop import ten_crop
from fer_keras.inference.classifier import Classifier
from fer_keras.inference.ten_crop_classifier import TenCropClassifier


class Brightness(Classifier):
    """Logits are means of the pixels' channels; one class' probability can be 0."""

    def _predict_batch(self, images):
        logits = images.reshape(len(images), -1, 3).mean(axis=1) / 20
        probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return {"probs": probs, "valence_arousal": logits[:, :2] / 13}


@pytest.fixture
def classifier():
    return Brightness("model", ("neutral", "happiness", "sadness"), (4, 4), 25, has_valence_arousal=True)


def test_is_the_softmax_of_the_mean_logits(classifier):
    images = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 3), np.uint8)
    wrapped = TenCropClassifier(classifier, (6, 6))
    assert (wrapped.image_size, wrapped.batch_size) == ((6, 6), 2)
    logits = ten_crop(images, (4, 4)).numpy().reshape(7, 10, -1, 3).mean(axis=2) / 20
    mean = logits.mean(axis=1)
    expected = np.exp(mean) / np.exp(mean).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(wrapped.predict_proba(images), expected, rtol=1e-5)
    np.testing.assert_allclose(wrapped.predict_valence_arousal(images), mean[:, :2] / 13, rtol=1e-5)


def test_a_probability_of_zero_stays_finite(classifier):
    images = np.zeros((1, 6, 6, 3), np.uint8)
    classifier._predict_batch = lambda crops: {
        "probs": np.tile(np.float32([1, 0, 0]), (len(crops), 1)),
        "valence_arousal": np.zeros((len(crops), 2), np.float32),
    }
    np.testing.assert_allclose(TenCropClassifier(classifier, (6, 6)).predict_proba(images), [[1, 0, 0]], atol=1e-30)


def test_refuses_images_smaller_than_the_crops(classifier):
    with pytest.raises(ValueError, match="crops of 4x4 do not fit into 3x6"):
        TenCropClassifier(classifier, (3, 6))
