import csv
import io
import json

import pytest

from fer_keras.inference.prediction import Prediction
from fer_keras.inference.report import write_predictions, write_predictions_file

CLASSES = ("neutral", "happiness", "sadness")
PREDICTIONS = [
    Prediction("a, b.png", "happiness", {"neutral": 0.25, "happiness": 0.7, "sadness": 0.05}),
    Prediction("[red]c.png", None, {}, "no such file"),
]


def _written(format, top=3):
    file = io.StringIO()
    assert write_predictions(iter(PREDICTIONS), file, format, CLASSES, top) == 1
    return file.getvalue()


def test_json_lines_hold_everything():
    first, second = map(json.loads, _written("jsonl").splitlines())
    assert first == {"path": "a, b.png", "label": "happiness", "probs": PREDICTIONS[0].probs, "error": None}
    assert second == {"path": "[red]c.png", "label": None, "probs": {}, "error": "no such file"}


def test_csv_has_a_column_per_class():
    first, second = csv.DictReader(io.StringIO(_written("csv")))
    assert first == {
        "path": "a, b.png", "label": "happiness",
        "neutral": "0.250000", "happiness": "0.700000", "sadness": "0.050000", "error": "",
    }  # fmt: skip
    assert (second["path"], second["label"], second["neutral"], second["error"]) == (
        "[red]c.png",
        "",
        "",
        "no such file",
    )


def test_table_shows_the_most_probable_classes():
    text = _written("table", top=2)
    assert "happiness 0.700  neutral 0.250" in text and "sadness" not in text
    assert "[red]c.png" in text and "no such file" in text  # file names are not markup


def test_bad_arguments():
    with pytest.raises(ValueError, match="unknown format 'xml'; known: table, jsonl, csv"):
        write_predictions([], io.StringIO(), "xml", CLASSES)
    with pytest.raises(ValueError, match="top must be at least 1"):
        write_predictions([], io.StringIO(), "table", CLASSES, 0)


def test_file_appears_only_when_complete(tmp_path):
    def broken():
        yield PREDICTIONS[0]
        assert not (tmp_path / "out.csv").exists()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_predictions_file(broken(), tmp_path / "out.csv", "csv", CLASSES)
    assert list(tmp_path.iterdir()) == []
    assert write_predictions_file(PREDICTIONS, tmp_path / "out.csv", "csv", CLASSES) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
