import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.layers.random_masking import RandomMasking, select_tokens


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 20), st.floats(0.3, 0.7), st.integers(0, 99))
def test_it_keeps_the_tokens_of_least_noise_and_knows_the_way_back(count, ratio, seed):
    rng = np.random.default_rng(seed)
    tokens, noise = rng.normal(size=(3, count, 4)).astype("float32"), rng.random((3, count)).astype("float32")
    kept, mask, restore = (np.asarray(value) for value in RandomMasking(ratio)(tokens, noise))
    assert kept.shape[1] == count - round(ratio * count)
    for sample in range(3):
        order = sorted(range(count), key=lambda token: noise[sample, token])
        shown, hidden = order[: kept.shape[1]], order[kept.shape[1] :]
        np.testing.assert_array_equal(kept[sample], tokens[sample, shown])
        assert set(np.flatnonzero(mask[sample])) == set(hidden)
        # kept and hidden tokens, put together and restored, are the tokens
        together = np.concatenate([tokens[sample, shown], tokens[sample, hidden]])
        np.testing.assert_array_equal(together[restore[sample]], tokens[sample])


def test_gradients_reach_the_selected_tokens():
    tokens = tf.constant(np.zeros((2, 3, 1), "float32"))
    with tf.GradientTape() as tape:
        tape.watch(tokens)
        loss = tf.reduce_sum(select_tokens(tokens, tf.constant([[2, 2], [0, 1]])) * [[[1.0], [10.0]]] * 2)
    np.testing.assert_array_equal(tape.gradient(loss, tokens)[..., 0], [[0, 0, 22], [2, 20, 0]])


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.1])
def test_shares_out_of_range_are_refused(ratio):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        RandomMasking(ratio)


@pytest.mark.parametrize(("ratio", "kept"), [(0.9, 0), (0.05, 4)])
def test_something_must_be_hidden_and_something_seen(ratio, kept):
    with pytest.raises(ValueError, match=f"keeps {kept} of 4 patches"):
        RandomMasking(ratio).kept(4)


def test_its_configuration_makes_its_like():
    assert RandomMasking.from_config(RandomMasking(0.6).get_config()).ratio == 0.6
