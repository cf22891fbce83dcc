import numpy as np
import pytest
import tensorflow as tf

from fer_keras.losses.embedding_uniformity import embedding_uniformity

EMBEDDINGS = np.random.default_rng(0).normal(size=(5, 3))


def slow(embeddings, t=2.0):
    total, classes = 0.0, len(embeddings)
    for i in range(classes):
        for j in range(classes):
            if i != j:
                a, b = embeddings[i] / np.linalg.norm(embeddings[i]), embeddings[j] / np.linalg.norm(embeddings[j])
                total += np.exp(-t * np.sum((a - b) ** 2))
    return np.log(total / (classes * (classes - 1)))


@pytest.mark.parametrize("sharpness", [0.5, 2.0])
def test_equals_the_slow_loop_and_its_differences(sharpness):
    variable = tf.constant(EMBEDDINGS)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        loss = embedding_uniformity(variable, sharpness)
    assert float(loss) == pytest.approx(slow(EMBEDDINGS, sharpness), rel=1e-6)
    gradient, step = tape.gradient(loss, variable).numpy(), 1e-6
    for index in np.ndindex(EMBEDDINGS.shape):
        moved = [EMBEDDINGS.copy() for _ in range(2)]
        moved[0][index] += step
        moved[1][index] -= step
        difference = (slow(moved[0], sharpness) - slow(moved[1], sharpness)) / (2 * step)
        assert gradient[index] == pytest.approx(difference, abs=1e-6)


def test_hand_computed():
    # Three directions at right angles: every ||.||^2 is 2, so that the loss is -2 t.
    assert float(embedding_uniformity(3.0 * np.eye(3))) == pytest.approx(-4.0)
    assert float(embedding_uniformity(np.array([[1.0, 0], [2.0, 0]]))) == pytest.approx(0.0)


def test_a_simplex_is_the_least_and_length_does_not_matter():
    simplex = np.eye(5) - 1 / 5
    least = float(embedding_uniformity(simplex))
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert float(embedding_uniformity(rng.normal(size=(5, 5)))) > least
    scaled = EMBEDDINGS * rng.uniform(0.1, 9, (5, 1))
    assert float(embedding_uniformity(scaled)) == pytest.approx(slow(EMBEDDINGS))


def test_equal_embeddings_have_a_finite_gradient():
    variable = tf.constant(np.ones((2, 3)))
    with tf.GradientTape() as tape:
        tape.watch(variable)
        loss = embedding_uniformity(variable)
    assert np.isfinite(tape.gradient(loss, variable)).all()
