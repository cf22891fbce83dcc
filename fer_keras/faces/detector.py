"""What finds faces."""

import abc
import dataclasses
import importlib
from types import ModuleType

import numpy as np
from PIL import Image

from fer_keras.faces.face import Face
from fer_keras.faces.pupils import MIN_EYE_DISTANCE, refine_pupils

MIN_FACE_SHARE = 0.03
"""Faces smaller than this share of the shorter side are not looked for: finding small faces takes most of the time."""

MIN_FACE_PIXELS = 20
"""The smallest face that the cascades of MTCNN can tell."""

SMALL = 160
"""Pixels of the shorter side below which an image is taken for a crop of a face and enlarged to find the points:
detectors learnt their landmarks on larger faces, and look for faces with something around them."""

LONGEST = 4 * SMALL
"""No crop of a face, and not enlarged: an image whose longer side has this many pixels or more."""

MARGIN = 0.3
"""What is added around such a crop on each side, as a share of the shorter side; its edge is repeated there."""


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
        min_face: height of the smallest face in pixels; None takes 3 % of the shorter side, 20 at least (in the
            enlarged image, where a small one is enlarged).
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
        """Finds the faces of an image: of a photograph, or of a small crop of one face, which is enlarged for it.

        Where the eyes are far enough apart, their points are moved to the pupils. Aligning a record set, measuring its
        crops and prediction all find faces by this function.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            The faces, largest first, in pixels of `image`; an empty list if there is none.
        """
        shorter, longer = sorted(image.shape[:2])
        if shorter < MIN_FACE_PIXELS:
            return []
        if shorter < SMALL and longer < LONGEST:
            faces = self._find_enlarged(image)
        else:
            faces = self.find(image, self.min_face or max(MIN_FACE_PIXELS, MIN_FACE_SHARE * shorter))
        sure = sorted((face for face in faces if face.confidence >= self.min_confidence), key=lambda face: -face.area)
        return [self._refined(image, face) for face in sure]

    def _find_enlarged(self, image: np.ndarray) -> list[Face]:
        """`find` in an image whose shorter side is enlarged to `SMALL` pixels, with a margin around it."""
        height, width = image.shape[:2]
        scale, margin = SMALL / min(height, width), round(MARGIN * SMALL)
        size = (round(width * scale), round(height * scale))
        enlarged = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        padded = np.pad(enlarged, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        faces = self.find(padded, self.min_face * scale if self.min_face else MIN_FACE_PIXELS)

        def shrunk(points: np.ndarray) -> np.ndarray:
            # Both ways of counting pixels meet at the corner of the first one.
            return (points + 0.5 - margin) * (width, height) / size - 0.5

        return [
            Face(tuple(shrunk(np.reshape(face.box, (2, 2))).ravel().tolist()), shrunk(face.landmarks), face.confidence)
            for face in faces
        ]

    @staticmethod
    def _refined(image: np.ndarray, face: Face) -> Face:
        if face.eye_distance < MIN_EYE_DISTANCE:
            return face
        landmarks = face.landmarks.copy()
        landmarks[:2] = refine_pupils(image, landmarks[:2])
        return dataclasses.replace(face, landmarks=landmarks)
