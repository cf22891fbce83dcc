import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fer_keras.data import preprocessing


def encoded(pixels, file_format="PNG", mode=None, **options):
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, file_format, **options)
    return file.getvalue()


def pixels_of(*shape, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def triangle_resize(pixels, size):
    """Bilinear interpolation whose kernel widens with the step when shrinking, one axis after the other."""

    def matrix(source, target):
        step = source / target
        support = max(step, 1.0)
        centers = (np.arange(target) + 0.5) * step - 0.5
        weights = np.maximum(0, 1 - np.abs(np.arange(source)[None] - centers[:, None]) / support)
        return weights / weights.sum(1, keepdims=True)

    rows, columns = matrix(pixels.shape[0], size[0]), matrix(pixels.shape[1], size[1])
    return np.einsum("ih,jw,hwc->ijc", rows, columns, pixels.astype(np.float64))


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGB", "RGBA"])
def test_png_of_every_mode_gives_its_rgb_pixels(mode):
    image = Image.fromarray(pixels_of(9, 7, 4)).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    file = io.BytesIO()
    image.save(file, "PNG")
    np.testing.assert_array_equal(preprocessing.decode_image(file.getvalue()), expected)


def test_sixteen_bit_png_keeps_the_high_byte():
    pixels = pixels_of(5, 6, dtype=np.uint16)
    decoded = preprocessing.decode_image(encoded(pixels)).numpy()
    np.testing.assert_array_equal(decoded, np.repeat((pixels >> 8)[..., None], 3, axis=-1))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_agrees_with_another_decoder(mode):
    smooth = np.linspace(0, 255, 32 * 24 * 3).reshape(32, 24, 3).astype(np.uint8)
    file = encoded(smooth, "JPEG", mode, quality=90)
    expected = np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)
    decoded = preprocessing.decode_image(file)
    assert decoded.dtype == tf.uint8
    assert np.abs(decoded.numpy().astype(int) - expected).max() <= 2


@pytest.mark.parametrize("file", [b"", b"not an image", encoded(pixels_of(32, 32, 3), "JPEG")[:600]])
def test_a_damaged_file_is_an_error(file):
    with pytest.raises(tf.errors.InvalidArgumentError):
        preprocessing.decode_image(file)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_images_of_the_right_size_pass_unchanged(dtype):
    images = (pixels_of(2, 6, 5, 3) / 1.7).astype(dtype)
    resized = preprocessing.resize(images, (6, 5))
    assert resized.dtype == tf.float32
    np.testing.assert_array_equal(resized, images.astype(np.float32))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 12), st.integers(1, 12))
def test_resize_is_antialiased_bilinear_rounded(height, width, new_height, new_width):
    pixels = pixels_of(height, width, 3, seed=height * 20 + width)
    resized = preprocessing.resize(pixels, (new_height, new_width)).numpy()
    assert np.abs(resized - triangle_resize(pixels, (new_height, new_width))).max() <= 0.501
    if (height, width) != (new_height, new_width):
        np.testing.assert_array_equal(resized, np.round(resized))


def test_resize_keeps_leading_dimensions():
    images = pixels_of(2, 3, 8, 8, 3)
    resized = preprocessing.resize(images, (4, 6))
    assert resized.shape == (2, 3, 4, 6, 3)
    np.testing.assert_array_equal(resized[1, 2], preprocessing.resize(images[1, 2], (4, 6)))


@pytest.mark.parametrize("size", [(8, 8), (5, 9)])
def test_resize_does_the_same_when_the_size_is_known_only_at_run_time(size):
    images = pixels_of(2, 8, 8, 3)
    unknown = tf.function(
        lambda batch: preprocessing.resize(batch, size),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)],
    )
    np.testing.assert_array_equal(unknown(images), preprocessing.resize(images, size))


def test_a_batch_is_decoded_like_its_files_with_static_shape():
    files = [encoded(pixels_of(4, 4, 3)), encoded(pixels_of(9, 6)), encoded(pixels_of(16, 12, 3), "JPEG")]
    graph = tf.function(
        lambda batch: preprocessing.decode_batch(batch, (6, 8)), input_signature=[tf.TensorSpec((None,), tf.string)]
    )
    assert graph.get_concrete_function().structured_outputs.shape.as_list() == [None, 6, 8, 3]
    singles = [preprocessing.decode_and_resize(file, (6, 8)).numpy() for file in files]
    np.testing.assert_array_equal(graph(tf.constant(files)), np.stack(singles))
