"""Faces aligned by their points: a record set read as the source of another."""

import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from fer_keras.data.records import RecordSet
from fer_keras.faces.alignment import crop_face
from fer_keras.faces.crop_geometry import CropGeometry
from fer_keras.faces.detector import FaceDetector
from fer_keras.inference.image_files import to_rgb
from tfrecords_tools.geometry import has_grey_images
from tfrecords_tools.images import ImageError, eight_bit, encode_png, open_image
from tfrecords_tools.importers.base import Importer, Row, sample_of
from tfrecords_tools.reading import iterate_batches


class AlignedRecordSet(Importer):
    """A record set with the largest face of every image cut out so that its points lie where `geometry` has them.

    An image without a face goes to the quarantine. Labels, votes, positions and sources stay; ``sample_id`` is counted
    anew, and sidecars do not apply to the new set. Prediction finds and cuts out faces by the same functions. The
    geometry that is stored with the new set has the points of `geometry`, the size of the new images, and says whether
    these are grey, whatever the images were that `geometry` was measured on.

    Args:
        parent: the set to align.
        detector: finds the faces.
        detector_name: what it is called in the provenance.
        geometry: where the points shall lie.
        size: side of the new images in pixels.
    """

    def __init__(
        self, parent: RecordSet, detector: FaceDetector, detector_name: str, geometry: CropGeometry, size: int
    ):
        self.parent, self.detector, self.detector_name, self.size = parent, detector, detector_name, size
        self.name, self.class_names = parent.name, parent.class_names
        self.crop_geometry = geometry.model_copy(update={"grey": has_grey_images(parent), "size": size})
        self.num_rows = sum(part.num_examples for part in parent.splits.values())
        self._found: dict[tuple[str, int], np.ndarray | None] = {}

    def inputs(self) -> dict[str, str]:
        return {name: split.fingerprint for name, split in self.parent.splits.items()}

    def options(self) -> dict:
        return {
            "detector": self.detector_name,
            "min_face": self.detector.min_face,
            "min_confidence": self.detector.min_confidence,
            "size": self.size,
            "geometry": hashlib.sha256(self.crop_geometry.model_dump_json().encode()).hexdigest(),
            "parent": self.parent.provenance,
        }

    def rows(self) -> Iterator[Row]:
        for name in self.parent.splits:
            for batch in iterate_batches(self.parent, name):
                for index, sample_id in enumerate(batch["sample_id"]):
                    yield self._aligned(batch, index, name, int(sample_id))

    def _aligned(self, batch: dict, index: int, split: str, sample_id: int) -> Row:
        sample = sample_of(batch, index, split)
        encoded = sample.image()

        def crop() -> bytes:
            image = _upright(encoded)
            pixels = to_rgb(np.asarray(image))
            crop = crop_face(pixels, self._points(split, sample_id, pixels), self.crop_geometry, self.size)
            return encode_png(Image.fromarray(crop).convert(image.mode))

        def check() -> int:
            self._points(split, sample_id, to_rgb(np.asarray(_upright(encoded))))
            return self.size**2

        return dataclasses.replace(sample, image=crop, check=check)

    def _points(self, split: str, sample_id: int, pixels: np.ndarray) -> np.ndarray:
        """The landmarks, found once a run: the check of a conversion comes before its writing."""
        key = (split, sample_id)
        if key not in self._found:
            faces = self.detector.detect(pixels)
            self._found[key] = faces[0].landmarks if faces else None
        if self._found[key] is None:
            raise ImageError("no face found")
        return self._found[key]


def _upright(encoded: bytes) -> Image.Image:
    """An image as prediction reads it: its EXIF orientation applied, which the new PNG file does not carry."""
    try:
        return eight_bit(ImageOps.exif_transpose(open_image(encoded)))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"damaged: {error}") from error
