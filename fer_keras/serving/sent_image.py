"""An image as it travels: a JPEG or PNG file that fits into a request."""

import dataclasses
import io
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from fer_keras.inference.image_files import ImageReadError, read_image, to_rgb

_JSON_FRAME = len('{"b64": ""}, ')


@dataclasses.dataclass(frozen=True)
class SentImage:
    """An encoded image.

    Args:
        content: a JPEG or PNG file.
        width, height: its pixels.

    Example:
        >>> image = SentImage.of(np.zeros((4, 5, 3), np.uint8))
        >>> image.width, image.height
        (5, 4)
    """

    content: bytes
    width: int
    height: int

    @classmethod
    def of(cls, image: np.ndarray | str | Path) -> "SentImage":
        """A file as the model decodes it: JPEG and PNG as they are, if upright; all else as PNG.

        Raises:
            ImageReadError: it cannot be read.
        """
        if isinstance(image, str | Path):
            size = _size_if_upright_jpeg_or_png(Path(image))
            if size is not None:
                return cls(Path(image).read_bytes(), *size)
            image = _read(image)
        return cls._png(Image.fromarray(to_rgb(image)))

    @property
    def body_bytes(self) -> int:
        """What it takes of the body of a request: base64, and the JSON around it."""
        return -(-len(self.content) // 3) * 4 + _JSON_FRAME

    @property
    def pixels(self) -> int:
        """Their number."""
        return self.width * self.height

    def fits(self, max_bytes: int, max_pixels: int) -> bool:
        """Whether it may be sent."""
        return self.body_bytes <= max_bytes and self.pixels <= max_pixels

    def halved(self, image: np.ndarray | str | Path) -> "SentImage":
        """Half as wide and high, as PNG: each pixel the mean of four.

        Args:
            image: what this was made of; a JPEG file as it was sent has not been decoded yet.

        Raises:
            ImageReadError: it cannot be read.
        """
        pixels = _read(image) if isinstance(image, str | Path) else to_rgb(image)
        factor = 2 * round(pixels.shape[1] / self.width)
        return self._png(Image.fromarray(pixels).reduce(factor))

    @classmethod
    def _png(cls, image: Image.Image) -> "SentImage":
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        return cls(file.getvalue(), *image.size)


def _read(path: str | Path) -> np.ndarray:
    try:
        return read_image(path)
    except ImageReadError as error:
        raise ImageReadError(f"{path}: {error}") from error


def _size_if_upright_jpeg_or_png(path: Path) -> tuple[int, int] | None:
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            return image.size if image.getexif().get(ExifTags.Base.Orientation, 1) == 1 else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None  # read_image says what is wrong, or reads another format
