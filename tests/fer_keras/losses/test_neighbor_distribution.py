import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.losses.neighbor_distribution import (
    aggregate_neighbors,
    contribution_degrees,
    local_similarity,
    target_distribution,
    uncertainty_gradient,
)


def draw(seed, batch=5, k=3, classes=7):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(classes), (batch, k)).astype("float32")
    given = np.eye(classes, dtype="float32")[rng.integers(0, classes, batch)]
    return rng, probs, given


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_targets_are_distributions(seed):
    rng, probs, given = draw(seed)
    contribution = contribution_degrees(rng.uniform(0.01, 1, (5, 3)), rng.uniform(0.01, 1, (5, 3))).astype("float32")
    target = target_distribution(given, aggregate_neighbors(contribution, probs), rng.uniform(size=(5, 1)))
    assert np.all(np.asarray(target) >= 0)
    np.testing.assert_allclose(np.sum(target, -1), 1.0, rtol=1e-5)


def test_aggregate_equals_the_slow_loop():
    rng, probs, _ = draw(1)
    contribution = rng.uniform(size=(5, 3)).astype("float32")
    expected = [sum(c * p for c, p in zip(cs, ps)) / sum(cs) for cs, ps in zip(contribution, probs)]
    np.testing.assert_allclose(aggregate_neighbors(contribution, probs), expected, rtol=1e-5)


def test_no_contribution_gives_zeros_not_nan():
    _, probs, _ = draw(2)
    np.testing.assert_array_equal(aggregate_neighbors(np.zeros((5, 3), "float32"), probs), np.zeros((5, 7)))


def test_missing_neighbors_have_no_similarity():
    for fidelity in ("paper", "official"):
        similarity = local_similarity(np.array([[[np.inf, np.inf], [0.0, 0.0]]], "float32"), 0.5, fidelity)
        np.testing.assert_array_equal(similarity, [[0.0, 1.0]])


def test_gradient_is_the_derivative_of_the_loss_by_the_uncertainty():
    from fer_keras.losses.soft_cross_entropy import soft_cross_entropy

    rng, probs, given = draw(3)
    neighbors, predicted = probs[:, 0], probs[:, 1]
    step = 1e-2  # the loss is linear in the uncertainty, so a large step is exact
    uncertainty = rng.uniform(0.1, 0.8, (5, 1)).astype("float32")
    up = soft_cross_entropy(target_distribution(given, neighbors, uncertainty + step), predicted)
    down = soft_cross_entropy(target_distribution(given, neighbors, uncertainty - step), predicted)
    found = uncertainty_gradient(given, neighbors, predicted)
    np.testing.assert_allclose(found, (np.asarray(up) - np.asarray(down)) / (2 * step), rtol=1e-2, atol=1e-3)
