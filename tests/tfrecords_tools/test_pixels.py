import io

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.pixels import identical_groups, pixel_hash, pixel_hashes


def _encode(pixels, image_format="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, **options)
    return buffer.getvalue()


GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def test_the_file_format_does_not_matter():
    rgb = np.repeat(GREY[:, :, None], 3, axis=2)
    encodings = [_encode(GREY), _encode(GREY, compress_level=0), _encode(rgb), _encode(rgb, "BMP")]
    assert len(set(encodings)) == 4
    assert len({pixel_hash(encoded) for encoded in encodings}) == 1


def test_pixels_and_size_matter():
    other = GREY.copy()
    other[3, 4] += 1
    hashes = {pixel_hash(_encode(pixels)) for pixels in (GREY, other, GREY.reshape(8, 6), GREY[:, ::-1].copy())}
    assert len(hashes) == 4


def test_sixteen_bit_images_above_255_stay_apart():
    bright = np.full((4, 4), 1000, dtype=np.uint16)
    assert pixel_hash(_encode(bright)) != pixel_hash(_encode(bright * 2))


def test_many_in_order_with_progress():
    images = [_encode(GREY + shift) for shift in range(20)]
    done = []
    assert pixel_hashes(images, done.append) == [pixel_hash(image) for image in images]
    assert sum(done) == 20


def test_what_cannot_be_decoded_is_an_error():
    with pytest.raises(OSError):
        pixel_hash(b"no image")


def test_identical_groups():
    assert identical_groups([("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"3"), ("e", b"1")]) == [["a", "c", "e"]]
