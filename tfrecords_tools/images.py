"""Checks and conversions of encoded images. An image that passes can be decoded by TensorFlow."""

import contextlib
import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tfrecords_tools.limits import DEFAULT_MAX_PIXELS

_KEPT_AS_ENCODED = ("PNG", "JPEG", "MPO")  # MPO: a JPEG with further images behind it
_CONVERTED = ("BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000")  # EPS is not among them: Pillow runs a program for it
_END_MARKERS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


class ImageError(ValueError):
    """An image that cannot be used; the message is the reason."""


@contextlib.contextmanager
def own_pixel_limit() -> Iterator[None]:
    """Switches Pillow's own limit off for a while, so that only ``max_pixels`` counts (the header is checked first)."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def check_image(encoded: bytes, max_pixels: int = DEFAULT_MAX_PIXELS) -> None:
    """Makes sure that an image is complete and can be decoded.

    Args:
        encoded: the bytes of an image file.
        max_pixels: largest number of pixels; compared with the header before anything is decoded.

    Raises:
        ImageError: empty, unreadable, truncated or too large; the message says which.

    Example:
        >>> check_image(b"")
        Traceback (most recent call last):
        ...
        tfrecords_tools.images.ImageError: empty file
    """
    if not encoded:
        raise ImageError("empty file")
    image = open_image(encoded)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(f"too large: {width}x{height} pixels are more than the limit of {max_pixels}")
    if image.format not in _KEPT_AS_ENCODED and image.mode not in _EIGHT_BIT + _SIXTEEN_BIT:
        raise ImageError(f"{image.format} with pixels of type {image.mode}; convert it to PNG")
    try:
        if image.format == "PNG":
            # Pillow decodes a PNG with wrong checksums, TensorFlow does not.
            open_image(encoded).verify()
        image.load()
    except Exception as error:  # decoders raise whatever they like on damaged data
        raise ImageError(f"truncated or damaged: {error}") from error
    end = _END_MARKERS.get(image.format, b"")
    if end not in encoded:  # Pillow forgives this, TensorFlow does not
        raise ImageError(f"truncated or damaged: the {image.format} has no end marker")


def convert_image(encoded: bytes, resize: int | None = None) -> bytes:
    """The bytes to store: a PNG or JPEG as it is, other formats as PNG, resized only if asked for.

    Args:
        encoded: an image file that passed `check_image`.
        resize: side in pixels; the image becomes `resize` x `resize` (bilinear with antialiasing) in its own format
            (JPEG at quality 95), unless it has that size already.

    Returns:
        The bytes of a PNG or JPEG file.
    """
    image = open_image(encoded)
    fits = resize is None or image.size == (resize, resize)
    if fits and image.format in _KEPT_AS_ENCODED:
        return encoded
    pixels = eight_bit(image)
    if not fits:
        pixels = pixels.resize((resize, resize), Image.Resampling.BILINEAR)
    return encode_like(image, pixels)


def encode_like(original: Image.Image, pixels: Image.Image) -> bytes:
    """The bytes of a file of `pixels`, which were made from `original`.

    Args:
        original: an opened image file.
        pixels: grey or RGB.

    Returns:
        A JPEG at quality 95 with full colour resolution where the original is a JPEG, else a PNG.
    """
    if original.format not in ("JPEG", "MPO"):
        return encode_png(pixels)
    buffer = io.BytesIO()
    pixels.save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def encode_png(image: Image.Image, compress_level: int = 6) -> bytes:
    """The bytes of a PNG file of `image`; `compress_level` 1 (fast) to 9 (small), never a different picture."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


def open_image(encoded: bytes) -> Image.Image:
    """Opens an image file without decoding its pixels.

    Raises:
        ImageError: not an image of a known format.
    """
    try:
        return Image.open(io.BytesIO(encoded), formats=("PNG", "JPEG", *_CONVERTED))
    except Exception as error:  # decoders raise whatever they like on damaged headers
        raise ImageError("unreadable: not an image of a known format, or a damaged header") from error


def eight_bit(image: Image.Image) -> Image.Image:
    """The pixels of an opened image as grey or RGB with eight bits; transparency is dropped."""
    if image.mode in _SIXTEEN_BIT:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
