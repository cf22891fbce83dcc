import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_keras.data.preprocessing import decode_image
from fer_keras.inference.image_files import ImageReadError, expand_inputs, read_image, to_rgb


def _pixels(height, width, channels=3, seed=0):
    """Smooth colours with some noise, so that JPEG has something to do."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 200, height * width * channels).reshape(height, width, channels)
    return (ramp + random.integers(0, 56, ramp.shape)).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from([("PNG", {}), *(("JPEG", {"quality": q, "subsampling": s}) for q in (20, 90) for s in (0, 1, 2))]),
)
def test_pixels_are_those_of_training(tmp_path_factory, height, width, grey, kind):
    format, options = kind
    image = Image.fromarray(_pixels(height, width))
    buffer = io.BytesIO()
    image.convert("L" if grey else "RGB").save(buffer, format=format, **options)
    file = tmp_path_factory.mktemp("image") / "image"
    file.write_bytes(buffer.getvalue())
    np.testing.assert_array_equal(read_image(file), decode_image(tf.constant(buffer.getvalue())))


def test_sixteen_bits_and_alpha_as_in_training(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (9, 7)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(_pixels(9, 7, 4)).save(tmp_path / "alpha.png")
    assert (read_image(tmp_path / "deep.png")[..., 0] == deep >> 8).all()
    for name in ("deep.png", "alpha.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name), decode_image(tf.io.read_file(str(tmp_path / name))))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    upright = _pixels(6, 4)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), upright)


@pytest.mark.parametrize("mode, suffix", [("1", "bmp"), ("P", "gif"), ("CMYK", "tif"), ("LA", "png"), ("RGB", "webp")])
def test_other_formats(tmp_path, mode, suffix):
    Image.fromarray(_pixels(8, 6)).convert(mode).save(tmp_path / f"image.{suffix}")
    pixels = read_image(tmp_path / f"image.{suffix}")
    assert pixels.shape == (8, 6, 3) and pixels.dtype == np.uint8 and np.ptp(pixels) > 0


def test_unreadable_files_say_why(tmp_path, monkeypatch):
    good = io.BytesIO()
    Image.fromarray(_pixels(40, 40)).save(good, "PNG")
    cases = {
        "text.png": (b"not an image", "not an image"),
        "empty.jpg": (b"", "not an image"),
        "cut.png": (good.getvalue()[:1500], "damaged"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageReadError, match=reason):
            read_image(tmp_path / name)
    with pytest.raises(ImageReadError, match="no such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(ImageReadError, match="no image files in this folder"):
        read_image(tmp_path)
    (tmp_path / "large.png").write_bytes(good.getvalue())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ImageReadError, match="too large: 40x40"):
        read_image(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow itself refuses above twice the limit
    with pytest.raises(ImageReadError, match="too large"):
        read_image(tmp_path / "large.png")


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_arrays_that_are_not_images(array):
    with pytest.raises(ImageReadError, match="wanted uint8 pixels"):
        to_rgb(array)


def test_alpha_of_an_array_is_dropped():
    np.testing.assert_array_equal(to_rgb(_pixels(3, 3, 4)), _pixels(3, 3, 4)[..., :3])


def test_expand_inputs(tmp_path):
    for name in ("b.png", "a.JPG", "notes.txt", "sub/c.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    def names(*inputs):
        return [str(path.relative_to(tmp_path)) for path in expand_inputs(inputs)]

    assert names(tmp_path) == ["a.JPG", "b.png", "sub/c.webp"]
    assert names(tmp_path / "notes.txt") == ["notes.txt"]
    assert names(f"{tmp_path}/*.png", tmp_path / "sub") == ["b.png", "sub/c.webp"]
    assert names(f"{tmp_path}/**/*.webp") == ["sub/c.webp"]
    assert names(f"{tmp_path}/*.gif", tmp_path / "absent.png") == ["*.gif", "absent.png"]
    (tmp_path / "odd[1].png").write_bytes(b"")
    assert names(tmp_path / "odd[1].png") == ["odd[1].png"]
