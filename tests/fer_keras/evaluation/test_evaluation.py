import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

from fer_keras.emotions import EMOTIONS
from fer_keras.evaluation.evaluation import EvaluationError
from fer_keras.metrics import calibration, classification

LABEL_METRICS = {
    "accuracy",
    "accuracy_standard_error",
    "balanced_accuracy",
    "macro_f1",
    "ece",
    "mce",
    "nll",
    "brier",
}
DISTRIBUTION_METRICS = {"chebyshev", "clark", "canberra", "kl", "cosine", "intersection"}


def read_csv(file):
    with open(file, newline="") as stream:
        return list(csv.DictReader(stream))


def test_metrics_are_those_of_the_labelled_rows(make_evaluation):
    evaluation = make_evaluation()
    y_true = evaluation.y_true.copy()
    y_true[:10] = -1
    metrics = make_evaluation(y_true=y_true).metrics
    assert metrics.keys() == {"n", "unlabelled"} | LABEL_METRICS
    assert (metrics["n"], metrics["unlabelled"]) == (50, 10)
    true, probs = y_true[10:], evaluation.probs[10:]
    assert metrics["accuracy"] == np.mean(probs.argmax(axis=1) == true)
    assert metrics["accuracy_standard_error"] == pytest.approx(
        np.sqrt(metrics["accuracy"] * (1 - metrics["accuracy"]) / 50)
    )
    assert metrics["balanced_accuracy"] == classification.balanced_accuracy(true, probs.argmax(axis=1), 8)
    assert metrics["macro_f1"] == classification.macro_f1(true, probs.argmax(axis=1), 8)
    assert metrics["ece"] == calibration.reliability_bins(true, probs).expected_calibration_error
    assert metrics["nll"] == calibration.negative_log_likelihood(true, probs)
    assert metrics["brier"] == calibration.brier_score(true, probs)


def test_distributions_alone_are_enough(make_evaluation, softmax_rows):
    evaluation = make_evaluation(samples=4, y_true=np.full(4, -1), distribution=softmax_rows(9, 4))
    assert evaluation.metrics.keys() == {"n", "unlabelled", "distribution_n"} | DISTRIBUTION_METRICS
    assert evaluation.per_class == [] and evaluation.confusion_matrix.sum() == 0 and evaluation.reliability is None


def test_keeping_some_samples_equals_evaluating_only_those(make_evaluation, softmax_rows):
    evaluation = make_evaluation(distribution=softmax_rows(9, 60))
    mask = np.arange(60) % 3 > 0
    kept = evaluation.keep(mask)
    assert kept.source == tuple(f"img/{i}.png" for i in range(60) if i % 3)
    correct = (evaluation.y_pred == evaluation.y_true)[mask]
    assert kept.metrics["accuracy"] == correct.mean() and kept.metrics["distribution_n"] == 40
    assert evaluation.metrics["n"] == 60
    with pytest.raises(EvaluationError, match="nothing to compare"):
        evaluation.keep(np.zeros(60, bool))


def test_to_dict_is_strict_json_and_names_what_it_is_of(make_evaluation):
    content = make_evaluation(class_names=EMOTIONS).to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert (content["model"], content["data"], content["split"]) == (
        "runs/a/weights/best.keras",
        "data/tiny",
        "test",
    )
    contempt = content["per_class"][7]
    assert contempt["name"] == "contempt" and contempt["recall"] is None and contempt["support"] == 0
    assert sum(map(sum, content["confusion_matrix"])) == 60
    assert sum(row["count"] for row in content["reliability"]) == 60


def test_written_files(make_evaluation, tmp_path):
    y_true = make_evaluation().y_true.copy()
    y_true[0] = -1
    evaluation = make_evaluation(y_true=y_true)
    folder = tmp_path / "new" / "folder"
    evaluation.write(folder)
    assert sorted(file.name for file in folder.iterdir()) == [
        "confusion_matrix.png",
        "metrics.json",
        "per_class.csv",
        "predictions.csv",
        "reliability.png",
    ]
    assert json.loads((folder / "metrics.json").read_text()) == evaluation.to_dict()
    predictions = read_csv(folder / "predictions.csv")
    assert len(predictions) == 60
    assert predictions[0]["label"] == "" and predictions[1]["label"] == EMOTIONS[y_true[1]]
    for i in (0, 17, 59):
        row = predictions[i]
        assert (row["sample_id"], row["source"]) == (str(i), f"img/{i}.png")
        assert row["predicted"] == EMOTIONS[evaluation.probs[i].argmax()]
        assert float(row["confidence"]) == pytest.approx(evaluation.probs[i].max(), abs=1e-6)
        np.testing.assert_allclose([float(row[f"p_{name}"]) for name in EMOTIONS], evaluation.probs[i], atol=1e-6)
    table = read_csv(folder / "per_class.csv")
    assert [row["class"] for row in table] == list(EMOTIONS)
    assert table[7]["recall"] == "" and table[7]["support"] == "0"
    assert float(table[1]["f1"]) == evaluation.per_class[1].f1
    assert all(
        (folder / name).read_bytes().startswith(b"\x89PNG") for name in ("confusion_matrix.png", "reliability.png")
    )


def test_without_labels_no_figure_of_them_is_written(make_evaluation, softmax_rows, tmp_path):
    make_evaluation(samples=4, y_true=np.full(4, -1), distribution=softmax_rows(9, 4)).write(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["metrics.json", "predictions.csv"]


def test_both_figures_stand_side_by_side_when_samples_are_left_out(make_evaluation, tmp_path):
    evaluation = make_evaluation()
    right = evaluation.y_pred == evaluation.y_true
    without = evaluation.keep(~right | (np.arange(60) < 30))
    evaluation.write(tmp_path, without)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["excluded"] == 60 - len(without.y_true) > 0
    assert content["metrics"]["accuracy"] > content["metrics_without_excluded"]["accuracy"]
    stream = io.StringIO()
    evaluation.print(Console(file=stream, width=160), without)
    line = next(line for line in stream.getvalue().splitlines() if line.startswith("│ accuracy"))
    assert f"{evaluation.metrics['accuracy']:.2%}" in line and f"{without.metrics['accuracy']:.2%}" in line
    assert f"without {content['excluded']} excluded" in stream.getvalue()


def test_printed_tables_show_every_metric_and_every_class(make_evaluation, softmax_rows):
    stream = io.StringIO()
    make_evaluation(distribution=softmax_rows(9, 60)).print(Console(file=stream, width=120))
    text = stream.getvalue()
    for expected in ("balanced accuracy", "macro F1", "expected calibration error", "Kullback-Leibler", *EMOTIONS):
        assert expected in text
