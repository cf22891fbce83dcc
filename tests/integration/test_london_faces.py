"""The shipped model and the default detector on real photographs: sixteen people, neutral and smiling."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_keras.faces.detectors import build_detector
from fer_keras.inference import Predictor

SHIPPED = Path(__file__).parents[2] / "saved_models" / "fer_mini_ferplus" / "model.tflite"

PIXELS = 4.0
"""Largest distance of a found pupil from the marked one, in photographs of 1350 x 1350 pixels."""


@pytest.fixture(scope="module")
def photographs(real_data):
    folder = real_data / "london_faces"
    if not folder.is_dir():
        pytest.skip(f"no photographs in {folder}")
    return folder


@pytest.mark.realdata
def test_every_face_is_found_and_the_pupils_are_where_people_marked_them(photographs):
    detector, seen = build_detector("mtcnn-runtime"), 0
    for file in sorted(photographs.glob("*/*.jpg")):
        faces = detector.detect(np.asarray(Image.open(file).convert("RGB")))
        assert len(faces) == 1, file
        marked = file.with_suffix(".tem")
        if marked.is_file():
            pupils = np.loadtxt(marked, skiprows=1, max_rows=2)
            distances = np.linalg.norm(faces[0].landmarks[:2] - pupils, axis=1)
            assert distances.max() <= PIXELS, (file, distances)
            seen += 1
    assert seen == 16


@pytest.mark.realdata
def test_smiles_are_happiness(photographs):
    """Not all of them: five of the sixteen are neutral to the model."""
    predictor = Predictor(SHIPPED, detector=build_detector("mtcnn-runtime"))
    found = {}
    for kind in ("neutral", "smiling"):
        files = [str(file) for file in sorted((photographs / kind).glob("*.jpg"))]
        found[kind] = predictor.predict(files)
        assert len(found[kind]) == 16
    assert all(prediction.label == "neutral" for prediction in found["neutral"])
    labels = [prediction.label for prediction in found["smiling"]]
    assert set(labels) <= {"happiness", "neutral"} and labels.count("happiness") >= 11
    for neutral, smiling in zip(found["neutral"], found["smiling"], strict=True):  # the same person
        assert smiling.probs["happiness"] > neutral.probs["happiness"]
