import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.losses.candidate_likelihood import (
    average_candidate_loss,
    best_candidate_loss,
    best_within,
    draw_candidate,
    outside_candidates_loss,
    probability_within,
)

RNG = np.random.default_rng(0)
B, C = 6, 5
SETS = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [0, 1, 0, 1, 0]])
CANDIDATES = (SETS * RNG.uniform(0.1, 1, (B, C)) / 3).astype("float32")
LOGITS = RNG.normal(0, 2, (B, C)).astype("float32")
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


def gradient(function, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(function(values))
    return tape.gradient(total, values).numpy()


def test_values_equal_the_slow_loop():
    for i in range(B):
        inside = [c for c in range(C) if SETS[i, c]]
        row, logits = CANDIDATES[i : i + 1], LOGITS[i : i + 1]
        assert float(best_candidate_loss(row, logits)[0]) == pytest.approx(
            -np.log(max(PROBS[i, c] for c in inside)), rel=1e-5
        )
        total = sum(PROBS[i, c] for c in inside)
        assert float(average_candidate_loss(row, logits)[0]) == pytest.approx(-np.log(total), rel=1e-4, abs=1e-6)
        outside = -sum(np.log(1 - PROBS[i, c]) for c in range(C) if c not in inside)
        assert float(outside_candidates_loss(row, PROBS[i : i + 1])[0]) == pytest.approx(outside, rel=1e-4)
        within = [PROBS[i, c] / total if c in inside else 0.0 for c in range(C)]
        np.testing.assert_allclose(probability_within(row, logits)[0], within, rtol=1e-4)
        assert np.argmax(best_within(row, logits)[0]) == max(inside, key=lambda c: PROBS[i, c])
        assert np.sum(best_within(row, logits)[0]) == 1


def test_gradients_equal_those_by_hand():
    """By the logits: p - onehot(best), p - r with r the prediction inside of the set, and p_c times what is wrong."""
    best = np.asarray(best_within(CANDIDATES, LOGITS))
    np.testing.assert_allclose(gradient(lambda z: best_candidate_loss(CANDIDATES, z), LOGITS), PROBS - best, atol=1e-6)
    within = np.asarray(probability_within(CANDIDATES, LOGITS))
    found = gradient(lambda z: average_candidate_loss(CANDIDATES, z), LOGITS)
    np.testing.assert_allclose(found, PROBS - within, atol=1e-6)
    found = gradient(lambda p: outside_candidates_loss(CANDIDATES, p), PROBS.astype("float32"))
    np.testing.assert_allclose(found, (SETS == 0) / (1 - PROBS), rtol=1e-4)


@pytest.mark.parametrize("truth", [probability_within, best_within])
def test_truths_have_no_gradient(truth):
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(truth(CANDIDATES, logits) * LOGITS)
    assert tape.gradient(total, logits) is None


@pytest.mark.parametrize("loss", [best_candidate_loss, average_candidate_loss])
def test_impossible_predictions_stay_finite(loss):
    """A network that is certain of a class outside of the set."""
    logits, row = np.array([[500.0, 0.0, -500.0]], "float32"), np.array([[0.0, 0.5, 0.5]])
    assert float(loss(row, logits)[0]) == pytest.approx(500.0)
    assert np.isfinite(gradient(lambda z: loss(row, z), logits)).all()
    np.testing.assert_array_equal(probability_within(row, logits), [[0.0, 1.0, 0.0]])
    assert np.isfinite(gradient(lambda p: outside_candidates_loss(row, p), np.array([[1.0, 0, 0]], "float32"))).all()


@given(seed=st.integers(0, 10**6), shift=st.floats(-5, 5))
@settings(deadline=None, max_examples=25)
def test_properties(seed, shift):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (4, C)).astype("float32")
    row = rng.dirichlet(np.full(C, 0.5), 4).astype("float32") * (rng.random((4, C)) < 0.6)
    row[:, 0] += 0.1
    best, average = best_candidate_loss(row, logits), average_candidate_loss(row, logits)
    assert (best >= average - 1e-5).numpy().all() and (average >= -1e-6).numpy().all()
    assert (best <= average + np.log(C) + 1e-5).numpy().all()
    np.testing.assert_allclose(average_candidate_loss(row, logits + np.float32(shift)), average, atol=1e-4)


def test_draws_have_the_frequencies_of_the_row():
    row = np.array([0.0, 0.25, 0.5, 0.0, 0.25], "float32")
    uniform = (np.arange(4000) + 0.5) / 4000
    drawn = np.asarray(draw_candidate(np.tile(row, (4000, 1)), uniform.astype("float32")))
    np.testing.assert_array_equal(drawn.sum(1), 1.0)
    np.testing.assert_allclose(drawn.mean(0), row, atol=1e-3)


def test_draws_at_the_ends_stay_inside_of_the_set():
    row = np.array([[0.0, 0.3, 0.7, 0.0]] * 2, "float32")
    drawn = draw_candidate(row, np.array([0.0, np.nextafter(1, 0, dtype="float32")], "float32"))
    np.testing.assert_array_equal(drawn, [[0, 1, 0, 0], [0, 0, 1, 0]])
