import keras
import numpy as np
import pytest

from fer_keras.losses.soft_cross_entropy import smooth_labels, soft_cross_entropy, weighted_batch_mean


def test_hand_computed():
    value = soft_cross_entropy([[0.25, 0.75]], [[0.5, 0.25]], epsilon=0.0)
    np.testing.assert_allclose(value, [-(0.25 * np.log(0.5) + 0.75 * np.log(0.25))], rtol=1e-6)


def test_nothing_is_renormalised():
    """Twice the target is twice the loss, and scaled probabilities shift it; Keras' own loss does neither."""
    target, probs = np.array([[0.2, 0.8]], "float32"), np.array([[0.1, 0.3]], "float32")
    once = float(soft_cross_entropy(target, probs)[0])
    assert float(soft_cross_entropy(2 * target, probs)[0]) == pytest.approx(2 * once)
    keras_value = float(keras.losses.categorical_crossentropy(target, probs)[0])
    assert once == pytest.approx(keras_value + -np.log(0.4), rel=1e-4)


def test_impossible_class_is_finite():
    assert float(soft_cross_entropy([[1.0, 0.0]], [[0.0, 1.0]])[0]) == pytest.approx(-np.log(1e-10), rel=1e-4)


def test_weights_are_not_normalised():
    assert float(weighted_batch_mean([1.0, 3.0], [2.0, 2.0])) == 4.0
    assert float(weighted_batch_mean([1.0, 3.0])) == 2.0


def test_smoothing_keeps_the_sum():
    smooth = smooth_labels(keras.ops.eye(4), 0.2)
    np.testing.assert_allclose(np.sum(smooth, -1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(smooth[0], [0.85, 0.05, 0.05, 0.05], rtol=1e-5)
