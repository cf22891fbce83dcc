"""Drawn faces with a known truth (`fer_keras.data.synthetic`) as a data set."""

import functools
import threading
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image

from fer_keras.data.synthetic import SyntheticError, SyntheticFaces
from tfrecords_tools.images import encode_png
from tfrecords_tools.importers.base import Importer, Row, Sample

TRUE_DISTRIBUTIONS, INTENSITY = "true_distributions", "intensity"
"""Sidecars of what only a drawn set knows: (N, C) and (N,), both float32."""

_BATCH = 128  # samples drawn together


class _Batch:
    """Neighbouring samples, drawn together when the first is asked for and forgotten when all were handed out."""

    def __init__(self, faces: SyntheticFaces, split: str, start: int, end: int):
        self.faces, self.split, self.start, self.end = faces, split, start, end
        self._lock = threading.Lock()
        self._images: dict[int, np.ndarray] = {}

    def png(self, index: int) -> bytes:
        """The encoded image of a sample."""
        with self._lock:
            if index not in self._images:
                numbers = range(self.start, self.end)
                self._images = dict(zip(numbers, self.faces.sample(self.split, numbers).images))
            image = self._images.pop(index)
        return encode_png(Image.fromarray(image), compress_level=1)  # noise does not get smaller with more effort


class Synthetic(Importer):
    """Drawn faces; the records hold exactly the pixels that `SyntheticFaces.sample` gives.

    Args:
        faces: what is drawn.
        sizes: name of a split -> number of its samples; splits of 0 samples are left out.

    Raises:
        SyntheticError: a number below 0, or no sample at all.
    """

    name = "synthetic"

    def __init__(self, faces: SyntheticFaces, sizes: Mapping[str, int]):
        if min(sizes.values(), default=0) < 0 or not sum(sizes.values()):
            wanted = ", ".join(f"{split} {size}" for split, size in sizes.items())
            raise SyntheticError(f"no faces to draw: {wanted}; a split needs at least 1 sample")
        self.faces = faces
        self.sizes = {split: size for split, size in sizes.items() if size}
        self.class_names = faces.class_names
        self.num_rows = sum(self.sizes.values())

    def inputs(self) -> dict[str, str]:
        return {}

    def options(self) -> dict:
        return {"seed": self.faces.seed, "size": self.faces.size, "samples": self.sizes}

    def sidecars(self) -> dict[str, dict]:
        made = {"source": self.name, "seed": self.faces.seed}
        return {TRUE_DISTRIBUTIONS: made, INTENSITY: made}

    def rows(self) -> Iterator[Row]:
        for split, size in self.sizes.items():
            for start in range(0, size, _BATCH):
                yield from self._batch(split, start, min(start + _BATCH, size))

    def _batch(self, split: str, start: int, end: int) -> Iterator[Row]:
        batch, known = _Batch(self.faces, split, start, end), self.faces.truth(split, range(start, end))
        columns = (
            known.labels.tolist(),
            known.votes.tolist(),
            known.valence_arousal.tolist(),
            known.distributions.astype(np.float32),
            known.intensities.astype(np.float32),
        )
        for index, label, votes, (valence, arousal), distribution, intensity in zip(range(start, end), *columns):
            yield Sample(
                split,
                functools.partial(batch.png, index),
                label,
                f"{self.name}:{split}:{index}",
                votes,
                valence,
                arousal,
                check=self._image_bytes,
                extras={TRUE_DISTRIBUTIONS: distribution, INTENSITY: intensity},
            )

    def _image_bytes(self) -> int:
        return self.faces.size**2 * 3
