"""The package ``mtcnn``: MTCNN in TensorFlow, its weights (2 MB, MIT) inside."""

import numpy as np

from fer_keras.faces.detector import DetectorError, FaceDetector
from fer_keras.faces.face import LANDMARKS, Face

_POINTS = dict(zip(LANDMARKS, ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"), strict=True))


class MtcnnDetector(FaceDetector):
    """MTCNN (Zhang et al., IEEE SPL 2016) in TensorFlow.

    Args, Raises: as for `FaceDetector`.

    Raises:
        DetectorError: the package is not installed.
    """

    def __init__(self, min_face: int | None = None, min_confidence: float = 0.9):
        super().__init__(min_face, min_confidence)
        try:
            from mtcnn import MTCNN
        except ImportError as error:
            raise DetectorError(
                f"detector mtcnn cannot be loaded ({error}): pip install mtcnn, or take another one"
            ) from error
        self._network = MTCNN()

    def find(self, image: np.ndarray, min_face: float) -> list[Face]:
        found = self._network.detect_faces(image, box_format="xyxy", min_face_size=min_face)
        return [
            Face(
                tuple(float(edge) for edge in face["box"]),
                np.array([face["keypoints"][point] for point in _POINTS.values()], np.float64),
                float(face["confidence"]),
            )
            for face in found or []
        ]
