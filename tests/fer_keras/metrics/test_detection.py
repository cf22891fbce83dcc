import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.metrics.checks import MetricInputError
from fer_keras.metrics.detection import auroc, average_precision

samples = st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=30).filter(
    lambda rows: len({flipped for flipped, _ in rows}) == 2
)


def auroc_loop(flipped, score) -> float:
    """The share of (flipped, unflipped) pairs in the right order, ties counting one half."""
    pairs = [(a, b) for f, a in zip(flipped, score, strict=True) if f for g, b in zip(flipped, score) if not g]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def average_precision_loop(flipped, score) -> float:
    """Steps through the thresholds from the highest score down."""
    total, recall_before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        found = [f for f, s in zip(flipped, score, strict=True) if s >= threshold]
        recall = sum(found) / sum(flipped)
        total += (recall - recall_before) * sum(found) / len(found)
        recall_before = recall
    return total


def test_by_hand():
    flipped, score = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.3, 0.1])
    assert auroc(flipped, score) == 0.75
    assert average_precision(flipped, score) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@given(samples)
@settings(max_examples=60, deadline=None)
def test_equal_the_slow_loops(rows):
    flipped, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert auroc(flipped, score) == pytest.approx(auroc_loop(flipped, score))
    assert average_precision(flipped, score) == pytest.approx(average_precision_loop(flipped, score))


@given(samples)
@settings(max_examples=40, deadline=None)
def test_turning_the_score_around_mirrors_auroc(rows):
    flipped, score = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert auroc(flipped, -score) == pytest.approx(1 - auroc(flipped, score))
    assert auroc(flipped, np.exp(score)) == pytest.approx(auroc(flipped, score))


@pytest.mark.parametrize("function", [auroc, average_precision])
@pytest.mark.parametrize(("flipped", "kind"), [(np.ones(3), "flipped"), (np.zeros(3), "unflipped")])
def test_one_kind_only_is_one_clear_error(function, flipped, kind):
    with pytest.raises(MetricInputError, match=f"both flipped and unflipped labels; all 3 are {kind}"):
        function(flipped, np.arange(3.0))


def test_lengths_and_values_are_checked():
    with pytest.raises(MetricInputError, match=r"shape \(2,\), score \(3,\)"):
        auroc(np.array([True, False]), np.arange(3.0))
    with pytest.raises(MetricInputError, match="row 1 is not finite"):
        auroc(np.array([True, False]), np.array([0.0, np.nan]))
