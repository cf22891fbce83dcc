import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.layers.expression_aware_aggregation import ExpressionAwareAggregation

GOLDEN_CASES = ("moe_separate_k1", "moe_separate_k2", "moe_shared_k1", "moe_shared_k2")


@pytest.fixture
def inputs():
    return np.random.default_rng(0).normal(size=(6, 10)).astype("float32")


def randomise(layer, width):
    layer.build((None, width))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape).astype("float32"))
    return layer


@pytest.mark.parametrize("share", [False, True])
def test_equals_a_loop_over_samples_and_experts(inputs, share):
    layer = randomise(ExpressionAwareAggregation(5, 2, hidden_width=7, share_experts=share), 10)
    w1, b1, w2, b2 = (np.asarray(w) for w in (layer.kernel_1, layer.bias_1, layer.kernel_2, layer.bias_2))
    expected = []
    for x in inputs:
        scores = x @ np.asarray(layer.gate_kernel)
        best = np.argsort(-scores)[:2]
        gates = np.exp(scores[best]) / np.exp(scores[best]).sum()
        outputs = []
        for number in best:
            e = 0 if share else number
            outputs.append(x + np.maximum(x @ w1[e] + b1[e], 0) @ w2[e] + b2[e])
        expected.append(gates @ outputs)
    np.testing.assert_allclose(layer(inputs), expected, rtol=1e-4, atol=1e-5)


def test_the_gate_learns_with_two_separate_experts_only(inputs):
    for k, share, learns in ((1, False, False), (2, True, False), (2, False, True)):
        layer = randomise(ExpressionAwareAggregation(4, k, share_experts=share), 10)
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(layer(inputs) ** 2)
        gradient = np.abs(tape.gradient(value, layer.gate_kernel.value)).max()
        assert gradient > 1e-2 if learns else gradient < 1e-4


def test_noise_in_training_alone(inputs):
    layer = randomise(ExpressionAwareAggregation(8, 2), 10)
    np.testing.assert_array_equal(layer(inputs), layer(inputs))
    assert not np.allclose(layer(inputs, training=True), layer(inputs, training=True))


def test_an_even_load_is_balanced(inputs):
    layer = randomise(ExpressionAwareAggregation(4, 1), 4)
    layer.gate_kernel.assign(10 * np.eye(4))
    even = layer.gates(np.eye(4, dtype="float32"))
    assert float(even["balance_loss"]) == pytest.approx(0.0, abs=1e-6)
    uneven = layer.gates(np.eye(4, dtype="float32")[[0, 0, 0, 1]])
    assert float(uneven["balance_loss"]) > 0.01


def test_is_saved_with_its_options(inputs, tmp_path):
    image = keras.Input((10,))
    layer = ExpressionAwareAggregation(3, 3, expert="linear", combination="log")
    model = keras.Model(image, layer(image))
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(restored(inputs), model(inputs), rtol=1e-6)
    assert restored.layers[1].get_config() == layer.get_config()


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"k": 9}, {"num_experts": 1, "k": 1}, {"expert": "deep"}, {"combination": "max"}],
)
def test_refuses_values_out_of_range(options):
    with pytest.raises(ValueError, match="wanted"):
        ExpressionAwareAggregation(**options)


@pytest.mark.golden
@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_golden_leaf_fpl_mixture(golden, name):
    case = golden("leaf_fpl").case(name)
    shared, k = "shared" in name, int(case["k"])
    options = {"expert": "residual_mlp" if shared else "linear", "share_experts": shared, "combination": "log"}
    layer = ExpressionAwareAggregation(8, k, hidden_width=6, **options)
    layer.build((None, 12))
    layer.gate_kernel.assign(case["gate_kernel"])
    layer.noise_kernel.assign(case["noise_kernel"])
    if shared:
        for number in (1, 2):
            getattr(layer, f"kernel_{number}").assign(case[f"expert_kernel_{number}"][None])
            getattr(layer, f"bias_{number}").assign(case[f"expert_bias_{number}"][None])
    else:
        layer.kernel.assign(case["expert_kernel"])
        layer.bias.assign(case["expert_bias"])

    found = layer.gates(case["inputs"])
    np.testing.assert_allclose(found["scores"], case["clean_scores"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["gates"], case["gates"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["load"], case["load"])
    np.testing.assert_allclose(found["balance_loss"], case["balance_loss"], rtol=1e-4)
    outputs = layer.experts(case["inputs"])
    np.testing.assert_allclose(
        np.broadcast_to(outputs, case["expert_outputs"].shape), case["expert_outputs"], rtol=1e-4, atol=1e-5
    )
    plain = ExpressionAwareAggregation(8, k)
    np.testing.assert_allclose(
        plain.combine(found["gates"], outputs), case["output_weighted_sum"], rtol=1e-4, atol=1e-5
    )

    inputs = tf.Variable(case["inputs"])
    with tf.GradientTape() as tape:
        output = layer(inputs)
        value = tf.reduce_sum(case["cotangent"] * output)
    np.testing.assert_allclose(output, case["output_log_space"], rtol=1e-4, atol=1e-5)
    gate, own = tape.gradient(value, [layer.gate_kernel.value, inputs])
    np.testing.assert_allclose(gate, case["grad_gate_kernel"], rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(own, case["grad_inputs"], rtol=1e-3, atol=1e-5)

    trained = layer.gates(case["inputs"], case["noise"])
    np.testing.assert_allclose(trained["scores"], case["train_scores"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(trained["gates"], case["train_gates"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(trained["load"], case["train_load"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(trained["balance_loss"], case["train_balance_loss"], rtol=1e-3)
