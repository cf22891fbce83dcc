"""The five points of a face in the images of a record set, which are crops of faces more often than photographs."""

import numpy as np
from PIL import Image

from fer_keras.faces.detector import FaceDetector

SMALL = 160
"""Pixels of the shorter side below which an image is taken for a crop of a face and enlarged: detectors learnt their
landmarks on larger faces, and look for faces with something around them."""

MARGIN = 0.3
"""What is added around such a crop on each side, as a share of the side; its edge is repeated there."""


def find_landmarks(image: np.ndarray, detector: FaceDetector) -> np.ndarray | None:
    """The points of the largest face in an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        detector: finds the face.

    Returns:
        (5, 2) x, y in pixels of `image`, (0, 0) the centre of the first pixel; None if no face is found.
    """
    height, width = image.shape[:2]
    if min(height, width) >= SMALL:
        faces = detector.detect(image)
        return faces[0].landmarks if faces else None
    scale = SMALL / min(height, width)
    size = (round(width * scale), round(height * scale))
    enlarged = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    margin = round(MARGIN * SMALL)
    faces = detector.detect(np.pad(enlarged, ((margin, margin), (margin, margin), (0, 0)), mode="edge"))
    if not faces:
        return None
    # Both ways of counting pixels meet at the corner of the first one.
    return (faces[0].landmarks + 0.5 - margin) * (width, height) / size - 0.5
