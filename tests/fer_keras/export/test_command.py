"""``fer-keras export`` and ``fer-keras predict``, one after the other, as processes' exit codes and output."""

import json

import pytest
from PIL import Image

from fer_keras.cli.main import app
from fer_keras.console import run


@pytest.fixture
def command(capsys):
    """Runs a command line; (exit code, stdout, stderr)."""

    def call(*args):
        with pytest.raises(SystemExit) as stopped:
            run(app, [str(arg) for arg in args])
        written = capsys.readouterr()
        return stopped.value.code, written.out, written.err

    return call


def test_export_then_predict(command, keras_file, record_set, tmp_path, draw):
    out = tmp_path / "out"
    options = ("--data", record_set(), "--split", "validation", "--calibration-split", "train", "--samples", 60)
    code, _, err = command("export", keras_file, "--out", out, "--format", "litert", "--precision", "float32", *options)
    assert code == 0 and "model.tflite" in err and "✗" not in err

    images, labels = draw(3, 9)
    faces = tmp_path / "faces"
    faces.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(faces / f"{index}.png")
    code, text, err = command(
        "predict", faces, "--model", out / "model.tflite", "--detector", "none", "--format", "jsonl"
    )
    rows = [json.loads(line) for line in text.splitlines()]
    assert code == 0 and [row["path"] for row in rows] == [str(faces / f"{index}.png") for index in range(3)]
    assert [list(row["probs"]).index(row["label"]) for row in rows] == labels.tolist()

    (faces / "bad.png").write_bytes(b"")
    code, text, err = command(
        "predict",
        f"{faces}/*.png",
        "--model",
        out / "model.tflite",
        "--detector",
        "none",
        "--out",
        tmp_path / "p.csv",
        "--format",
        "csv",
    )
    assert code == 1 and text == "" and "error: 1 file could not be read" in err
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 5


def test_rejected_export_ends_with_one(command, keras_file, record_set, tmp_path):
    options = ("--data", record_set(), "--split", "validation", "--calibration-split", "train", "--max-drop", "-1")
    code, _, err = command("export", keras_file, "--out", tmp_path / "out", "--format", "keras", *options)
    assert code == 1 and "model.keras ✗" in err and "model.keras rejected: accuracy falls by 0.00 points" in err
    assert (tmp_path / "out" / "model.keras.rejected").exists() and not (tmp_path / "out" / "model.keras").exists()


def test_mistakes_are_one_line(command, keras_file, tmp_path):
    code, _, err = command("export", keras_file, "--out", tmp_path / "out")
    assert code == 1 and err.count("\n") == 1 and "give --data" in err
    code, _, err = command("predict", "a.png", "--model", tmp_path / "none.keras")
    assert code == 1 and err == f"error: {tmp_path}/none.keras: no such file or folder\n"
    code, _, err = command("predict", "a.png", "--model", keras_file, "--format", "xml")
    assert code == 2 and "table, jsonl, csv" in err
