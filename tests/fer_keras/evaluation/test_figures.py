import matplotlib
import numpy as np
import pytest

from fer_keras.emotions import EMOTIONS
from fer_keras.evaluation import figures
from fer_keras.metrics.calibration import reliability_bins


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_confusion_matrix_shows_shares_of_the_row_and_counts():
    matrix = np.zeros((8, 8), int)
    matrix[0, :2] = (3, 1)
    matrix[1, 1] = 1200
    axes = figures.confusion_matrix(matrix, EMOTIONS, "run").axes[0]
    shown = texts(axes)
    assert "75%\n3" in shown and "25%\n1" in shown and "100%\n1,200" in shown
    assert shown.count("no samples") == 6
    np.testing.assert_allclose(axes.images[0].get_array()[0], [0.75, 0.25, 0, 0, 0, 0, 0, 0])
    assert [label.get_text() for label in axes.get_xticklabels()] == list(EMOTIONS)
    assert axes.get_title(loc="left") == "run" and f"accuracy {1203 / 1204:.2%}, 1,204 samples" in shown


def test_reliability_diagram_draws_the_bins(make_evaluation):
    evaluation = make_evaluation()
    bins = reliability_bins(evaluation.y_true, evaluation.probs, num_bins=5)
    upper, lower = figures.reliability_diagram(bins, "run").axes
    filled = bins.count > 0
    heights = [bar.get_height() for bar in upper.containers[0]]
    np.testing.assert_allclose(heights, bins.accuracy[filled])
    tops = [bar.get_y() + bar.get_height() for bar in upper.containers[1]]
    np.testing.assert_allclose(tops, bins.confidence[filled])
    np.testing.assert_allclose([bar.get_height() for bar in lower.containers[0]], bins.count / 60)
    assert f"ECE {bins.expected_calibration_error:.3f}" in texts(upper)[0]


def test_curves_mark_the_best_epoch_and_skip_what_is_missing():
    nan = float("nan")
    results = {
        "epoch": np.array([1.0, 2, 3]),
        "loss": np.array([3.0, 2, 1]),
        "val_loss": np.array([2.0, 1.5, 1.75]),
        "accuracy": np.full(3, nan),
        "val_accuracy": np.array([0.5, nan, 0.7]),
    }
    loss, accuracy = figures.results_curves(results, "run").axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "least: 1.5000, epoch 2"]
    assert [line.get_label() for line in accuracy.lines] == ["validation", "best: 70.00%, epoch 3"]
    np.testing.assert_array_equal(accuracy.lines[0].get_xdata(), [1, 3])


def test_a_saved_figure_is_a_png_and_leaves_no_other_file(tmp_path):
    figures.save(figures.results_curves({"epoch": np.arange(2.0)}), tmp_path / "a.png")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_drawing_leaves_no_trace_in_matplotlib(tmp_path, make_evaluation):
    from matplotlib import pyplot

    before, open_figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    make_evaluation().write(tmp_path)
    assert dict(matplotlib.rcParams) == before and pyplot.get_fignums() == open_figures


@pytest.mark.parametrize("classes", [2, 7])
def test_any_number_of_classes(classes):
    axes = figures.confusion_matrix(np.eye(classes, dtype=int), EMOTIONS[:classes]).axes[0]
    assert texts(axes).count("100%\n1") == classes


def test_a_run_without_labels_has_curves_of_its_loss_alone():
    results = {"epoch": np.arange(1.0, 3), "loss": np.array([1.0, 0.9]), "val_loss": np.array([0.9, 0.8])}
    (loss,) = figures.results_curves(results, "run").axes
    assert [line.get_label() for line in loss.lines][:2] == ["training", "validation"]
