"""Image files on disk: which ones a command line means, and their pixels."""

import glob
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""File name endings taken for images when a folder is searched; a file named outright may have any."""


class ImageReadError(ValueError):
    """An image that cannot be read; the message says why, without the file's name."""


def expand_inputs(inputs: Sequence[str | Path]) -> list[Path]:
    """The files, images or videos, that a list of files, folders and glob patterns stands for.

    Args:
        inputs: files (taken as they are), folders (searched for images, see `SUFFIXES`, sub-folders included), patterns
            such as ``faces/*.png`` or ``clips/*.mp4`` (``**`` crosses folders), numbers of cameras.

    Returns:
        The files in the order of `inputs`, sorted within a folder or pattern. What matches nothing is kept as it
        stands, so that reading it reports it.
    """
    files: list[Path] = []
    for item in inputs:
        path = Path(item)
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        elif path.exists():
            found = [path]
        else:
            found = sorted(Path(match) for match in glob.glob(str(item), recursive=True) if Path(match).is_file())
        files.extend(found or [path])
    return files


def read_image(path: str | Path) -> np.ndarray:
    """Reads an image file of any format that Pillow knows; an EXIF orientation is applied.

    For JPEG and PNG the pixels are those of `fer_keras.data.preprocessing.decode_image` (both use the accurate
    integer transform; grey is repeated, alpha dropped, of 16 bits the high byte kept).

    Args:
        path: the file. Of an animation the first frame is taken.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageReadError: missing, damaged, too large, or not an image.
    """
    path = Path(path)
    if path.is_dir():
        raise ImageReadError("no image files in this folder")
    try:
        with Image.open(path) as image:
            limit = Image.MAX_IMAGE_PIXELS
            if limit and image.width * image.height > limit:
                raise ImageReadError(f"too large: {image.width}x{image.height} pixels, the limit is {limit}")
            return to_rgb(np.asarray(_to_eight_bit(ImageOps.exif_transpose(image))))
    except FileNotFoundError as error:
        raise ImageReadError("no such file") from error
    except UnidentifiedImageError as error:
        raise ImageReadError("not an image, or in a format that is not known") from error
    except Image.DecompressionBombError as error:
        raise ImageReadError(f"too large: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, ImageReadError):
            raise
        raise ImageReadError(f"damaged or not readable ({getattr(error, 'strerror', None) or error})") from error


def _to_eight_bit(image: Image.Image) -> Image.Image:
    """RGB with the high byte of 16-bit samples (Pillow's own conversion clips them at 255 instead)."""
    if image.mode.startswith("I;16") or image.mode == "I":
        high = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return Image.fromarray(high).convert("RGB")
    return image.convert("RGB")


def to_rgb(image: np.ndarray) -> np.ndarray:
    """An array of pixels as (H, W, 3): grey is repeated, an alpha channel dropped.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8.

    Raises:
        ImageReadError: another shape or type, or no pixels.

    Example:
        >>> to_rgb(np.zeros((4, 5), np.uint8)).shape
        (4, 5, 3)
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in image.shape:
        raise ImageReadError(f"wanted uint8 pixels of shape (H, W, 3), got {image.dtype} of shape {image.shape}")
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image[..., :3]
