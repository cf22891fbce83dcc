"""What finds faces."""

import abc
import dataclasses
import importlib
from types import ModuleType

import numpy as np

from fer_keras.faces.face import Face
from fer_keras.faces.pupils import MIN_EYE_DISTANCE, refine_pupils

MIN_FACE_SHARE = 0.03
"""Faces smaller than this share of the shorter side are not looked for: finding small faces takes most of the time."""

MIN_FACE_PIXELS = 20
"""The smallest face that the cascades of MTCNN can tell."""


class DetectorError(ValueError):
    """A detector that is not known, or whose package is not installed."""


def import_detector(package: str, detector: str, hint: str) -> ModuleType:
    """Imports the package of a detector.

    Raises:
        DetectorError: it is not installed; the message says what to do.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DetectorError(f"detector {detector} cannot be loaded ({error}): {hint}") from error


class FaceDetector(abc.ABC):
    """Finds faces and five points in each. A new detector is one subclass with `find`, and its name in the registry.

    Args:
        min_face: height of the smallest face in pixels; None takes 3 % of the shorter side, 20 at least.
        min_confidence: faces that the detector is less sure of are left out, 0 to 1.

    Raises:
        ValueError: one of the two is out of range.
    """

    def __init__(self, min_face: int | None = None, min_confidence: float = 0.9):
        if min_face is not None and min_face < MIN_FACE_PIXELS:
            raise ValueError(f"min_face should be at least {MIN_FACE_PIXELS} pixels, got {min_face}")
        if not 0 <= min_confidence <= 1:
            raise ValueError(f"min_confidence should be within 0 to 1, got {min_confidence}")
        self.min_face = min_face
        self.min_confidence = min_confidence

    @abc.abstractmethod
    def find(self, image: np.ndarray, min_face: float) -> list[Face]:
        """The faces of an image (H, W, 3) uint8 RGB that are at least `min_face` pixels high, in any order."""

    def detect(self, image: np.ndarray) -> list[Face]:
        """Finds the faces of an image. Where the eyes are far enough apart, their points are moved to the pupils.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            The faces, largest first; an empty list if there is none.
        """
        shorter = min(image.shape[:2])
        if shorter < MIN_FACE_PIXELS:
            return []
        faces = self.find(image, self.min_face or max(MIN_FACE_PIXELS, MIN_FACE_SHARE * shorter))
        sure = sorted((face for face in faces if face.confidence >= self.min_confidence), key=lambda face: -face.area)
        return [self._refined(image, face) for face in sure]

    @staticmethod
    def _refined(image: np.ndarray, face: Face) -> Face:
        if face.eye_distance < MIN_EYE_DISTANCE:
            return face
        landmarks = face.landmarks.copy()
        landmarks[:2] = refine_pupils(image, landmarks[:2])
        return dataclasses.replace(face, landmarks=landmarks)
