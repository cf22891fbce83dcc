"""Crops of faces in which the eyes, the nose and the mouth lie where a model expects them."""

import numpy as np
from PIL import Image

from fer_keras.faces.crop_geometry import CropGeometry


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """The rotation, scaling and shift that brings points closest to others (least squares; Umeyama, 1991).

    Points in the plane are complex numbers here, and a similarity transform is ``z -> a z + b``: mirroring is not one.

    Args:
        source, target: (P, 2) x, y of the same points, P >= 2.

    Returns:
        a (scale and rotation) and b (shift).

    Raises:
        ValueError: all points of `source` are the same.

    Example:
        >>> similarity(np.array([[0, 0], [1, 0]]), np.array([[5, 5], [5, 7]]))
        (2j, (5+5j))
    """
    z, w = (np.asarray(points, np.float64) @ (1, 1j) for points in (source, target))
    centred = z - z.mean()
    spread = float((abs(centred) ** 2).sum())
    if spread == 0:
        raise ValueError("the points of a face lie on top of each other")
    a = complex((centred.conj() * (w - w.mean())).sum() / spread)
    return a, complex(w.mean() - a * z.mean())


def align_face(image: np.ndarray, landmarks: np.ndarray, geometry: CropGeometry, size: int) -> np.ndarray:
    """Cuts out a face so that its points lie where `geometry` has them.

    Args:
        image: (H, W, 3) uint8. What a crop shows beyond the picture's edge repeats the edge.
        landmarks: (5, 2) x, y in pixels, (0, 0) the centre of the first pixel.
        geometry: where the points lie in the crop.
        size: side in pixels of what the crop will be resized to (`crop_face` does).

    Returns:
        (S, S, 3) uint8, S from `size` to four times that: larger faces are averaged down first.

    Raises:
        ValueError: all landmarks are the same.
    """
    a, b = similarity(np.array(geometry.points), np.asarray(landmarks, np.float64) + 0.5)
    corners = b + a * np.array([0, 1, 1j, 1 + 1j])
    factor = max(1, int(abs(a) / (2 * size)))
    margin = 2 * factor + 2  # what bicubic sampling reads beyond the crop
    left, top = (int(np.floor(axis.min())) - margin for axis in (corners.real, corners.imag))
    right, bottom = (int(np.ceil(axis.max())) + margin for axis in (corners.real, corners.imag))
    region = Image.fromarray(_region(image, left, top, right, bottom)).reduce(factor)
    side = max(size, int(np.ceil(abs(a) / factor - 1e-6)))  # rounding must not add a pixel
    step, shift = a / factor / side, (b - complex(left, top)) / factor
    affine = (step.real, -step.imag, shift.real, step.imag, step.real, shift.imag)
    return np.asarray(region.transform((side, side), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC))


def crop_face(image: np.ndarray, landmarks: np.ndarray, geometry: CropGeometry, size: int) -> np.ndarray:
    """`align_face`, and what it gives averaged down to `size`: the crops of aligned record sets and of prediction.

    Args, Raises: as for `align_face`.

    Returns:
        (size, size, 3) uint8.

    Example:
        >>> from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY
        >>> points = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]])
        >>> crop_face(np.zeros((100, 100, 3), np.uint8), points, DEFAULT_GEOMETRY, 48).shape
        (48, 48, 3)
    """
    aligned = Image.fromarray(align_face(image, landmarks, geometry, size))
    return np.asarray(aligned.resize((size, size), Image.Resampling.BILINEAR))


def _region(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A rectangle of an image, which may reach beyond its edges."""
    height, width = image.shape[:2]
    rows = np.clip(np.arange(top, bottom), 0, height - 1)
    columns = np.clip(np.arange(left, right), 0, width - 1)
    return image[rows[:, None], columns[None, :]]
