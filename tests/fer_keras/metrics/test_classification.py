import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.emotions import EMOTIONS_7
from fer_keras.metrics import classification
from fer_keras.metrics.checks import MetricInputError

NAMES = ("neutral", "happiness", "sadness", "surprise")
Y_TRUE = np.array([0, 0, 0, 0, 1, 1, 2, 2])
Y_PRED = np.array([0, 0, 0, 1, 1, 2, 2, 3])  # surprise: absent, but predicted once

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def loop(y_true, y_pred, num_classes):
    """Confusion matrix, then accuracy, balanced accuracy and macro F1 from it, without a vectorised step."""
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for true, pred in zip(y_true, y_pred, strict=True):
        matrix[true][pred] += 1
    recalls, f1s = [], []
    for c in range(num_classes):
        support, predicted = sum(matrix[c]), sum(row[c] for row in matrix)
        if support:
            recalls.append(matrix[c][c] / support)
            f1s.append(2 * matrix[c][c] / (support + predicted))
    correct = sum(matrix[c][c] for c in range(num_classes))
    return matrix, correct / len(y_true), sum(recalls) / len(recalls), sum(f1s) / len(f1s)


def test_by_hand():
    assert classification.accuracy(Y_TRUE, Y_PRED, 4) == 5 / 8
    assert classification.balanced_accuracy(Y_TRUE, Y_PRED, 4) == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert classification.macro_f1(Y_TRUE, Y_PRED, 4) == pytest.approx((6 / 7 + 1 / 2 + 1 / 2) / 3)
    np.testing.assert_array_equal(
        classification.confusion_matrix(Y_TRUE, Y_PRED, 4), [[3, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 0]]
    )


def test_an_absent_class_keeps_its_row_in_the_table():
    surprise = classification.per_class(Y_TRUE, Y_PRED, NAMES)[3]
    assert (surprise.name, surprise.support, surprise.precision, surprise.f1) == ("surprise", 0, 0.0, 0.0)
    assert math.isnan(surprise.recall)


def test_a_class_never_predicted_has_no_precision_but_an_f1_of_zero():
    scores = classification.per_class(np.array([0, 1]), np.array([0, 0]), NAMES)
    assert math.isnan(scores[1].precision) and scores[1].recall == 0.0 and scores[1].f1 == 0.0
    assert math.isnan(scores[2].f1)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_equals_the_slow_loop(rows):
    y_true, y_pred = np.array(rows).T
    matrix, accuracy, balanced, f1 = loop(y_true, y_pred, 7)
    np.testing.assert_array_equal(classification.confusion_matrix(y_true, y_pred, 7), matrix)
    assert classification.accuracy(y_true, y_pred, 7) == pytest.approx(accuracy)
    assert classification.balanced_accuracy(y_true, y_pred, 7) == pytest.approx(balanced)
    assert classification.macro_f1(y_true, y_pred, 7) == pytest.approx(f1)


@given(pairs, st.permutations(range(7)))
@settings(max_examples=40, deadline=None)
def test_renaming_the_classes_moves_the_rows_and_nothing_else(rows, order):
    y_true, y_pred = np.array(rows).T
    order = np.array(order)
    assert classification.macro_f1(order[y_true], order[y_pred], 7) == pytest.approx(
        classification.macro_f1(y_true, y_pred, 7)
    )
    scores = classification.per_class(y_true, y_pred, EMOTIONS_7)
    moved = classification.per_class(order[y_true], order[y_pred], EMOTIONS_7)
    for c in range(7):
        assert moved[order[c]].support == scores[c].support
        np.testing.assert_equal(moved[order[c]].f1, scores[c].f1)


def test_standard_error_is_that_of_a_proportion():
    draws = np.random.default_rng(0).binomial(400, 0.7, size=20_000) / 400
    assert classification.accuracy_standard_error(0.7, 400) == pytest.approx(draws.std(), rel=0.03)


@pytest.mark.parametrize("function", [classification.accuracy, classification.balanced_accuracy])
def test_labels_outside_the_class_list_are_refused(function):
    with pytest.raises(MetricInputError, match="y_pred: row 1 is 7"):
        function(np.array([0, 1]), np.array([0, 7]), 7)
    with pytest.raises(MetricInputError, match="y_true: row 0 is -1"):
        function(np.array([-1, 1]), np.array([0, 6]), 7)
