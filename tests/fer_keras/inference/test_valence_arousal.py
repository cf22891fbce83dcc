"""Models that predict valence and arousal beside the expression, in every format."""

import csv
import io
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fer_keras.export.litert import export_litert
from fer_keras.export.saved_model import export_saved_model
from fer_keras.inference.classifier import MissingOutputError
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.prediction import Prediction
from fer_keras.inference.predictor import Predictor
from fer_keras.inference.report import write_predictions

CLASSES = ("neutral", "happiness", "sadness")
FORMATS = ["keras", "saved_model", "litert", "int8"]


@pytest.fixture(scope="module")
def method(flat_backbone):
    import keras

    from fer_keras.methods import ValenceArousal

    keras.utils.set_random_seed(5)
    model = ValenceArousal(flat_backbone(6), CLASSES, dropout=0.5)
    model.regressor.kernel.assign(np.random.default_rng(0).normal(0, 1, (6, 2)))
    return model


@pytest.fixture(scope="module")
def faces():
    """(5, 8, 8, 3) uint8 of different brightness."""
    rng = np.random.default_rng(1)
    return np.clip(rng.integers(0, 90, (5, 8, 8, 3)) + 40 * np.arange(5)[:, None, None, None], 0, 255).astype("uint8")


@pytest.fixture(scope="module")
def files(method, faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("va")
    method.save(folder / "va.keras")
    export_saved_model(method, folder / "va", CLASSES)
    export_litert(method, folder / "va.tflite", CLASSES)
    export_litert(method, folder / "va_int8.tflite", CLASSES, "int8", faces.repeat(4, axis=0))
    return {
        "keras": folder / "va.keras",
        "saved_model": folder / "va",
        "litert": folder / "va.tflite",
        "int8": folder / "va_int8.tflite",
    }


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_both_outputs(files, method, faces, format):
    classifier = load_classifier(files[format])
    expected = method.inference_model().predict(faces, verbose=0)
    tolerance = 0.06 if format == "int8" else 1e-5
    assert classifier.has_valence_arousal
    positions = classifier.predict_valence_arousal(faces)
    assert positions.shape == (5, 2) and positions.dtype == np.float32
    np.testing.assert_allclose(positions, expected["valence_arousal"], atol=tolerance)
    np.testing.assert_allclose(classifier.predict_proba(faces), expected["probs"], atol=tolerance)
    assert np.ptp(positions, axis=0).min() > 0.1  # the images are told apart
    classifier.batch_size = 2
    both = classifier.predict(faces)
    np.testing.assert_allclose(both["valence_arousal"], positions, atol=1e-6)
    assert both.keys() == {"probs", "valence_arousal"}
    assert classifier.predict_valence_arousal(faces[:0]).shape == (0, 2)


def test_encoded_images_are_served_with_both_outputs(files, method, faces):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(files["saved_model"] / "1"))
    png = [tf.io.encode_png(face).numpy() for face in faces]
    served = loaded.signatures["serve_bytes"](image_bytes=tf.constant(png))
    np.testing.assert_allclose(served["valence_arousal"], method.forward(faces)["valence_arousal"], atol=1e-5)


def test_a_model_without_it_says_so(stored, images):
    for path in stored.values():
        classifier = load_classifier(path)
        assert not classifier.has_valence_arousal
        assert classifier.predict(images).keys() == {"probs"}
        with pytest.raises(MissingOutputError, match="predicts expressions only"):
            classifier.predict_valence_arousal(images)


def test_predictions_carry_the_position_of_their_image(files, method, faces):
    predictions = Predictor(files["litert"], batch_size=2).predict([*faces[:2], np.zeros((3, 3)), *faces[2:]])
    assert predictions[2].valence is None and predictions[2].arousal is None and predictions[2].error
    found = [[p.valence, p.arousal] for p in predictions if not p.error]
    np.testing.assert_allclose(found, method.forward(faces)["valence_arousal"], atol=1e-5)


def test_predictions_of_other_models_have_none(stored, images):
    (prediction,) = Predictor(stored["litert"]).predict(images[:1])
    assert prediction.label in CLASSES and prediction.valence is None and prediction.arousal is None


PREDICTIONS = [
    Prediction("a.png", "happiness", {"neutral": 0.25, "happiness": 0.75}, None, 0.5, -0.25),
    Prediction("b.png", None, {}, "no such file"),
]


def written(format: str) -> str:
    file = io.StringIO()
    write_predictions(PREDICTIONS, file, format, ("neutral", "happiness"), 3, valence_arousal=True)
    return file.getvalue()


def test_written_in_every_form():
    first, second = csv.DictReader(io.StringIO(written("csv")))
    assert (first["valence"], first["arousal"]) == ("0.500000", "-0.250000")
    assert (second["valence"], second["arousal"], second["error"]) == ("", "", "no such file")
    first, second = map(json.loads, written("jsonl").splitlines())
    assert (first["valence"], first["arousal"], second["valence"]) == (0.5, -0.25, None)
    header, *_ = written("table").splitlines()[1:]
    assert "valence" in header and "arousal" in header
    assert "+0.500" in written("table") and "-0.250" in written("table")


def test_the_command_has_the_columns_of_the_model(files, stored, faces, tmp_path):
    from PIL import Image

    from fer_keras.cli.main import app

    Image.fromarray(faces[0]).save(tmp_path / "face.png")
    headers = []
    for model in (files["litert"], stored["litert"]):
        result = CliRunner().invoke(
            app, ["predict", str(tmp_path / "face.png"), "--model", str(model), "--detector", "none", "--format", "csv"]
        )
        assert result.exit_code == 0, result.output
        headers.append(result.stdout.splitlines()[0].split(","))
    assert headers[0] == ["path", "label", *CLASSES, "valence", "arousal", "error"]
    assert headers[1] == ["path", "label", *CLASSES, "error"]
