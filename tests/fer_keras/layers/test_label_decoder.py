import keras
import numpy as np
import pytest

from fer_keras.layers.label_decoder import LabelDecoder
from fer_keras.layers.label_readout import LabelReadout

MAP = np.random.default_rng(0).normal(size=(2, 2, 3, 5)).astype("float32")


def norm(values):
    return (values - values.mean(-1, keepdims=True)) / np.sqrt(values.var(-1, keepdims=True) + 1e-5)


def add(block, step, states, change):
    gamma, beta = (np.asarray(weight) for weight in block.norms[step].weights)
    return norm(states + change) * gamma + beta


def attend(layer, query, value, key):
    """Multi-head attention of one sample, head by head and query by query."""
    (wq, bq), (wk, bk), (wv, bv), (wo, bo) = [
        [np.asarray(w) for w in getattr(layer, f"{part}_dense").weights] for part in ("query", "key", "value", "output")
    ]
    found = np.zeros((len(query), wo.shape[-1]))
    for head in range(wq.shape[1]):
        k, v = key @ wk[:, head] + bk[head], value @ wv[:, head] + bv[head]
        for c in range(len(query)):
            scores = k @ (query[c] @ wq[:, head] + bq[head]) / np.sqrt(wq.shape[2])
            shares = np.exp(scores - scores.max())
            found[c] += shares / shares.sum() @ v @ wo[head]
    return found + bo


@pytest.mark.parametrize("self_attention", [False, True])
def test_equals_the_slow_loop(self_attention):
    keras.utils.set_random_seed(0)
    decoder = LabelDecoder(4, 8, depth=2, heads=2, hidden_width=6, dropout=0.0, self_attention=self_attention)
    found = decoder(MAP)
    for weight in decoder.trainable_weights:  # biases and positions start near 0
        weight.assign(weight + keras.random.normal(weight.shape, stddev=0.3, seed=1))
    found = np.asarray(decoder(MAP, training=True))
    embeddings, positions = np.asarray(decoder.embeddings), np.asarray(decoder.positions)
    for i in range(2):
        tokens = MAP[i].reshape(6, 5) @ np.asarray(decoder.projection.kernel) + np.asarray(decoder.projection.bias)
        states = np.zeros((4, 8))
        for block in decoder.blocks:
            if self_attention:
                query = states + embeddings
                states = add(block, "label", states, attend(block.label_attention, query, states, query))
            states = add(
                block, "map", states, attend(block.map_attention, states + embeddings, tokens, tokens + positions)
            )
            (w1, b1), (w2, b2) = ([np.asarray(w) for w in part.weights] for part in (block.hidden, block.output_layer))
            states = add(block, "network", states, np.maximum(states @ w1 + b1, 0) @ w2 + b2)
        np.testing.assert_allclose(found[i], states, rtol=1e-3, atol=1e-4)


def test_dropout_in_training_only_and_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        decoder = LabelDecoder(3, 8, dropout=0.5)
        assert decoder(MAP.astype("float16")).dtype == "float32"
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(decoder(MAP), decoder(MAP))
    assert not np.allclose(decoder(MAP, training=True), decoder(MAP, training=True))


def test_round_trip():
    decoder = LabelDecoder(3, 8, depth=1, heads=2, hidden_width=5, dropout=0.2, self_attention=True, name="decoder")
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    assert restored.get_config() == decoder.get_config()
    assert decoder.compute_output_shape((2, 2, 3, 5)) == decoder(MAP).shape


@pytest.mark.parametrize(
    ("options", "message"),
    [({"width": 9}, "4 do not divide the width 9"), ({"depth": 0}, "depth: 0"), ({"hidden_width": 0}, "hidden_width")],
)
def test_refuses_bad_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        LabelDecoder(3, **options)


def test_refuses_a_map_of_unknown_size():
    with pytest.raises(ValueError, match="must be fixed"):
        LabelDecoder(3).build((None, None, 3, 5))


def test_readout_equals_the_slow_loop():
    readout = LabelReadout(3)
    states = np.random.default_rng(0).normal(size=(2, 12)).astype("float32")
    readout(states)
    readout.bias.assign([0.1, 0.2, 0.3])
    found = np.asarray(readout(states))
    for i in range(2):
        for c in range(3):
            own = states[i, 4 * c : 4 * c + 4]
            expected = sum(own[d] * float(readout.kernel[d, c]) for d in range(4)) + float(readout.bias[c])
            assert found[i, c] == pytest.approx(expected, abs=1e-5)
    restored = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(readout))
    assert restored.get_config() == readout.get_config()
