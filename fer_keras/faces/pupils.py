"""The centres of the pupils, from the circles of the irises.

A cascade's landmarks are some hundredths of the distance between the eyes off. The border of the iris is a circle of
known size, so it can be found as one: Daugman's integro-differential operator (1993) looks for the circle across which
the picture brightens most. Three things are added for photographs that were not made for iris recognition: only the
arcs to the left, to the right and below count, since lids cover the top; both sides must show a border; and the two
irises of a face have the same radius.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

MIN_EYE_DISTANCE = 60.0
"""Pixels between the eyes below which an iris is too small (a radius of 6 pixels) for its border to say more."""

EYE_DISTANCE = 160
"""Pixels between the eyes at which the search is made."""

RADII = np.arange(0.080, 0.1121, 0.004) * EYE_DISTANCE
"""Radii of an iris that are tried; an iris has 5.9 mm, the eyes are 54 to 74 mm apart."""

REACH = round(0.07 * EYE_DISTANCE)
"""How far from the landmark a pupil is looked for, on each axis."""

PATCH = round(0.22 * EYE_DISTANCE)
"""Half the side of the patch around an eye."""

GRADIENT = (-4.0, 5.0)
"""A border counts as one however bright the white of the eye is: brightening per pixel is cut off here."""

LOWER_WEIGHT = 0.3
"""Weight of the arc below, which lids may cover, against that of the two sides."""

PEAK = 0.9
"""The centre is the centroid of the positions that score at least this share of the best."""

_SIDE = np.deg2rad(np.arange(-30, 46, 5))
_ANGLES = np.concatenate([_SIDE, np.pi - _SIDE, np.deg2rad(np.arange(50, 131, 5))])


def refine_pupils(image: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Moves two eye landmarks to the centres of the pupils.

    Args:
        image: (H, W, 3) uint8 RGB.
        eyes: (2, 2) x, y of the left and the right eye in pixels, at least a pixel apart.

    Returns:
        (2, 2) float64, x and y each within 7 % of the distance between the eyes from what was given.

    Example:
        >>> refine_pupils(np.zeros((200, 300, 3), np.uint8), np.array([[100.0, 100.0], [200.0, 100.0]])).shape
        (2, 2)
    """
    eyes = np.asarray(eyes, np.float64)
    scale = float(np.hypot(*(eyes[1] - eyes[0]))) / EYE_DISTANCE
    red = Image.fromarray(np.ascontiguousarray(image[..., 0]))  # skin is bright in red, and dark irises stay dark
    scores = np.stack([_circle_scores(red, eye, scale) for eye in eyes])
    best = scores.max(axis=(2, 3))
    if (best.max(axis=1) <= 0).any():  # no border anywhere: eyes closed, or covered
        return eyes
    radius = int((best / best.max(axis=1, keepdims=True)).sum(axis=0).argmax())
    return np.stack([eye + scale * _centroid(score) for eye, score in zip(eyes, scores[:, radius], strict=True)])


def _circle_scores(red: Image.Image, eye: np.ndarray, scale: float) -> np.ndarray:
    """(R, 2 * REACH + 1, 2 * REACH + 1): how much a circle of each radius around each position looks like an iris."""
    left, top = eye + 0.5 - PATCH * scale  # Pillow counts from the corner of the first pixel
    box = (left, top, left + 2 * PATCH * scale, top + 2 * PATCH * scale)
    affine = (scale, 0, left, 0, scale, top)
    if left < 0 or top < 0 or box[2] > red.width or box[3] > red.height:
        patch = red.transform((2 * PATCH, 2 * PATCH), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
    else:
        patch = red.resize((2 * PATCH, 2 * PATCH), Image.Resampling.BICUBIC, box=box)
    rows, columns = np.gradient(gaussian_filter(np.asarray(patch, np.float32), 1.0))
    offsets = np.arange(-REACH, REACH + 1)
    x = PATCH - 0.5 + offsets[None, None, :, None] + RADII[:, None, None, None] * np.cos(_ANGLES)
    y = PATCH - 0.5 + offsets[None, :, None, None] + RADII[:, None, None, None] * np.sin(_ANGLES)
    at = np.stack(np.broadcast_arrays(y, x))
    brightening = map_coordinates(columns, at, order=1, mode="nearest") * np.cos(_ANGLES)
    brightening += map_coordinates(rows, at, order=1, mode="nearest") * np.sin(_ANGLES)
    brightening = np.clip(brightening, *GRADIENT)
    one, other, below = np.split(brightening, [len(_SIDE), 2 * len(_SIDE)], axis=-1)
    one, other, below = (np.maximum(arc.mean(axis=-1), 0) for arc in (one, other, below))
    return np.sqrt(one * other) + LOWER_WEIGHT * below


def _centroid(score: np.ndarray) -> np.ndarray:
    """(2,) x, y of the centre of the highest scores, from the middle of the square."""
    weight = np.maximum(score - PEAK * score.max(), 0)
    weight /= weight.sum()
    offsets = np.arange(-REACH, REACH + 1)
    return np.array([(weight.sum(axis=0) * offsets).sum(), (weight.sum(axis=1) * offsets).sum()])
