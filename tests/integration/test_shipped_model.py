"""The model in ``saved_models``: complete, small, one answer from every file, and as good as its card says."""

import json
from pathlib import Path

import numpy as np
import pytest

from fer_keras.emotions import EMOTIONS
from fer_keras.export.judgement import judge
from fer_keras.faces.crop_geometry import GEOMETRY_FILE
from fer_keras.inference.loading import load_classifier

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fer_mini_ferplus"
BYTES = 6_000_000
"""Most that all its files may have together."""

TOLERANCES = {"1": 1e-5, "model.tflite": 1e-4, "model_float16.tflite": 0.02, "model_int8.tflite": 0.5}
"""Largest difference of a probability from that of ``model.keras``."""


@pytest.fixture(scope="module")
def faces():
    from fer_keras.data.synthetic import SyntheticFaces

    return SyntheticFaces(seed=3, size=48).sample("test", range(48)).images


@pytest.fixture(scope="module")
def expected(faces):
    return load_classifier(SHIPPED / "model.keras").predict_proba(faces)


def test_everything_is_there_and_small():
    present = {path.name for path in SHIPPED.iterdir()}
    assert {"model.keras", "labels.txt", "MODEL_CARD.md", "export.json", GEOMETRY_FILE, *TOLERANCES} <= present
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) <= BYTES
    assert not any(name.endswith(".rejected") for name in present)


@pytest.mark.parametrize("name", TOLERANCES)
def test_every_file_gives_the_same_answer(name, faces, expected):
    classifier = load_classifier(SHIPPED / name)
    assert classifier.class_names == EMOTIONS
    probs = classifier.predict_proba(faces)
    np.testing.assert_allclose(probs, expected, atol=TOLERANCES[name])
    assert (probs.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.9


def test_colour_and_mirroring_change_nothing(faces, expected):
    classifier = load_classifier(SHIPPED / "model.tflite")
    np.testing.assert_allclose(classifier.predict_proba(faces[:, :, ::-1]), expected, atol=1e-4)
    tinted = faces.copy()
    tinted[..., 2] = tinted[..., 2] // 2
    grey = np.round(tinted @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=-1).astype(np.uint8)
    np.testing.assert_allclose(classifier.predict_proba(tinted), classifier.predict_proba(grey), atol=0.05)


@pytest.mark.slow
@pytest.mark.realdata
def test_as_accurate_as_its_card_says(real_data, run_tool, tmp_path):
    source = real_data / "fer2013"
    files = ["--images", source / "fer2013.csv.gz", "--votes", source / "fer2013new.csv"]
    done = run_tool("ferplus", *files, "--out", tmp_path / "ferplus")
    assert done.returncode == 0, done.stderr
    measured = judge(load_classifier(SHIPPED / "model.keras"), tmp_path / "ferplus", "PublicTest")
    claimed = json.loads((SHIPPED / "export.json").read_text())["test"]
    assert measured["n"] == claimed["n"] == 3199
    assert measured["accuracy"] == pytest.approx(claimed["accuracy"], abs=1e-6)
