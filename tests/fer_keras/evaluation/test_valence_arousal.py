"""Valence and arousal from the predictions to metrics, files, figure and report."""

import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

from fer_keras.evaluation import evaluate, figures
from fer_keras.evaluation.evaluation import EvaluationError
from fer_keras.evaluation.report import write_report
from fer_keras.metrics.valence_arousal import valence_arousal_measures

MEASURES = {f"{name}_{of}" for name in ("ccc", "pcc", "rmse", "sagr") for of in ("valence", "arousal")} | {"ccc"}


@pytest.fixture
def placed(make_evaluation):
    """A function (changes) -> an evaluation of 60 samples with positions, ten of them unknown."""

    def make(**changes):
        rng = np.random.default_rng(3)
        true = rng.uniform(-1, 1, (60, 2))
        pred = np.clip(0.5 * true + rng.normal(0, 0.2, (60, 2)), -1, 1)
        true[:10] = np.nan
        return make_evaluation(**({"positions": true, "predicted_positions": pred} | changes))

    return make


def test_the_measures_are_those_of_the_samples_with_both(placed):
    evaluation = placed()
    metrics = evaluation.metrics
    expected = valence_arousal_measures(evaluation.positions[10:], evaluation.predicted_positions[10:])
    assert metrics["valence_arousal_n"] == 50 and metrics["n"] == 60
    assert {name: metrics[name] for name in MEASURES} == expected
    kept = evaluation.keep(np.arange(60) % 2 == 0)
    assert kept.metrics["valence_arousal_n"] == 25 and kept.metrics["ccc"] != metrics["ccc"]
    assert not MEASURES & placed(positions=None).metrics.keys()
    assert not MEASURES & placed(predicted_positions=None).metrics.keys()


def test_positions_alone_are_enough_and_without_predictions_are_not(placed):
    unlabelled = np.full(60, -1)
    assert placed(y_true=unlabelled).metrics.keys() > MEASURES
    with pytest.raises(EvaluationError, match="nor valence and arousal that the model predicts"):
        placed(y_true=unlabelled, predicted_positions=None)


def test_written_and_shown(placed, tmp_path):
    evaluation = placed()
    evaluation.write(tmp_path / "evaluation-test")
    content = json.loads((tmp_path / "evaluation-test" / "metrics.json").read_text())
    assert content["metrics"]["rmse_arousal"] == evaluation.metrics["rmse_arousal"]
    with open(tmp_path / "evaluation-test" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["valence"] == "" and float(rows[0]["predicted_arousal"]) == pytest.approx(
        evaluation.predicted_positions[0, 1], abs=1e-6
    )
    assert float(rows[20]["arousal"]) == pytest.approx(evaluation.positions[20, 1], abs=1e-6)
    stream = io.StringIO()
    evaluation.print(Console(file=stream, width=140))
    assert "CCC, valence" in stream.getvalue() and "sign agreement, arousal" in stream.getvalue()
    text = write_report(tmp_path).read_text()
    assert text.count('src="data:image/png') == 3 and f"<b>{evaluation.metrics['ccc']:.4f}</b>" in text


def test_a_report_without_labels_still_has_the_figure(placed, tmp_path):
    placed(y_true=np.full(60, -1)).write(tmp_path / "evaluation-test")
    text = write_report(tmp_path).read_text()
    assert text.count('src="data:image/png') == 1 and "precision" not in text and "CCC, arousal" in text


def test_what_is_undefined_is_a_dash_and_null(placed, tmp_path):
    evaluation = placed(positions=np.full((60, 2), 0.5), predicted_positions=np.full((60, 2), 0.5))
    assert evaluation.metrics["ccc"] is None and evaluation.metrics["rmse_valence"] == 0.0
    evaluation.write(tmp_path / "evaluation-test")
    assert json.loads((tmp_path / "evaluation-test" / "metrics.json").read_text())["metrics"]["pcc_valence"] is None
    assert "concordance (CCC)" not in write_report(tmp_path).read_text()


def test_the_figure_shows_every_sample_and_the_measures(placed):
    evaluation = placed()
    true, pred = evaluation.positions[10:], evaluation.predicted_positions[10:]
    valence, arousal, plane = figures.valence_arousal_scatter(true, pred, evaluation.metrics, "run").axes
    np.testing.assert_allclose(valence.collections[0].get_offsets(), np.stack([true[:, 0], pred[:, 0]], 1))
    np.testing.assert_allclose(arousal.collections[0].get_offsets(), np.stack([true[:, 1], pred[:, 1]], 1))
    np.testing.assert_allclose(plane.collections[1].get_offsets(), pred)
    assert f"CCC {evaluation.metrics['ccc_arousal']:.3f}" in arousal.texts[-1].get_text()
    assert {"happiness", "contempt", "run, 50 samples"} <= {text.get_text() for text in plane.texts}
    undefined = dict.fromkeys(evaluation.metrics)
    axes = figures.valence_arousal_scatter(true, pred, undefined).axes
    assert "CCC -" in axes[0].texts[-1].get_text()


def test_curves_have_a_panel_for_concordance_if_there_is_one():
    results = {"epoch": np.arange(3.0), "loss": np.ones(3), "val_ccc": np.array([0.1, 0.3, 0.2])}
    *_, panel = figures.results_curves(results).axes
    assert [line.get_label() for line in panel.lines] == ["validation", "best: 0.3000, epoch 1"]
    plain = {"epoch": np.arange(3.0), "loss": np.ones(3), "accuracy": np.ones(3)}
    assert len(figures.results_curves(plain).axes) == 2


class Placing:
    """Gives the image of grey value v the position (v / 100, -v / 100)."""

    def __init__(self, classifier, scale=0.01):
        self.path, self.class_names, self.image_size = classifier.path, classifier.class_names, classifier.image_size
        self.classifier, self.scale, self.has_valence_arousal = classifier, scale, True

    def predict(self, images):
        value = images[:, 0, 0, 0].astype("float32") * self.scale
        return {"probs": self.classifier.predict_proba(images), "valence_arousal": np.stack([value, -value], 1)}


@pytest.fixture
def positioned_set(write_record_set, monkeypatch):
    from fer_keras.evaluation import evaluator

    record_set = write_record_set([0, 1, 2, 3])
    read = evaluator.read_columns

    def with_positions(*arguments):
        columns = read(*arguments)
        columns["valence"] = np.array([0.0, 0.5, np.nan, 1.0], np.float32)
        columns["arousal"] = np.array([0.0, -0.5, 0.1, -1.0], np.float32)
        return columns

    monkeypatch.setattr(evaluator, "read_columns", with_positions)
    return record_set


def test_one_pass_gives_both(positioned_set, look_up_classifier):
    inner = look_up_classifier(np.full((4, 8), 0.125))
    evaluation = evaluate(Placing(inner), positioned_set, "test", batch_size=3)
    assert inner.batches == [3, 1]
    np.testing.assert_allclose(evaluation.predicted_positions[:, 0], [0, 0.01, 0.02, 0.03], atol=1e-7)
    assert evaluation.metrics["valence_arousal_n"] == 3
    assert evaluation.metrics["pcc_valence"] > 0.9
    plain = evaluate(inner, positioned_set, "test")
    assert plain.predicted_positions is None and "ccc" not in plain.metrics


def test_outputs_that_are_not_finite_are_refused(positioned_set, look_up_classifier):
    with pytest.raises(EvaluationError, match="valence and arousal are not finite for sample 0"):
        evaluate(Placing(look_up_classifier(np.full((4, 8), 0.125)), float("nan")), positioned_set, "test")
