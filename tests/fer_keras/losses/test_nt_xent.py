import math

import numpy as np
import pytest
import tensorflow as tf

from fer_keras.losses.nt_xent import nt_xent


def unit(rng, *shape):
    values = rng.normal(size=shape).astype("float32")
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def reference(first, second, temperature):
    views = np.concatenate([first, second])
    total = 0.0
    for i, view in enumerate(views):
        others = [math.exp(view @ other / temperature) for j, other in enumerate(views) if j != i]
        total -= math.log(math.exp(view @ views[(i + len(first)) % len(views)] / temperature) / sum(others))
    return total / len(views)


def test_equals_a_loop_and_masked_images_are_not_there():
    rng = np.random.default_rng(0)
    first, second = unit(rng, 7, 5), unit(rng, 7, 5)
    assert float(nt_xent(first, second, 0.5)) == pytest.approx(reference(first, second, 0.5), rel=1e-5)
    mask = np.array([1, 0, 1, 1, 0, 0, 1], bool)
    expected = reference(first[mask], second[mask], 0.5)
    assert float(nt_xent(first, second, 0.5, mask)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("taking_part", [0, 1])
def test_without_negatives_it_is_zero_with_a_zero_gradient(taking_part):
    rng = np.random.default_rng(0)
    first, second = tf.Variable(unit(rng, 4, 3)), tf.Variable(unit(rng, 4, 3))
    with tf.GradientTape() as tape:
        loss = nt_xent(first, second, mask=np.arange(4) < taking_part)
    assert float(loss) == pytest.approx(0.0, abs=1e-6)
    for gradient in tape.gradient(loss, [first, second]):
        np.testing.assert_allclose(gradient, 0.0, atol=1e-5)


@pytest.mark.golden
@pytest.mark.parametrize("name", ["ntxent", "ntxent_warm", "ntxent_pair", "ntxent_single"])
def test_golden_ada_cm(golden, name):
    case = golden("ada_cm").case(name)
    embeddings = tf.Variable(case["embeddings"])
    with tf.GradientTape() as tape:
        loss = nt_xent(embeddings[:, 0], embeddings[:, 1], float(case["temperature"]))
    np.testing.assert_allclose(loss, case["loss"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, embeddings), case["grad_embeddings"], rtol=2e-3, atol=2e-6)
