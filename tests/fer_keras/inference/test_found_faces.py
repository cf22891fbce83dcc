"""Prediction on pictures that are not crops: faces are found, aligned and classified."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from fer_keras.faces.alignment import crop_face
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, GEOMETRY_FILE, CropGeometry
from fer_keras.faces.detectors import build_detector
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.predictor import Predictor
from fer_keras.inference.report import write_predictions

SIZE = (12, 10)


@pytest.fixture(scope="module")
def detector():
    return build_detector("mtcnn-runtime", min_confidence=0.8)


@pytest.mark.parametrize("format", ["keras", "saved_model", "litert"])
def test_every_face_of_every_picture_in_order(format, stored, network, detector, photograph, drawn_faces):
    from fer_keras.data.preprocessing import resize

    empty = np.full((100, 120, 3), 90, np.uint8)
    predictor = Predictor(stored[format], batch_size=2, detector=detector)
    predictions = predictor.predict([photograph, empty, drawn_faces[2]])
    assert [prediction.label is not None for prediction in predictions] == [True, True, True, False, True]
    assert predictions[3].probs == {} and predictions[3].error is None and predictions[3].box is None
    for prediction, picture in zip(predictions, [photograph] * 3 + [None, drawn_faces[2]], strict=True):
        if picture is not None:
            crop = crop_face(picture, np.array(prediction.landmarks), DEFAULT_GEOMETRY, max(SIZE))
            pixels = resize(crop, SIZE).numpy().astype(np.uint8)
            expected = network(pixels[None])["probs"].numpy()[0]
            np.testing.assert_allclose(list(prediction.probs.values()), expected, atol=1e-5)
            assert prediction.confidence >= 0.8 and len(prediction.box) == 4


def test_the_geometry_stored_with_a_model_is_used(stored, detector, drawn_faces, tmp_path):
    (tmp_path / "model.tflite").write_bytes(stored["litert"].read_bytes())
    small = CropGeometry(points=[(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.6), (0.58, 0.6)], origin="a test")
    small.write(tmp_path / GEOMETRY_FILE)
    predictor = Predictor(tmp_path / "model.tflite", detector=detector)
    assert predictor.geometry == small
    wide, close = predictor.predict([drawn_faces[0]])[0], Predictor(stored["litert"], detector=detector)
    assert wide.probs != close.predict([drawn_faces[0]])[0].probs


def test_faces_are_cut_out_at_the_size_of_the_training_crops(stored, detector, drawn_faces):
    from fer_keras.data.preprocessing import resize

    classifier, seen = load_classifier(stored["litert"]), []
    classifier._predict_batch = lambda images: (seen.extend(images), {"probs": np.ones((len(images), 3)) / 3})[1]
    sized = DEFAULT_GEOMETRY.model_copy(update={"size": 40})
    (found,) = Predictor(classifier, detector=detector, geometry=sized).predict([drawn_faces[0]])
    crop = crop_face(drawn_faces[0], np.array(found.landmarks), DEFAULT_GEOMETRY, 40)
    np.testing.assert_array_equal(seen[0], resize(crop, SIZE))


def test_colour_is_taken_away_where_training_had_none(stored, drawn_faces):
    grey = DEFAULT_GEOMETRY.model_copy(update={"grey": True})
    brightness = np.asarray(Image.fromarray(drawn_faces[0]).resize(SIZE[::-1]).convert("L"))
    coloured = np.asarray(Image.fromarray(drawn_faces[0]).resize(SIZE[::-1]))
    of_colour, of_grey = Predictor(stored["litert"], geometry=grey).predict([coloured, brightness])
    assert of_colour.probs == of_grey.probs


def test_reports_say_where_the_faces_are(stored, detector, photograph):
    predictor = Predictor(stored["litert"], detector=detector)
    written = {}
    for format in ("jsonl", "csv", "table"):
        file = io.StringIO()
        assert write_predictions(
            predictor.predict_iter([photograph, photograph[:60, :60]]), file, format,
            predictor.classifier.class_names, faces=True,
        ) == 0  # fmt: skip
        written[format] = file.getvalue()
    lines = [json.loads(line) for line in written["jsonl"].splitlines()]
    assert [line["label"] is None for line in lines] == [False, False, False, True]
    assert len(lines[0]["landmarks"]) == 5 and lines[0]["frame"] is None and "valence" not in lines[0]
    rows = list(csv.DictReader(io.StringIO(written["csv"])))
    assert float(rows[0]["left"]) == pytest.approx(lines[0]["box"][0], abs=0.06)
    assert (rows[3]["left"], rows[3]["label"], rows[3]["confidence"]) == ("", "", "")
    assert written["table"].count("no face") == 1
