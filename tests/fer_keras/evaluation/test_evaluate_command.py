import json
import subprocess
import sys

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fer_keras.cli.evaluate import evaluate
from fer_keras.emotions import EMOTIONS, EMOTIONS_7

LABELS = [0, 1, 2, 3, 4, 5, 6, 0, 1, -1]


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory):
    """Two small untrained networks, with 8 and with 7 classes, each as the best weights of a run."""
    import keras

    runs = tmp_path_factory.mktemp("runs")
    for name, class_names in (("eight", EMOTIONS), ("seven", EMOTIONS_7)):
        image = keras.Input((6, 5, 3), dtype="uint8", name="image")
        features = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(image))
        probs = keras.layers.Dense(len(class_names), activation="softmax")(features)
        weights = runs / name / "weights"
        weights.mkdir(parents=True)
        keras.Model(image, {"probs": probs, "features": features}).save(weights / "best.keras")
        (weights / "labels.txt").write_text("\n".join(class_names))
    return runs


@pytest.fixture
def run(saved_models):
    app = typer.Typer()
    app.command()(evaluate)

    def invoke(*arguments, model="eight"):
        return CliRunner().invoke(app, [str(saved_models / model), *map(str, arguments)])

    return invoke


def test_tables_files_and_report(run, write_record_set, saved_models, tmp_path):
    data = write_record_set(LABELS, votes=np.eye(8)[np.maximum(LABELS, 0)]).directory
    result = run("--data", data, "--split", "test", "--batch-size", 4)
    assert result.exit_code == 0, result.output
    folder = saved_models / "eight" / "evaluation-test"
    content = json.loads((folder / "metrics.json").read_text())
    assert content["metrics"]["n"] == 9 and content["metrics"]["unlabelled"] == 1
    assert content["metrics"]["distribution_n"] == 10 and content["distribution_source"] == "votes"
    assert f"{content['metrics']['accuracy']:.2%}" in result.stdout and "contempt" in result.stdout
    assert len((folder / "predictions.csv").read_text().splitlines()) == 11
    assert "evaluation-test" in result.stderr and "report.html" in result.stderr
    assert "balanced accuracy" in (saved_models / "eight" / "report.html").read_text()


def test_json_to_standard_output_and_a_folder_of_ones_own(run, write_record_set, tmp_path):
    data = write_record_set(LABELS).directory
    leakage = tmp_path / "leakage.csv"
    leakage.write_text("split,sample_id,source\ntest,0,img/0.png\ntest,7,img/7.png\ntrain,1,img/1.png\n")
    out = tmp_path / "out"
    result = run("--data", data, "--split", "test", "--out", out, "--json", "--exclude", leakage)
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content == json.loads((out / "metrics.json").read_text())
    assert content["excluded"] == 2 and content["metrics"]["n"] == 9
    assert content["metrics_without_excluded"]["n"] == 7
    assert "report.html" not in result.stderr


def test_another_class_list_is_an_error(run, write_record_set):
    result = run("--data", write_record_set(LABELS).directory, "--split", "test", model="seven")
    assert result.exit_code == 1
    assert isinstance(result.exception, ValueError)
    assert ", ".join(EMOTIONS_7) in str(result.exception) and ", ".join(EMOTIONS) in str(result.exception)


def test_a_wrong_split_is_told_before_the_model_is_looked_at(run, write_record_set):
    result = run("--data", write_record_set(LABELS).directory, "--split", "tset", model="none")
    assert isinstance(result.exception, ValueError) and "no split 'tset'; it has: test" in str(result.exception)


def test_help_needs_no_heavy_import():
    code = (
        "import sys, typer\nfrom fer_keras.cli.evaluate import evaluate\n"
        "app = typer.Typer()\napp.command()(evaluate)\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'sklearn', 'matplotlib', 'numpy')))"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--exclude" in result.stdout


def test_a_missing_list_is_told_before_anything_is_read(run, tmp_path):
    result = run("--data", tmp_path, "--split", "test", "--exclude", tmp_path / "none.csv")
    assert result.exit_code == 2 and "none.csv" in "".join(result.stderr.replace("│", "").split())
