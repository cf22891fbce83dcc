"""A picture on its way to the classifier."""

import dataclasses
from pathlib import Path

import numpy as np

from fer_keras.inference.image_files import ImageReadError, read_image, to_rgb


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """The pixels of a picture and where they come from.

    Args:
        path: the file; None for an array.
        pixels: (H, W, 3) uint8 RGB, or why they could not be read.
        frame: number of the frame, if `path` is a video.
        time: seconds since some moment at which a camera took it; None elsewhere.
    """

    path: str | None
    pixels: np.ndarray | ImageReadError
    frame: int | None = None
    time: float | None = None

    @classmethod
    def read(cls, source: "str | Path | np.ndarray | Picture") -> "Picture":
        """The picture of a file or an array; what cannot be read becomes its `pixels`."""
        if isinstance(source, Picture):
            return source
        path = None if isinstance(source, np.ndarray) else str(source)
        try:
            return cls(path, to_rgb(source) if path is None else read_image(path))
        except ImageReadError as error:
            return cls(path, error)

    @property
    def readable(self) -> bool:
        """Whether there are pixels."""
        return not isinstance(self.pixels, ImageReadError)
