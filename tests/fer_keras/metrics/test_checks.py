import numpy as np
import pytest

from fer_keras.metrics.checks import MetricInputError, as_distributions, as_labels


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, 0.5], r"shape \(samples, classes\)"),
        (np.zeros((2, 0)), r"shape \(samples, classes\)"),
        ([[0.5, 0.5], [np.nan, 1.0]], "row 1 is not finite"),
        ([[0.5, 0.5], [1.5, -0.5]], "row 1 has a negative value"),
        ([[1.0, 0.0], [0.5, 0.5], [0.5, 0.4]], "row 2 sums to 0.9"),
    ],
)
def test_what_is_not_a_distribution_is_refused_by_row(values, message):
    with pytest.raises(MetricInputError, match=f"probs: .*{message}"):
        as_distributions(np.array(values), "probs")


def test_float16_rounding_is_not_an_error():
    softmax = np.full((1, 7), 1 / 7, np.float16)
    assert as_distributions(softmax, "probs").dtype == np.float64


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1], "there are 2 predictions"),
        ([0, -1], "row 1 is -1, not a class 0..2"),
        ([3, 0], "row 0 is 3, not a class 0..2"),
        ([0.0, 1.0], "must be integers"),
    ],
)
def test_what_is_not_a_label_is_refused_by_row(labels, message):
    with pytest.raises(MetricInputError, match=message):
        as_labels(np.array(labels), num_classes=3, length=2)


def test_no_sample_has_no_measure():
    with pytest.raises(MetricInputError, match="no samples"):
        as_labels(np.zeros(0, np.int64), num_classes=3, length=0)
