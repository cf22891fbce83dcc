import dataclasses
import re

import numpy as np
import pytest

from fer_keras.emotions import ClassListMismatchError
from fer_keras.export.parity import measure_parity, size_on_disk
from fer_keras.inference.classifier import Classifier


class Scripted(Classifier):
    """Answers image i (its first pixel) with row i of a table."""

    def __init__(self, path, table, class_names=("neutral", "fear"), size=(1, 1)):
        super().__init__(path, class_names, size, 64)
        self.table = np.asarray(table, np.float32)
        self.calls = 0

    def _predict_batch(self, images):
        self.calls += 1
        return {"probs": self.table[images[:, 0, 0, 0]]}


IMAGES = np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
LABELS = np.array([0, 0, 1, 1])
TABLE = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])


@pytest.fixture
def measure(tmp_path):
    """Measures a table of answers against `TABLE`."""
    (tmp_path / "model.tflite").write_bytes(b"x" * 1234)

    def run(table, precision="float32", **limits):
        exported, reference = Scripted(tmp_path / "model.tflite", table), Scripted("trained.keras", TABLE)
        return measure_parity(exported, precision, IMAGES, LABELS, reference, TABLE, **limits)

    return run


def test_figures(measure):
    table = TABLE.copy()
    table[1] = [0.45, 0.55]  # one of four now wrong
    row = measure(table, "int8", max_drop=30.0)
    assert (row.file, row.precision, row.size, row.rejected) == ("model.tflite", "int8", 1234, None)
    assert (row.accuracy, row.drop) == (0.75, 25.0)
    assert row.max_difference == pytest.approx(0.15) and row.mean_difference == pytest.approx(0.15 / 4)
    assert row.latency_p50 is None  # timed elsewhere, all files together


def test_lost_accuracy_is_refused(measure):
    table = TABLE.copy()
    table[1] = [0.45, 0.55]
    assert "accuracy falls by 25.00 points to 0.7500 (allowed: 24.9)" in measure(table, "int8", max_drop=24.9).rejected
    assert measure(table, "int8", max_drop=25.0).rejected is None


def test_changed_probabilities_are_refused_in_float32_only(measure):
    table = TABLE + np.array([0.002, -0.002])
    assert "a probability changes by 0.002 (allowed: 0.001)" in measure(table).rejected
    assert measure(table, "int8").rejected is None
    assert measure(table, max_difference=0.01).rejected is None
    assert measure(TABLE).rejected is None


def test_not_a_number_is_refused(measure):
    table = TABLE.copy()
    table[3] = np.nan
    assert "not finite" in measure(table, "int8", max_drop=100).rejected


def test_another_class_list_is_an_error():
    exported = Scripted("a.tflite", TABLE, ("neutral", "anger"))
    with pytest.raises(ClassListMismatchError, match=r"\[neutral, fear\].*\[neutral, anger\]"):
        measure_parity(exported, "float32", IMAGES, LABELS, Scripted("b.keras", TABLE), TABLE)


def test_size_of_a_folder(tmp_path):
    (tmp_path / "1" / "assets").mkdir(parents=True)
    (tmp_path / "1" / "a").write_bytes(b"12")
    (tmp_path / "1" / "assets" / "b").write_bytes(b"345")
    assert size_on_disk(tmp_path / "1") == 5


def test_rows_are_plain_values(measure):
    import json

    row = measure(TABLE)
    assert json.loads(json.dumps(dataclasses.asdict(row)))["drop"] == 0.0


class Placing(Scripted):
    """As `Scripted`, with a position for each image."""

    def __init__(self, path, positions):
        super().__init__(path, TABLE)
        self.has_valence_arousal = True
        self.positions = np.asarray(positions, np.float32)

    def _predict_batch(self, images):
        return {**super()._predict_batch(images), "valence_arousal": self.positions[images[:, 0, 0, 0]]}


@pytest.mark.parametrize(
    ("precision", "shift", "reason"),
    [
        ("float32", 0.0, None),
        ("float32", 0.01, "valence or arousal changes by 0.01"),
        ("int8", 0.01, None),
        ("int8", 0.2, r"valence and arousal change by 0\.2 on average \(allowed: 0\.05\)"),
    ],
)
def test_moved_positions_are_refused(tmp_path, precision, shift, reason):
    (tmp_path / "model.tflite").write_bytes(b"x")
    positions = np.linspace(-0.5, 0.5, 8).reshape(4, 2)
    exported = Placing(tmp_path / "model.tflite", positions + shift)
    reference = Placing("trained.keras", positions)
    row = measure_parity(
        exported, precision, IMAGES, LABELS, reference, TABLE, reference_positions=positions.astype(np.float32)
    )
    assert row.position_difference == pytest.approx(shift, abs=1e-6)
    assert row.rejected is None if reason is None else re.search(reason, row.rejected)
