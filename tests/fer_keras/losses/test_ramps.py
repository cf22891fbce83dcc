import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.losses.ramps import linear_ramp, ramp_down, ramp_up

LENGTHS = st.floats(0.5, 50)


def slow_up(epoch, length, steepness):
    return math.exp(-steepness * (1 - epoch / length) ** 2) if epoch <= length else 1.0


def slow_down(epoch, length):
    return 1.0 if epoch <= length else math.exp(-((1 - length / epoch) ** 2))


@settings(max_examples=30, deadline=None)
@given(length=LENGTHS, steepness=st.sampled_from([1.0, 5.0]))
def test_ramps_equal_their_definition(length, steepness):
    epochs = np.arange(1, 100)
    np.testing.assert_allclose(
        ramp_up(epochs, length, steepness), [slow_up(e, length, steepness) for e in epochs], rtol=1e-5
    )
    np.testing.assert_allclose(ramp_down(epochs, length), [slow_down(e, length) for e in epochs], rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(length=LENGTHS)
def test_one_rises_before_the_other_falls(length):
    epochs = np.arange(1, 100)
    up, down = np.asarray(ramp_up(epochs, length)), np.asarray(ramp_down(epochs, length))
    assert np.all(np.diff(up) >= 0) and np.all(np.diff(down) <= 0)
    assert np.all(np.maximum(up, down) == 1.0)


def test_epoch_zero_is_harmless():
    assert float(ramp_down(0, 3)) == 1.0
    assert float(ramp_up(0, 3)) == pytest.approx(math.exp(-1))


@pytest.mark.parametrize("ramp", [ramp_up, ramp_down])
def test_a_length_of_zero_is_refused(ramp):
    with pytest.raises(ValueError, match="length of a ramp: 0"):
        ramp(1, 0)


def test_linear_ramp_is_a_line_between_two_flat_parts():
    epochs = np.array([1.0, 2.0, 3.0, 5.0, 6.0, 90.0])
    np.testing.assert_allclose(linear_ramp(epochs, 4, 0.95, 0.75), [0.95, 0.9, 0.85, 0.75, 0.75, 0.75], rtol=1e-6)
    with pytest.raises(ValueError, match="above 0"):
        linear_ramp(1, 0, 0.0, 1.0)
