import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_keras.metrics.checks import MetricInputError
from fer_keras.metrics.label_distribution import FLOOR, MEASURES, mean_measures

DISTANCES = ("chebyshev", "clark", "canberra", "kl")
SIMILARITIES = ("cosine", "intersection")
BEST = dict.fromkeys(DISTANCES, 0.0) | dict.fromkeys(SIMILARITIES, 1.0)
properties = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
problem = given(seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 6), classes=st.integers(2, 9))

TRUE, PRED = np.array([[0.5, 0.3, 0.2, 0.0, 0.0]]), np.array([[0.2, 0.4, 0.0, 0.4, 0.0]])
BY_HAND = {  # the third class is 0 in the prediction only, the fourth in the truth only, the fifth in both
    "chebyshev": 0.4,
    "clark": math.sqrt((0.3 / 0.7) ** 2 + (0.1 / 0.7) ** 2 + 1 + 1 + 0),
    "canberra": 0.3 / 0.7 + 0.1 / 0.7 + 1 + 1 + 0,
    "kl": 0.5 * math.log(0.5 / 0.2) + 0.3 * math.log(0.3 / 0.4) + 0.2 * math.log(0.2 / FLOOR),
    "cosine": (0.5 * 0.2 + 0.3 * 0.4) / math.sqrt((0.25 + 0.09 + 0.04) * (0.04 + 0.16 + 0.16)),
    "intersection": 0.2 + 0.3,
}


def loop(name: str, true, pred) -> float:
    """One sample, one term at a time."""
    pairs = list(zip(true, pred, strict=True))
    relative = [abs(d - p) / (d + p) for d, p in pairs if d + p > 0]
    if name == "chebyshev":
        return max(abs(d - p) for d, p in pairs)
    if name == "clark":
        return math.sqrt(sum(term * term for term in relative))
    if name == "canberra":
        return sum(relative)
    if name == "kl":
        return max(0.0, sum(d * math.log(d / max(p, FLOOR)) for d, p in pairs if d > 0))
    if name == "cosine":
        return sum(d * p for d, p in pairs) / math.sqrt(sum(d * d for d, _ in pairs) * sum(p * p for _, p in pairs))
    return sum(min(d, p) for d, p in pairs)


@pytest.mark.parametrize("name", MEASURES)
def test_against_values_by_hand(name):
    assert MEASURES[name](TRUE, PRED) == pytest.approx([BY_HAND[name]], abs=1e-12)


@pytest.mark.parametrize("name", MEASURES)
@problem
@properties
def test_equals_the_slow_loop(draw_distributions, name, seed, samples, classes):
    true, pred = draw_distributions(seed, samples, classes), draw_distributions(seed + 1, samples, classes)
    expected = [loop(name, *rows) for rows in zip(true, pred, strict=True)]
    np.testing.assert_allclose(MEASURES[name](true, pred), expected, atol=1e-12)


@problem
@properties
def test_bounds(draw_distributions, seed, samples, classes):
    true, pred = draw_distributions(seed, samples, classes), draw_distributions(seed + 1, samples, classes)
    upper = dict.fromkeys(MEASURES, 1.0) | {"clark": math.sqrt(classes), "canberra": classes, "kl": -math.log(FLOOR)}
    for name, measure in MEASURES.items():
        values = measure(true, pred)
        assert values.shape == (samples,)
        assert (values >= 0).all() and (values <= upper[name] + 1e-12).all(), name


@problem
@properties
def test_best_at_identity(draw_distributions, seed, samples, classes):
    true = draw_distributions(seed, samples, classes)
    for name, measure in MEASURES.items():
        np.testing.assert_allclose(measure(true, true), BEST[name], atol=1e-12)


@problem
@properties
def test_worst_where_the_supports_are_disjoint(draw_distributions, seed, samples, classes):
    half = draw_distributions(seed, samples, classes, zeros=0.0)
    none = np.zeros_like(half)
    true, pred = np.hstack([half, none]), np.hstack([none, half])
    np.testing.assert_allclose(MEASURES["intersection"](true, pred), 0.0)
    np.testing.assert_allclose(MEASURES["cosine"](true, pred), 0.0)
    np.testing.assert_allclose(MEASURES["canberra"](true, pred), 2 * classes)
    np.testing.assert_allclose(MEASURES["clark"](true, pred), math.sqrt(2 * classes))


@problem
@properties
def test_the_order_of_classes_does_not_matter_and_rows_stay_apart(draw_distributions, seed, samples, classes):
    true, pred = draw_distributions(seed, samples, classes), draw_distributions(seed + 1, samples, classes)
    generator = np.random.default_rng(seed)
    columns, rows = generator.permutation(classes), generator.permutation(samples)
    for measure in MEASURES.values():
        values = measure(true, pred)
        np.testing.assert_allclose(measure(true[:, columns], pred[:, columns]), values, atol=1e-12)
        np.testing.assert_allclose(measure(true[rows], pred[rows]), values[rows], atol=1e-12)


@problem
@properties
def test_all_but_kl_are_symmetric(draw_distributions, seed, samples, classes):
    true, pred = draw_distributions(seed, samples, classes), draw_distributions(seed + 1, samples, classes)
    for name in MEASURES.keys() - {"kl"}:
        np.testing.assert_allclose(MEASURES[name](true, pred), MEASURES[name](pred, true), atol=1e-12)


def test_kl_is_of_the_true_from_the_predicted_distribution():
    true, pred = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert MEASURES["kl"](true, pred) == pytest.approx([math.log(2)])
    assert MEASURES["kl"](pred, true) == pytest.approx([-math.log(2) - 0.5 * math.log(FLOOR)])


def test_means_are_over_the_samples():
    true, pred = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    means = mean_measures(true, pred)
    assert list(means) == ["chebyshev", "clark", "canberra", "kl", "cosine", "intersection"]
    assert means["chebyshev"] == pytest.approx(0.25)
    assert means["kl"] == pytest.approx(math.log(2) / 2)


def test_what_is_not_a_pair_of_distributions_is_refused():
    with pytest.raises(MetricInputError, match=r"shape \(1, 2\), predicted ones \(1, 3\)"):
        MEASURES["clark"](np.array([[0.5, 0.5]]), np.array([[0.5, 0.25, 0.25]]))
    with pytest.raises(MetricInputError, match="true distributions: row 0 sums to 10"):
        MEASURES["kl"](np.array([[6.0, 4.0]]), np.array([[0.6, 0.4]]))
    with pytest.raises(MetricInputError, match="no samples"):
        mean_measures(np.zeros((0, 2)), np.zeros((0, 2)))
