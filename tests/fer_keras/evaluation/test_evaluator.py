import io

import numpy as np
import pytest
from rich.console import Console

from fer_keras.data.records import RecordSetError
from fer_keras.data.sidecars import SidecarError, sidecar_path, write_sidecar
from fer_keras.emotions import EMOTIONS, EMOTIONS_7, ClassListMismatchError
from fer_keras.evaluation import evaluate
from fer_keras.evaluation.evaluation import EvaluationError
from fer_keras.evaluation.evaluator import TRUE_DISTRIBUTIONS
from fer_keras.metrics.label_distribution import mean_measures


def test_rows_are_in_the_order_of_sample_id_whatever_the_batch(write_record_set, look_up_classifier, softmax_rows):
    table = softmax_rows(0, 9)
    record_set = write_record_set([0, 1, 2, -1, 4, 5, 6], values=[8, 3, 5, 1, 1, 0, 2])
    for batch_size, batches in ((3, [3, 3, 1]), (256, [7])):
        classifier = look_up_classifier(table)
        evaluation = evaluate(classifier, record_set, "test", batch_size)
        assert classifier.batches == batches
        np.testing.assert_array_equal(evaluation.sample_id, range(7))
        np.testing.assert_array_equal(evaluation.y_true, [0, 1, 2, -1, 4, 5, 6])
        np.testing.assert_allclose(evaluation.probs, table[[8, 3, 5, 1, 1, 0, 2]], atol=1e-6)
        assert evaluation.source == tuple(f"img/{i}.png" for i in range(7))
        assert evaluation.distribution is None and evaluation.distribution_source is None
        assert (evaluation.metrics["n"], evaluation.metrics["unlabelled"]) == (6, 1)


def test_votes_are_the_true_distribution_of_the_rows_that_have_them(write_record_set, look_up_classifier, softmax_rows):
    votes = np.zeros((3, 8))
    votes[0, :2], votes[2, 4] = (3, 1), 9
    table = softmax_rows(1, 3)
    evaluation = evaluate(look_up_classifier(table), write_record_set([0, 1, -1], votes), "test")
    np.testing.assert_allclose(evaluation.distribution[0], [0.75, 0.25, 0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(evaluation.distributed, [True, False, True])
    assert evaluation.distribution_source == "votes"
    assert (evaluation.metrics["n"], evaluation.metrics["distribution_n"]) == (2, 2)
    expected = mean_measures(evaluation.distribution[[0, 2]], table[[0, 2]])
    assert {name: evaluation.metrics[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_a_sidecar_of_true_distributions_goes_before_the_votes(write_record_set, look_up_classifier, softmax_rows):
    record_set = write_record_set([0, 1], votes=np.full((2, 8), 5.0))
    truth = softmax_rows(2, 2).astype(np.float32)
    truth[1] = 0
    write_sidecar(record_set, "test", TRUE_DISTRIBUTIONS, truth)
    evaluation = evaluate(look_up_classifier(softmax_rows(3, 2)), record_set, "test")
    assert evaluation.distribution_source == TRUE_DISTRIBUTIONS
    assert evaluation.metrics["distribution_n"] == 1
    np.testing.assert_allclose(evaluation.distribution[0], truth[0], atol=1e-6)


def test_a_sidecar_of_other_records_or_of_another_shape_is_refused(write_record_set, look_up_classifier, softmax_rows):
    record_set = write_record_set([0, 1])
    classifier = look_up_classifier(softmax_rows(4, 2))
    write_sidecar(record_set, "test", TRUE_DISTRIBUTIONS, np.full((2, 7), 1 / 7))
    with pytest.raises(EvaluationError, match=r"true_distributions.npy: shape \(2, 7\), \(2, 8\) is needed"):
        evaluate(classifier, record_set, "test")
    sidecar_path(record_set, "test", TRUE_DISTRIBUTIONS).with_suffix(".json").write_text('{"fingerprint": "other"}')
    with pytest.raises(SidecarError, match="computed from other records"):
        evaluate(classifier, record_set, "test")


def test_other_class_lists_are_an_error_that_prints_both(write_record_set, look_up_classifier, softmax_rows):
    classifier = look_up_classifier(softmax_rows(0, 2, classes=7), EMOTIONS_7)
    with pytest.raises(ClassListMismatchError) as error:
        evaluate(classifier, write_record_set([0, 1]), "test")
    assert ", ".join(EMOTIONS) in str(error.value) and f"[{', '.join(EMOTIONS_7)}]" in str(error.value)
    assert "look_up.keras" in str(error.value)


def test_rows_of_an_int8_model_are_brought_to_sum_one(write_record_set, look_up_classifier):
    table = np.full((1, 8), 32 / 256)
    table[0, :3] = (31 / 256, 33 / 256, 34 / 256)
    evaluation = evaluate(look_up_classifier(table), write_record_set([2, 2], values=[0, 0]), "test")
    np.testing.assert_allclose(evaluation.probs.sum(axis=1), 1.0, atol=1e-12)
    assert evaluation.metrics["accuracy"] == 1.0


@pytest.mark.parametrize("row", [[3, -2, 0, 0, 0, 0, 0, 0], [np.nan] + [0.1] * 7, [2.0] + [0.0] * 7])
def test_outputs_that_are_not_probabilities_are_named(write_record_set, look_up_classifier, softmax_rows, row):
    table = np.vstack([softmax_rows(0, 1), row])
    with pytest.raises(EvaluationError, match=r"look_up.keras: its outputs are not probabilities; sample 1 gives \["):
        evaluate(look_up_classifier(table), write_record_set([0, 1]), "test")


def test_nothing_to_compare_with_is_an_error(write_record_set, look_up_classifier, softmax_rows):
    with pytest.raises(EvaluationError, match="split 'test': no sample has a label, votes"):
        evaluate(look_up_classifier(softmax_rows(0, 2)), write_record_set([-1, -1]), "test")


def test_an_unknown_and_an_empty_split_are_errors(write_record_set, look_up_classifier, softmax_rows):
    classifier = look_up_classifier(softmax_rows(0, 2))
    with pytest.raises(RecordSetError, match="no split 'valid'; it has: test"):
        evaluate(classifier, write_record_set([0, 1]), "valid")
    with pytest.raises(EvaluationError, match="split 'test': the split is empty"):
        evaluate(classifier, write_record_set([], directory="empty"), "test")


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_damaged_shard_is_one_clear_error(write_record_set, look_up_classifier, softmax_rows, keep):
    record_set = write_record_set([0, 1, 2, 3])
    shard = record_set.directory / record_set.split("test").shards[1].file
    shard.write_bytes(shard.read_bytes()[: int(shard.stat().st_size * keep)])
    with pytest.raises(EvaluationError, match="fer-tfrecords verify"):
        evaluate(look_up_classifier(softmax_rows(0, 4)), record_set, "test")


def test_progress_is_shown_where_a_console_is_given(write_record_set, look_up_classifier, softmax_rows):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80)
    evaluate(look_up_classifier(softmax_rows(0, 2)), write_record_set([0, 1]), "test", console=console)
    assert "evaluating test" in stream.getvalue() and "2/2" in stream.getvalue()
