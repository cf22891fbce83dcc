import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_keras.metrics.calibration import brier_score, negative_log_likelihood, reliability_bins
from fer_keras.metrics.checks import MetricInputError
from fer_keras.metrics.label_distribution import FLOOR

properties = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
problem = given(
    seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 40), classes=st.integers(2, 8), num_bins=st.integers(1, 20)
)


def labels_of(seed: int, samples: int, classes: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(classes, size=samples)


def ece_loop(y_true, probs, num_bins) -> tuple[float, float]:
    """ECE and MCE, one bin and one sample at a time."""
    ece, mce = 0.0, 0.0
    for m in range(num_bins):
        lower, upper = m / num_bins, (m + 1) / num_bins
        members = [i for i, row in enumerate(probs) if lower < max(row) <= upper]
        if members:
            accuracy = sum(int(np.argmax(probs[i]) == y_true[i]) for i in members) / len(members)
            confidence = sum(max(probs[i]) for i in members) / len(members)
            ece += len(members) / len(probs) * abs(accuracy - confidence)
            mce = max(mce, abs(accuracy - confidence))
    return ece, mce


def test_bins_by_hand():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.45, 0.55]])
    bins = reliability_bins(np.array([0, 1, 1, 1]), probs, num_bins=4)
    np.testing.assert_array_equal(bins.count, [0, 0, 2, 2])
    np.testing.assert_allclose(bins.confidence, [np.nan, np.nan, 0.575, 0.85])
    np.testing.assert_allclose(bins.accuracy, [np.nan, np.nan, 1.0, 0.5])
    assert bins.expected_calibration_error == pytest.approx(0.5 * 0.425 + 0.5 * 0.35)
    assert bins.maximum_calibration_error == pytest.approx(0.425)
    assert bins.rows()[0] == {"lower": 0.0, "upper": 0.25, "count": 0, "confidence": None, "accuracy": None}
    assert bins.rows()[3]["confidence"] == pytest.approx(0.85)


def test_default_is_fifteen_bins():
    assert len(reliability_bins(np.array([0]), np.array([[0.7, 0.3]])).count) == 15


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    bins = reliability_bins(np.array([0, 0]), np.array([[0.5, 0.5], [1.0, 0.0]]), num_bins=2)
    np.testing.assert_array_equal(bins.count, [1, 1])


@problem
@properties
def test_equals_the_slow_loop_and_stays_in_bounds(draw_distributions, seed, samples, classes, num_bins):
    probs, y_true = draw_distributions(seed, samples, classes), labels_of(seed, samples, classes)
    bins = reliability_bins(y_true, probs, num_bins)
    ece, mce = ece_loop(y_true, probs, num_bins)
    assert bins.expected_calibration_error == pytest.approx(ece, abs=1e-12)
    assert bins.maximum_calibration_error == pytest.approx(mce, abs=1e-12)
    assert 0 <= bins.expected_calibration_error <= bins.maximum_calibration_error + 1e-12 <= 1 + 1e-12
    assert bins.count.sum() == samples


@problem
@properties
def test_permuting_samples_or_classes_changes_nothing(draw_distributions, seed, samples, classes, num_bins):
    probs, y_true = draw_distributions(seed, samples, classes), labels_of(seed, samples, classes)
    generator = np.random.default_rng(seed + 1)
    rows, columns = generator.permutation(samples), generator.permutation(classes)
    moved_probs, moved_labels = probs[rows][:, columns], np.argsort(columns)[y_true[rows]]
    for score in (
        lambda y, p: reliability_bins(y, p, num_bins).expected_calibration_error,
        negative_log_likelihood,
        brier_score,
    ):
        assert score(moved_labels, moved_probs) == pytest.approx(score(y_true, probs), abs=1e-12)


def test_a_calibrated_classifier_has_no_error():
    probs = np.array([[0.75, 0.25]] * 4)
    bins = reliability_bins(np.array([0, 0, 0, 1]), probs)
    assert bins.expected_calibration_error == pytest.approx(0.0, abs=1e-12)


def test_likelihood_by_hand_and_at_zero():
    probs = np.array([[0.5, 0.5], [0.2, 0.8], [0.0, 1.0]])
    expected = -(math.log(0.5) + math.log(0.8) + math.log(FLOOR)) / 3
    assert negative_log_likelihood(np.array([0, 1, 0]), probs) == pytest.approx(expected)


def test_brier_by_hand():
    assert brier_score(np.array([0, 1]), np.array([[0.6, 0.4], [0.9, 0.1]])) == pytest.approx((0.32 + 1.62) / 2)


@problem
@properties
def test_brier_bounds(draw_distributions, seed, samples, classes, num_bins):
    probs, y_true = draw_distributions(seed, samples, classes), labels_of(seed, samples, classes)
    assert 0 <= brier_score(y_true, probs) <= 2
    assert brier_score(y_true, np.eye(classes)[y_true]) == 0


def test_bad_input_is_refused():
    with pytest.raises(MetricInputError, match="at least 1 bin"):
        reliability_bins(np.array([0]), np.array([[1.0, 0.0]]), num_bins=0)
    with pytest.raises(MetricInputError, match="row 0 is 2"):
        brier_score(np.array([2]), np.array([[1.0, 0.0]]))
    with pytest.raises(MetricInputError, match="logits"):
        negative_log_likelihood(np.array([0]), np.array([[3.0, -2.0]]))
