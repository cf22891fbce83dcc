import numpy as np
import pytest
import tensorflow as tf

from fer_keras.losses.distribution_distillation import discounted_divergence, distillation_divergence

RNG = np.random.default_rng(0)
B, C = 4, 5
TARGET = RNG.dirichlet(np.ones(C), B)
TARGET[1] = [0.5, 0, 0.5, 0, 0]
LOGITS, TEACHER = RNG.normal(0, 2, (B, C)), RNG.normal(0, 2, (B, C))
UNCERTAINTY = RNG.uniform(0, 3, B)


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def slow_kl(q, p):
    return sum(a * np.log(a / b) for a, b in zip(q, p) if a > 0)


def test_discounted_divergence_equals_the_slow_loop():
    found = discounted_divergence(TARGET, LOGITS, UNCERTAINTY)
    for i in range(B):
        scale = 1 + UNCERTAINTY[i]
        expected = slow_kl(TARGET[i], softmax(LOGITS[i])) / scale + 0.5 * np.log(scale)
        assert float(found[i]) == pytest.approx(expected, rel=1e-6)


def test_its_gradients_are_those_by_hand():
    logits, uncertainty = tf.constant(LOGITS), tf.constant(UNCERTAINTY)
    with tf.GradientTape() as tape:
        tape.watch([logits, uncertainty])
        loss = tf.reduce_sum(discounted_divergence(TARGET, logits, uncertainty))
    by_logits, by_uncertainty = tape.gradient(loss, [logits, uncertainty])
    scale = 1 + UNCERTAINTY
    np.testing.assert_allclose(by_logits, (softmax(LOGITS) - TARGET) / scale[:, None], rtol=1e-6)
    divergence = np.array([slow_kl(q, p) for q, p in zip(TARGET, softmax(LOGITS))])
    np.testing.assert_allclose(by_uncertainty, -divergence / scale**2 + 0.5 / scale, rtol=1e-6)


def test_the_best_uncertainty_is_twice_the_divergence_less_one():
    divergence = slow_kl([1, 0], softmax(np.array([0.0, 3.0])))
    best = 2 * divergence - 1
    losses = discounted_divergence([[1.0, 0.0]] * 3, [[0.0, 3.0]] * 3, np.float32([best - 0.3, best, best + 0.3]))
    assert losses[1] < losses[0] and losses[1] < losses[2]


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_distillation_equals_the_slow_loop_and_reaches_the_student_alone(temperature):
    teacher, logits = tf.Variable(TEACHER), tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        losses = distillation_divergence(teacher, logits, temperature)
        total = tf.reduce_sum(losses)
    taught, learned = softmax(TEACHER / temperature), softmax(LOGITS / temperature)
    expected = [temperature**2 * slow_kl(q, p) for q, p in zip(taught, learned)]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    by_teacher, by_logits = tape.gradient(total, [teacher, logits])
    assert by_teacher is None
    np.testing.assert_allclose(by_logits, temperature * (learned - taught), rtol=1e-6)  # T^2 / T
