import keras
import numpy as np
import pytest

from fer_keras.layers.weight_average import follow_weights


def test_equals_the_slow_loop_over_steps():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, 2, 3)).astype("float32")
    average, weight = keras.Variable(values[0]), keras.Variable(values[0])
    expected = values[0].astype("float64")
    for value in values[1:]:
        weight.assign(value)
        follow_weights([average], [weight], 0.9)
        expected = 0.9 * expected + 0.1 * value
    np.testing.assert_allclose(average, expected, rtol=1e-6)
    np.testing.assert_array_equal(weight, values[-1])


def test_decay_zero_copies_and_one_keeps():
    for decay, expected in ((0.0, 2.0), (1.0, 1.0)):
        average = keras.Variable([1.0])
        follow_weights([average], [keras.Variable([2.0])], decay)
        assert float(average[0]) == expected


def test_refuses_weights_of_other_layers():
    with pytest.raises(ValueError, match="not of the same layers"):
        follow_weights([keras.Variable([1.0])], [keras.Variable([[1.0]])], 0.5)
