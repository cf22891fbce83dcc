import sys

import numpy as np
import pytest

from fer_keras.faces.detector import DetectorError, FaceDetector
from fer_keras.faces.detectors import DETECTORS, build_detector
from fer_keras.faces.face import Face


@pytest.mark.parametrize("name", DETECTORS)
def test_faces_and_points_of_a_picture(name, photograph):
    faces = build_detector(name, min_confidence=0.8).detect(photograph)
    centres = [((face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2) for face in faces]
    assert [min((0, 1, 2), key=lambda i: abs((132, 350, 600)[i] - x)) for x, _ in centres] == [2, 0, 1]  # by size
    for face in faces:
        left, top, right, bottom = face.box
        assert face.landmarks.shape == (5, 2) and 0.8 <= face.confidence <= 1.001
        assert ((face.landmarks > (left, top)) & (face.landmarks < (right, bottom))).all()
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
        assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("shape", [(240, 320, 3), (12, 300, 3), (21, 21, 3)])
def test_a_picture_without_a_face(name, shape):
    assert build_detector(name).detect(np.full(shape, 127, np.uint8)) == []


def test_no_detector_and_an_unknown_one():
    assert build_detector("none") is None
    with pytest.raises(DetectorError, match="unknown detector 'haar'; known: mtcnn-runtime, mtcnn, none"):
        build_detector("haar")


@pytest.mark.parametrize(("name", "package"), [("mtcnn-runtime", "mtcnnruntime"), ("mtcnn", "mtcnn")])
def test_a_missing_package_is_named(name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DetectorError, match=f"detector {name} cannot be loaded .*pip install"):
        build_detector(name)


class _Fixed(FaceDetector):
    """Always the same faces."""

    def __init__(self, faces, **options):
        super().__init__(**options)
        self.faces, self.asked = faces, []

    def find(self, image, min_face):
        self.asked.append(min_face)
        return self.faces


def _face(side, confidence):
    return Face((0.0, 0.0, side, side), np.array([[3.0, 3], [9, 3], [6, 6], [3, 9], [9, 9]]), confidence)


def test_doubtful_faces_are_left_out_and_the_largest_comes_first():
    detector = _Fixed([_face(10.0, 0.95), _face(20.0, 0.5), _face(30.0, 0.99)], min_confidence=0.9)
    assert [face.area for face in detector.detect(np.zeros((200, 200, 3), np.uint8))] == [900, 100]


def test_the_smallest_face_follows_the_picture_unless_given():
    detector = _Fixed([])
    for shape in ((100, 500, 3), (2000, 3000, 3)):
        detector.detect(np.zeros(shape, np.uint8))
    assert detector.asked == [20, 60]
    fixed = _Fixed([], min_face=33)
    fixed.detect(np.zeros((2000, 3000, 3), np.uint8))
    assert fixed.asked == [33]


def test_a_small_crop_is_enlarged_and_its_points_are_those_of_its_own_pixels():
    image = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    # Eyes 100 pixels apart in the image enlarged twice are 50 apart in the crop: no irises to be found there.
    points = np.array([[78.0, 100], [178, 100], [128, 140], [90, 170], [160, 170]])
    detector = _Fixed([Face((58.0, 60.0, 198.0, 220.0), points, 0.99)])
    (face,) = detector.detect(image)
    np.testing.assert_allclose(face.landmarks, (points + 0.5 - 48) / 2 - 0.5)
    np.testing.assert_allclose(face.box, [4.75, 5.75, 74.75, 85.75])
    assert detector.asked == [20]


def test_of_a_small_crop_the_smallest_face_is_meant_in_its_own_pixels_and_a_strip_is_no_crop():
    detector = _Fixed([], min_face=33)
    detector.detect(np.zeros((80, 90, 3), np.uint8))
    detector.detect(np.zeros((80, 900, 3), np.uint8))
    assert detector.asked == [66, 33]


@pytest.mark.parametrize("options", [{"min_face": 5}, {"min_confidence": 1.5}])
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        _Fixed([], **options)
