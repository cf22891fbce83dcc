"""What may enter a record set: whatever passes the check, TensorFlow decodes."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tfrecords_tools.images import ImageError, check_image, convert_image, own_pixel_limit


def encode(array, image_format, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, image_format, **options)
    return buffer.getvalue()


def decode(encoded: bytes) -> np.ndarray:
    import tensorflow as tf

    return tf.io.decode_image(encoded, channels=3, expand_animations=False).numpy()


@pytest.fixture(scope="module")
def face(make_face):
    return make_face(3, 0)


def test_png_and_jpeg_stay_as_encoded(face):
    for image_format in ("PNG", "JPEG"):
        encoded = encode(face, image_format)
        check_image(encoded)
        assert convert_image(encoded) is encoded
        assert convert_image(encoded, resize=48) is encoded, "it has that size already"


@pytest.mark.parametrize("image_format", ["BMP", "GIF", "WEBP", "TIFF", "PPM"])
def test_other_formats_become_png_with_the_same_pixels(face, image_format):
    encoded = encode(face, image_format, **({"lossless": True} if image_format == "WEBP" else {}))
    check_image(encoded)
    converted = convert_image(encoded)
    assert converted.startswith(b"\x89PNG")
    expected = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
    np.testing.assert_array_equal(decode(converted), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
def test_every_usual_mode_is_converted(face, mode):
    buffer = io.BytesIO()
    Image.fromarray(face).convert(mode).save(buffer, "TIFF")
    check_image(buffer.getvalue())
    assert decode(convert_image(buffer.getvalue())).shape == (48, 48, 3)


def test_sixteen_bit_grey_keeps_its_upper_byte(face):
    grey = face[..., 0].astype(np.uint16) * 256 + 7
    encoded = encode(grey, "TIFF")
    check_image(encoded)
    np.testing.assert_array_equal(decode(convert_image(encoded))[..., 0], face[..., 0])


def test_float_pixels_are_refused(face):
    with pytest.raises(ImageError, match="TIFF with pixels of type F"):
        check_image(encode(face[..., 0].astype(np.float32), "TIFF"))


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_resizing_encodes_anew_in_the_same_format(face, image_format):
    resized = convert_image(encode(face, image_format), resize=24)
    assert Image.open(io.BytesIO(resized)).format == image_format
    expected = np.asarray(Image.fromarray(face).resize((24, 24), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(decode(resized).astype(int) - expected).mean() < (0.01 if image_format == "PNG" else 8)


def test_empty_and_unreadable():
    with pytest.raises(ImageError, match=r"^empty file$"):
        check_image(b"")
    for junk in (
        b"not an image",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ):
        with pytest.raises(ImageError, match="unreadable"):
            check_image(junk)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_every_cut_that_passes_can_be_decoded(face, image_format):
    encoded = encode(face, image_format)
    cuts = [len(encoded) - cut for cut in (1, 2, 3, 4, 8, 12, 16, 100, len(encoded) // 2)]
    refused = 0
    for end in cuts:
        try:
            check_image(encoded[:end])
        except ImageError:
            refused += 1
        else:
            assert decode(encoded[:end]).shape == (48, 48, 3)
    assert refused >= len(cuts) - 1


def test_png_with_a_wrong_checksum_is_refused(face):
    encoded = bytearray(encode(face, "PNG"))
    position = encoded.index(b"IDAT") + 20
    encoded[position] ^= 0xFF
    with pytest.raises(ImageError, match="truncated or damaged"):
        check_image(bytes(encoded))


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_decompression_bomb_is_refused_by_its_header():
    with own_pixel_limit(), pytest.raises(ImageError, match=r"too large: 60000x60000 pixels .* limit of 50000000"):
        check_image(bomb(60_000))
    assert Image.MAX_IMAGE_PIXELS is not None, "Pillow's own limit is back"


def test_the_limit_is_in_pixels(face):
    check_image(encode(face, "PNG"), max_pixels=48 * 48)
    with pytest.raises(ImageError, match="limit of 2303"):
        check_image(encode(face, "PNG"), max_pixels=48 * 48 - 1)
