import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.layers.moving_average import average_variables, shrink_variables


def test_equals_the_slow_loop_over_steps():
    values = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    average, variable = keras.Variable(values[0]), keras.Variable(values[0])
    expected = values[0].astype("float64")
    for value in values[1:]:
        variable.assign(value)
        average_variables([average], [variable], 0.9)
        expected = 0.9 * expected + 0.1 * value
    np.testing.assert_allclose(average, expected, rtol=1e-6)
    np.testing.assert_array_equal(variable, values[-1])


def test_refuses_variables_of_other_layers():
    with pytest.raises(ValueError, match="not of the same layers"):
        average_variables([keras.Variable([1.0])], [keras.Variable([[1.0]])], 0.5)


def test_whole_numbers_are_left_alone():
    counts = [keras.Variable(np.array(value), dtype="int32") for value in (3, 5)]
    average_variables(counts[:1], counts[1:], 0.5)
    shrink_variables(counts, 0.5)
    assert [int(count) for count in counts] == [3, 5]


def test_half_precision_is_averaged_in_the_average_s_precision():
    average, live = keras.Variable(np.float32([1.0])), keras.Variable(np.float16([2.0]), dtype="float16")
    average_variables([average], [live], 0.75)
    assert float(average[0]) == 1.25


def test_every_replica_moves_its_own_copy():
    devices = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([devices[0].name])
    with strategy.scope():
        average, live = keras.Variable(np.zeros(2)), keras.Variable(np.ones(2))
    strategy.run(tf.function(lambda: average_variables([average], [live], 0.9)))
    np.testing.assert_allclose(average, [0.1, 0.1], rtol=1e-6)


@pytest.mark.golden
def test_golden_ada_cm_ema(golden):
    case = golden("ada_cm").case("ema")
    average, live = keras.Variable(case["start"]), keras.Variable(case["start"])
    for before, expected, after in zip(case["live_before"], case["average"], case["live_after"]):
        live.assign(before)
        average_variables([average], [live], float(case["decay"]))
        np.testing.assert_allclose(average, expected, rtol=1e-6)
        shrink_variables([live], 1.0 - 0.02 * float(case["learning_rate"]))
        np.testing.assert_allclose(live, after, rtol=1e-6)
