import json

import numpy as np
import pytest

from fer_keras.comparison.comparison import Comparison, Figure, Row
from fer_keras.comparison.report import validation_curves, write_comparison


def row(label, seed, best, last=0.5, curve=(0.3, 0.4), **measures) -> Row:
    values = {"test_best_accuracy": best, "test_last_accuracy": last, "test_best_ece": 0.1, **measures}
    return Row(label, seed, 2, values, list(curve), 60.0)


@pytest.fixture
def comparison() -> Comparison:
    rows = (row("base", 0, 0.60), row("base", 1, 0.64), row("new", 0, 0.63), row("new", 1, 0.66))
    return Comparison(rows, ("base", "new"))


def test_mean_and_standard_error(comparison):
    figure = comparison.figure("base", "test_best_accuracy")
    assert figure.mean == pytest.approx(0.62)
    assert figure.standard_error == pytest.approx(0.02)  # sd 0.0283 over sqrt 2
    assert figure.percent() == "62.00 ± 2.00"
    assert Figure.of([0.5]) == Figure(0.5, None)
    assert Figure.of([0.5]).percent() == "50.00"


def test_the_gain_is_taken_seed_by_seed(comparison):
    gain = comparison.gain("new", "test_best_accuracy")  # 0.03 and 0.02
    assert gain.mean == pytest.approx(0.025)
    assert gain.standard_error == pytest.approx(0.005)
    assert gain.percent(signed=True) == "+2.50 ± 0.50"
    assert comparison.gain("base", "test_best_accuracy") is None


def test_a_seed_that_the_baseline_lacks_has_no_gain(comparison):
    longer = Comparison((*comparison.rows, row("new", 2, 0.9)), comparison.labels)
    assert longer.gain("new", "test_best_accuracy").mean == pytest.approx(0.025)
    assert len(longer.of("new")) == 3


def test_table_as_markdown(comparison):
    lines = comparison.markdown().splitlines()
    assert lines[0].startswith("|  | seeds | test, best epoch, % | above base |")
    assert lines[2] == "| base | 2 | 62.00 ± 2.00 |  | 50.00 ± 0.00 |  | 10.00 ± 0.00 | 1.0 |"
    assert lines[3].startswith("| new | 2 | 64.50 ± 1.50 | +2.50 ± 0.50 |")


def test_without_a_test_split_it_is_judged_on_validation():
    rows = (Row("base", 0, 1, {"validation_best_accuracy": 0.5, "validation_last_accuracy": 0.4}, [0.5], None),)
    comparison = Comparison(rows, ("base", "missing"))
    assert comparison.judged_on == "validation"
    assert comparison.table() == [
        ["base", "1", "50.00", "", "40.00", "", "", "-"],
        ["missing", "0", "", "", "", "", "", "-"],
    ]


def test_is_written_with_every_row(comparison, tmp_path):
    content = write_comparison(comparison, tmp_path, "fer-keras compare a.yaml")
    assert json.loads((tmp_path / "comparison.json").read_text()) == content
    assert content["command"] == "fer-keras compare a.yaml"
    assert content["summary"]["new"]["test_best_accuracy"]["above_baseline"]["mean"] == pytest.approx(0.025)
    assert [(r["label"], r["seed"]) for r in content["rows"]] == [("base", 0), ("base", 1), ("new", 0), ("new", 1)]
    assert (tmp_path / "comparison.md").read_text() == comparison.markdown()
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_curves_are_means_cut_to_the_shortest():
    rows = (row("base", 0, 0.6, curve=(0.2, 0.4, 0.6)), row("base", 1, 0.6, curve=(0.4, 0.6)))
    line = validation_curves(Comparison(rows, ("base", "none yet"))).axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), [0.3, 0.5])
    assert line.get_xdata().tolist() == [1, 2]
