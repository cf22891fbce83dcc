import numpy as np
import pytest

from fer_keras.evaluation.results import ResultsError, read_results, write_results_figure


def test_missing_values_are_nan(tmp_path):
    file = tmp_path / "results.csv"
    file.write_text("epoch,loss,val_loss\n0,1.5,\n1,1.25,NA\n")
    results = read_results(file)
    np.testing.assert_array_equal(results["loss"], [1.5, 1.25])
    assert np.isnan(results["val_loss"]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step,loss\n0,1\n", "no column 'epoch'; it has: step, loss"),
        ("", "it has: nothing"),
        ("epoch,loss\n", "no epoch has been recorded"),
        ("epoch,loss\n0,1\n1,high\n", "line 3: loss is 'high', not a number"),
    ],
)
def test_damage_is_named(tmp_path, text, message):
    file = tmp_path / "results.csv"
    file.write_text(text)
    with pytest.raises(ResultsError, match=f"results.csv.*{message}"):
        read_results(file)


def test_figure_of_a_run(tmp_path):
    (tmp_path / "results.csv").write_text("epoch,loss,val_loss\n0,1.5,1.6\n1,1.25,1.5\n")
    assert write_results_figure(tmp_path) == tmp_path / "results.png"
    assert (tmp_path / "results.png").read_bytes().startswith(b"\x89PNG")
