"""A face that a detector found."""

import dataclasses

import numpy as np

LANDMARKS = ("left_eye", "right_eye", "nose", "left_mouth_corner", "right_mouth_corner")
"""The five points, left and right as seen in the picture."""


@dataclasses.dataclass(frozen=True, eq=False)
class Face:
    """Where a face is, in pixels of the picture; (0, 0) is the centre of the first pixel.

    Args:
        box: (left, top, right, bottom).
        landmarks: (5, 2) float64 x, y of `LANDMARKS`.
        confidence: the detector's, 0 to 1.

    Example:
        >>> Face((10.0, 20.0, 60.0, 90.0), np.zeros((5, 2)), 0.99).area
        3500.0
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    confidence: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes in pixels."""
        return float(np.hypot(*(self.landmarks[1] - self.landmarks[0])))
