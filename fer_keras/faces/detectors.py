"""Detectors by name."""

from fer_keras.faces.detector import DetectorError, FaceDetector

DETECTORS = ("mtcnn-runtime", "mtcnn")
NO_DETECTOR = "none"
"""The images are cropped faces already."""


def build_detector(name: str, min_face: int | None = None, min_confidence: float = 0.9) -> FaceDetector | None:
    """The detector of a name.

    Args:
        name: one of `DETECTORS`, or ``none``.
        min_face, min_confidence: as for `FaceDetector`.

    Returns:
        The detector; None for ``none``.

    Raises:
        DetectorError: an unknown name, or its package is not installed.
        ValueError: `min_face` or `min_confidence` is out of range.

    Example:
        >>> build_detector("none") is None
        True
    """
    if name == NO_DETECTOR:
        return None
    if name == "mtcnn-runtime":
        from fer_keras.faces.mtcnn_runtime_detector import MtcnnRuntimeDetector

        return MtcnnRuntimeDetector(min_face, min_confidence)
    if name == "mtcnn":
        from fer_keras.faces.mtcnn_detector import MtcnnDetector

        return MtcnnDetector(min_face, min_confidence)
    raise DetectorError(f"unknown detector {name!r}; known: {', '.join(DETECTORS)}, {NO_DETECTOR}")
