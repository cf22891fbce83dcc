"""Measures where the faces lie in the crops of a record set."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.faces.crop_geometry import CropGeometry
from fer_keras.faces.detector import FaceDetector
from fer_keras.inference.image_files import to_rgb
from tfrecords_tools.images import eight_bit, open_image
from tfrecords_tools.reading import iterate_batches

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
        The geometry; ``grey`` if no image has colour, and its ``size`` if all are squares of one.

    Raises:
        GeometryError: too few faces are found.
        RecordSetError: there is no such split.
    """
    encoded = read_columns(record_set, split, ["image"])["image"]
    chosen = np.random.default_rng(seed).permutation(len(encoded))[:samples]

    def look(index: int) -> tuple[np.ndarray | None, bool, tuple[int, int]]:
        image = to_rgb(np.asarray(eight_bit(open_image(encoded[index]))))
        faces = detector.detect(image)
        advance(1)
        points = (faces[0].landmarks + 0.5) / image.shape[1::-1] if faces else None
        return points, is_grey(image), image.shape[:2]

    with ThreadPoolExecutor() as pool:
        looked = list(pool.map(look, chosen))
    found = [points for points, _, _ in looked if points is not None]
    where = f"{record_set.directory}, split {split!r}"
    if len(found) < max(1, LEAST_SHARE * len(looked)):
        raise GeometryError(
            f"{where}: faces found in {len(found)} of {len(looked)} images only; are these crops of faces?"
        )
    sides = {side for _, _, shape in looked for side in shape}
    return CropGeometry(
        points=np.median(found, axis=0).round(4).tolist(),
        grey=all(grey for _, grey, _ in looked),
        size=sides.pop() if len(sides) == 1 else None,
        origin=f"median of the faces found in {len(found)} of {len(looked)} images of {record_set.name}/{split}",
    )


def has_grey_images(record_set: RecordSet) -> bool:
    """Whether no image of a record set has colour; a set with colour is not read further than to the first of it."""
    return all(
        is_grey(to_rgb(np.asarray(eight_bit(open_image(encoded)))))
        for split in record_set.splits
        for batch in iterate_batches(record_set, split)
        for encoded in batch["image"]
    )


def is_grey(image: np.ndarray) -> bool:
    """Whether an image (H, W, 3) has no colour.

    Example:
        >>> is_grey(np.full((2, 2, 3), 7)), is_grey(np.arange(12).reshape(2, 2, 3))
        (True, False)
    """
    return bool((image == image[..., :1]).all())
