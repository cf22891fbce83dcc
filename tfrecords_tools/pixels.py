"""Which images are identical, pixel by pixel, whatever file format they are stored in."""

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from tfrecords_tools.images import own_pixel_limit


def pixel_hash(encoded: bytes) -> bytes:
    """A hash of the decoded pixels: equal for images that show the same, as PNG or JPEG, grey or grey as RGB.

    Args:
        encoded: an image file.

    Returns:
        16 bytes; images of different size have different hashes.

    Raises:
        OSError: the image cannot be decoded.
    """
    with Image.open(io.BytesIO(encoded)) as image:
        # Sixteen bits stay as they are: converting would clip them, and unlike images would become equal.
        pixels = image.copy() if image.mode.startswith("I") else image.convert("RGB")
    digest = hashlib.blake2b(f"{pixels.mode}:{pixels.width}x{pixels.height}:".encode(), digest_size=16)
    digest.update(pixels.tobytes())
    return digest.digest()


def pixel_hashes(images: Sequence[bytes], advance: Callable[[int], object] = lambda count: None) -> list[bytes]:
    """The `pixel_hash` of every image, computed in parallel.

    Args:
        images: encoded images.
        advance: called with the number of images done since the last call.

    Returns:
        The hashes, in order.

    Raises:
        OSError: an image cannot be decoded.
    """
    hashes = []
    with own_pixel_limit(), ThreadPoolExecutor() as pool:
        for done in pool.map(pixel_hash, images):
            hashes.append(done)
            advance(1)
    return hashes


def identical_groups(hashes: Iterable[tuple[object, bytes]]) -> list[list]:
    """The groups of two or more samples with the same pixels.

    Args:
        hashes: pairs (sample, hash).

    Returns:
        The samples of each group in the order they came; groups in the order of their first sample.

    Example:
        >>> identical_groups([(0, b"x"), (1, b"y"), (2, b"x")])
        [[0, 2]]
    """
    groups: dict[bytes, list] = {}
    for sample, value in hashes:
        groups.setdefault(value, []).append(sample)
    return [group for group in groups.values() if len(group) > 1]
