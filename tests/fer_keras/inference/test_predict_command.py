import json
import signal

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fer_keras.cli.main import app
from fer_keras.inference import session
from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.video import Video, write_video


def _predict(*arguments):
    result = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def holiday(photograph, tmp_path):
    """A folder with a picture of three people, a landscape, a damaged file, and a clip."""
    folder = tmp_path / "holiday"
    (folder / "more").mkdir(parents=True)
    Image.fromarray(photograph).save(folder / "people.png")
    Image.fromarray(np.full((60, 80, 3), 120, np.uint8)).save(folder / "more" / "people.jpg")
    (folder / "broken.png").write_bytes(b"nothing")
    write_video([photograph] * 4, tmp_path / "clip.mp4", 10.0)
    return folder


def test_a_folder_and_a_clip_with_annotated_copies(stored, holiday, tmp_path):
    clip, copies = tmp_path / "clip.mp4", tmp_path / "copies"
    code, out, err = _predict(
        holiday, clip, "--model", stored["litert"], "--every", 2, "--format", "jsonl", "--annotate", copies,
        "--min-confidence", 0.8,
    )  # fmt: skip
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and "1 file could not be read" in err
    counted = {(row["path"].rpartition("/")[2], row["frame"]): 0 for row in rows}
    for row in rows:
        counted[row["path"].rpartition("/")[2], row["frame"]] += row["label"] is not None
    assert counted == {
        ("broken.png", None): 0, ("people.jpg", None): 0, ("people.png", None): 3,
        ("clip.mp4", 0): 3, ("clip.mp4", 2): 3,
    }  # fmt: skip
    assert sorted(file.name for file in copies.iterdir()) == ["clip.mp4", "people-2.jpg", "people.jpg"]
    assert {Image.open(copies / name).size for name in ("people.jpg", "people-2.jpg")} == {(760, 360), (80, 60)}


def test_no_file_of_that_name_and_no_model(stored, tmp_path):
    code, _, err = _predict(tmp_path / "none.mp4", tmp_path / "none.png", "--model", stored["litert"])
    assert code == 1 and "2 files could not be read" in err
    result = CliRunner().invoke(app, ["predict", "a.png", "--model", str(tmp_path / "none.tflite")])
    assert isinstance(result.exception, ModelLoadError)


def test_an_unknown_detector(stored):
    result = CliRunner().invoke(app, ["predict", "a.png", "--model", str(stored["litert"]), "--detector", "haar"])
    assert "unknown detector 'haar'" in str(result.exception)


def test_the_default_model_outside_a_clone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["predict", "a.png"])
    assert isinstance(result.exception, ModelLoadError)
    assert "fer_mini_ferplus/model.tflite: no such file here" in str(result.exception)
    assert "give a model with --model" in str(result.exception)


def test_a_pattern_of_videos_and_a_folder_named_like_a_camera(stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2019").mkdir()
    Image.new("RGB", (20, 20)).save("2019/face.png")
    write_video([np.zeros((48, 64, 3), np.uint8)] * 2, tmp_path / "clips" / "a.mp4", 10.0)
    code, out, _ = _predict(
        "2019", "clips/*", "--model", stored["litert"], "--detector", "none", "--format", "jsonl"
    )  # fmt: skip
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    expected = [("2019/face.png", None), ("clips/a.mp4", 0), ("clips/a.mp4", 1)]
    assert [(row["path"], row["frame"]) for row in rows] == expected


@pytest.mark.parametrize("place", ["annotate", "write_predictions"])
def test_an_interrupted_video_is_kept(place, stored, tmp_path, monkeypatch):
    """Ctrl-C comes while the second frame is drawn, or while its prediction is written."""
    write_video([np.full((48, 64, 3), 20 * number, np.uint8) for number in range(9)], tmp_path / "clip.mp4", 10.0)
    arguments = [tmp_path / "clip.mp4", "--model", stored["litert"], "--detector", "none", "--format", "jsonl"]
    arguments += ["--batch-size", 2, "--out", tmp_path / "said.jsonl"]
    count, before = iter(range(100)), signal.getsignal(signal.SIGINT)

    def interrupting(function):
        def call(*args):
            if next(count) == 1:
                assert signal.getsignal(signal.SIGINT) is not before  # else the signal would end this process
                signal.raise_signal(signal.SIGINT)
            return function(*args)

        return call

    if place == "annotate":
        arguments += ["--annotate", tmp_path / "copies"]
        monkeypatch.setattr(session, "annotate", interrupting(session.annotate))
    else:
        monkeypatch.setattr(json, "dumps", interrupting(json.dumps))
    code, _, _ = _predict(*arguments)
    assert code == 0 and signal.getsignal(signal.SIGINT) is before
    frames = [json.loads(line)["frame"] for line in (tmp_path / "said.jsonl").read_text().splitlines()]
    assert frames == [0, 1]
    if place == "annotate":
        assert len(list(Video(tmp_path / "copies" / "clip.mp4"))) == 2
