"""The package ``mtcnn``: MTCNN in TensorFlow, its weights (2 MB, MIT) inside."""

import numpy as np

from fer_keras.faces.detector import FaceDetector, import_detector
from fer_keras.faces.face import LANDMARKS, Face

_POINTS = dict(zip(LANDMARKS, ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"), strict=True))


class MtcnnDetector(FaceDetector):
    """MTCNN (Zhang et al., IEEE SPL 2016) in TensorFlow.

    Args, Raises: as for `FaceDetector`.

    Raises:
        DetectorError: the package is not installed.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._network = import_detector("mtcnn", "mtcnn", "pip install mtcnn, or take another one").MTCNN()

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
