"""Measures where the faces lie in the crops of a record set."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.faces.crop_geometry import CropGeometry
from fer_keras.faces.detector import FaceDetector
from fer_keras.inference.image_files import to_rgb
from tfrecords_tools.images import eight_bit, open_image
from tfrecords_tools.landmarks import find_landmarks

LEAST_SHARE = 0.2
"""Fewer faces than this share of the images do not tell how the images were cut."""


class GeometryError(ValueError):
    """A record set whose crops say nothing."""


def measure_geometry(
    record_set: RecordSet,
    split: str,
    detector: FaceDetector,
    samples: int = 600,
    seed: int = 0,
    advance: Callable[[int], object] = lambda count: None,
) -> CropGeometry:
    """The median place of each of the five points, over a random choice of images in which a face is found.

    Args:
        record_set, split: where the images are.
        detector: finds the points.
        samples: images looked at.
        seed: another seed, other images.
        advance: called with the number of images done since the last call.

    Returns:
        The geometry; ``grey`` if no image has colour.

    Raises:
        GeometryError: too few faces are found.
        RecordSetError: there is no such split.
    """
    encoded = read_columns(record_set, split, ["image"])["image"]
    chosen = np.random.default_rng(seed).permutation(len(encoded))[:samples]

    def look(index: int) -> tuple[np.ndarray | None, bool]:
        image = to_rgb(np.asarray(eight_bit(open_image(encoded[index]))))
        points = find_landmarks(image, detector)
        advance(1)
        grey = bool((image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all())
        return None if points is None else (points + 0.5) / image.shape[1::-1], grey

    with ThreadPoolExecutor() as pool:
        looked = list(pool.map(look, chosen))
    found = [points for points, _ in looked if points is not None]
    where = f"{record_set.directory}, split {split!r}"
    if len(found) < max(1, LEAST_SHARE * len(looked)):
        raise GeometryError(
            f"{where}: faces found in {len(found)} of {len(looked)} images only; are these crops of faces?"
        )
    points = np.median(found, axis=0).round(4).tolist()
    origin = f"median of the faces found in {len(found)} of {len(looked)} images of {record_set.name}/{split}"
    return CropGeometry(points=points, grey=all(grey for _, grey in looked), origin=origin)
