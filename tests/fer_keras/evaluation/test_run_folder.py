import pytest

from fer_keras.evaluation.run_folder import evaluation_folder, run_folder


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ("runs/a", "runs/a/evaluation-test"),
        ("runs/a/weights/best.keras", "runs/a/evaluation-test"),
        ("runs/a/weights/last.keras", "runs/a/evaluation-test-last"),
        ("exports/a/1", "exports/a/evaluation-1-test"),
        ("exports/a/model.tflite", "exports/a/evaluation-model.tflite-test"),
        ("exports/a/model.keras", "exports/a/evaluation-model.keras-test"),
    ],
)
def test_each_model_has_a_folder_of_its_own(tmp_path, model, folder):
    (tmp_path / "runs/a/weights").mkdir(parents=True)
    assert evaluation_folder(tmp_path / model, "test") == tmp_path / folder
    assert run_folder(tmp_path / model) == (tmp_path / "runs/a" if model.startswith("runs") else None)
