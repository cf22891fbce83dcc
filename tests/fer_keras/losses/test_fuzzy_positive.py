import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.losses.fuzzy_positive import ambiguity_weight, fuzzy_positive_loss, pair_loss, positive_set


def reference(logits, probs, cover, max_positives):
    """One sample, as the paper says it."""
    order = np.argsort(-probs, kind="stable")
    sums = np.cumsum(probs[order])
    n = next((n for n in range(1, max_positives + 1) if sums[n] >= cover), max_positives)
    positives, negatives = order[:n], order[n:]
    loss = math.log(1 + sum(math.exp(logits[j] - logits[p]) for p in positives for j in negatives))
    rho, boundary = sums[n] / (n + 1), probs[order[n]]
    weight = math.log(1 + 50 * max(rho - boundary, 0)) / math.log(1 + 50 * rho)
    return n, set(positives), loss, weight


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), concentration=st.sampled_from([0.1, 1.0, 10.0]), k=st.integers(1, 4))
def test_equals_a_loop_over_pairs(seed, concentration, k):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(6, concentration), 4).astype("float32")
    logits = rng.normal(0, 3, (4, 6)).astype("float32")
    found = fuzzy_positive_loss(logits, probs, cover=0.9, max_positives=k)
    for row in range(4):
        n, positives, loss, weight = reference(logits[row], probs[row], 0.9, k)
        if abs(np.sort(probs[row])[::-1].cumsum()[1 : k + 1] - 0.9).min() < 1e-6:
            continue  # rounding decides
        assert int(found["count"][row]) == n
        assert set(np.flatnonzero(found["positive"][row])) == positives
        assert float(found["pair_loss"][row]) == pytest.approx(loss, rel=1e-4, abs=1e-6)
        assert float(found["weight"][row]) == pytest.approx(weight, abs=2e-4)


@pytest.mark.parametrize(
    ("probs", "count", "weight"),
    [
        ([0.99, 0.01, 0, 0, 0, 0, 0], 1, 0.994),
        ([0.60, 0.35, 0.05, 0, 0, 0, 0], 1, 0.617),
        ([0.60, 0.25, 0.10, 0.05, 0, 0, 0], 2, 0.875),
        ([1 / 7] * 7, 3, 0.0),
    ],
)
def test_known_predictions(probs, count, weight):
    found = positive_set(np.float32([probs]))
    assert int(found["count"][0]) == count
    value = ambiguity_weight(found["count"], found["covered"], found["boundary"])
    assert float(value[0]) == pytest.approx(weight, abs=1e-3)


def test_large_logits_stay_finite():
    logits = tf.Variable([[900.0, -900.0, 0.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(pair_loss(logits, tf.constant([[False, True, False]])))
    np.testing.assert_allclose(loss, 1800.0, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, logits), [[1.0, -1.0, 0.0]], atol=1e-6)


def test_an_unknown_weight_is_refused():
    with pytest.raises(ValueError, match="concave, linear, convex"):
        ambiguity_weight(*[np.float32([1])] * 3, kind="flat")


@pytest.mark.golden
@pytest.mark.parametrize("name", ["fpl", "fpl_alt"])
def test_golden_leaf_fpl(golden, name):
    case = golden("leaf_fpl").case(name)
    probs = tf.nn.softmax(case["weak_logits"])
    logits = tf.Variable(case["strong_logits"])
    cover, k = float(case["cover"]), int(case["max_positives"])
    found = positive_set(probs, cover, k)
    np.testing.assert_array_equal(found["count"], case["n_positive"])
    np.testing.assert_array_equal(found["positive"], case["positive"].astype(bool))
    weights = {kind: ambiguity_weight(found["count"], found["covered"], found["boundary"], kind) for kind in
               ("concave", "linear", "convex")}  # fmt: skip
    np.testing.assert_allclose(weights["concave"], case["weight"], rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(weights["linear"], case["weight_linear"], rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(weights["convex"], case["weight_convex"], rtol=2e-4, atol=1e-6)
    with tf.GradientTape() as tape:
        losses = fuzzy_positive_loss(logits, probs, cover, k)
        value = tf.reduce_mean(losses["weight"] * losses["pair_loss"])
    np.testing.assert_allclose(losses["pair_loss"], case["pair_loss"], rtol=1e-5)
    np.testing.assert_allclose(value, case["value"], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(value, logits), case["grad_strong"], rtol=2e-4, atol=1e-7)
