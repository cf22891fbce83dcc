"""The package ``mtcnn-runtime``: MTCNN in ONNX Runtime, its weights (1.9 MB, Apache-2.0) inside."""

import numpy as np

from fer_keras.faces.detector import FaceDetector, import_detector
from fer_keras.faces.face import Face


class MtcnnRuntimeDetector(FaceDetector):
    """MTCNN (Zhang et al., IEEE SPL 2016) in ONNX Runtime; the default. TensorFlow is not imported.

    Args, Raises: as for `FaceDetector`.

    Raises:
        DetectorError: the package is not installed.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        hint = "pip install 'fer-keras[faces]', or take detector none for images that are cropped faces already"
        self._network = import_detector("mtcnnruntime", "mtcnn-runtime", hint).MTCNN()

    def find(self, image: np.ndarray, min_face: float) -> list[Face]:
        try:
            boxes, points = self._network.detect(np.ascontiguousarray(image[..., ::-1]), min_face_size=min_face)
        except ValueError as error:
            # Where the first stage proposes nothing, the package stacks an empty list.
            if "at least one array" in str(error):
                return []
            raise
        return [
            Face(tuple(float(edge) for edge in box[:4]), point.reshape(2, 5).T.astype(np.float64), float(box[4]))
            for box, point in zip(boxes, points, strict=True)
        ]
