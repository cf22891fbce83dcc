"""Faces aligned by their points: a record set read as the source of another."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator

import numpy as np
from PIL import Image

from fer_keras.data.records import RecordSet
from fer_keras.faces.alignment import align_face
from fer_keras.faces.crop_geometry import CropGeometry
from fer_keras.faces.detector import FaceDetector
from fer_keras.inference.image_files import to_rgb
from tfrecords_tools.images import ImageError, eight_bit, encode_png, open_image
from tfrecords_tools.importers.base import Importer, Row, sample_of
from tfrecords_tools.landmarks import find_landmarks
from tfrecords_tools.reading import iterate_batches


class AlignedRecordSet(Importer):
    """A record set with the largest face of every image cut out so that its points lie where `geometry` has them.

    An image without a face goes to the quarantine. Labels, votes, positions and sources stay; ``sample_id`` is counted
    anew, and sidecars do not apply to the new set. Prediction aligns faces by the same function.

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
        self.crop_geometry = geometry
        self.num_rows = sum(part.num_examples for part in parent.splits.values())
        self._found: dict[tuple[str, int], np.ndarray | None] = {}

    def inputs(self) -> dict[str, str]:
        return {name: split.fingerprint for name, split in self.parent.splits.items()}

    def options(self) -> dict:
        points = json.dumps(self.crop_geometry.points).encode()
        return {
            "detector": self.detector_name,
            "min_face": self.detector.min_face,
            "min_confidence": self.detector.min_confidence,
            "size": self.size,
            "geometry": hashlib.sha256(points).hexdigest(),
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
            image = eight_bit(open_image(encoded))
            pixels = to_rgb(np.asarray(image))
            crop = align_face(pixels, self._points(split, sample_id, pixels), self.crop_geometry, self.size)
            return encode_png(
                Image.fromarray(crop).resize((self.size, self.size), Image.Resampling.BILINEAR).convert(image.mode)
            )

        def check() -> int:
            self._points(split, sample_id, to_rgb(np.asarray(eight_bit(open_image(encoded)))))
            return self.size**2

        return dataclasses.replace(sample, image=crop, check=check)

    def _points(self, split: str, sample_id: int, pixels: np.ndarray) -> np.ndarray:
        """The landmarks, found once a run: the check of a conversion comes before its writing."""
        key = (split, sample_id)
        if key not in self._found:
            self._found[key] = find_landmarks(pixels, self.detector)
        if self._found[key] is None:
            raise ImageError("no face found")
        return self._found[key]
