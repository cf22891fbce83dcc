import shutil
import struct
import zlib

import numpy as np
import pytest

from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.loading import load_classifier
from fer_keras.serving.errors import RequestError
from fer_keras.serving.limits import MAX_PIXELS
from fer_keras.serving.served_model import ServedModel


def files(*contents):
    array = np.empty(len(contents), dtype=object)
    array[:] = contents
    return array


def test_name_version_and_signatures(served, model_folder):
    assert (served.name, served.version, served.image_size) == ("faces", 1, (24, 20))
    assert served.class_names == ("neutral", "happiness", "sadness", "surprise")
    assert served.inputs == {"serve_bytes": "image_bytes", "serving_default": "image"}
    assert served.signature_of("image_bytes") == "serve_bytes"
    assert ServedModel(model_folder / "1", "other").name == "other"


def test_the_highest_version_is_served(model_folder, tmp_path):
    for version in ("2", "10"):
        shutil.copytree(model_folder / "1", tmp_path / "copies" / version)
    assert ServedModel(tmp_path / "copies").version == 10


def test_both_signatures_answer_as_the_local_model(served, model_folder, draw, png):
    images = draw(5)
    expected = load_classifier(model_folder).predict_proba(images)
    np.testing.assert_allclose(served.run("serving_default", images)["probs"], expected, atol=1e-6)
    encoded = served.check("serve_bytes", files(*map(png, images)))
    np.testing.assert_allclose(served.run("serve_bytes", encoded)["probs"], expected, atol=1e-6)


def test_integers_of_any_type_become_uint8(served, draw):
    images = draw(2)
    checked = served.check("serving_default", images.astype(np.int64))
    assert checked.dtype == np.uint8
    np.testing.assert_array_equal(checked, images)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.zeros((2, 24, 24, 3), np.uint8), r"shape \(N, 24, 20, 3\), got \(2, 24, 24, 3\)"),
        (np.zeros((24, 20, 3), np.uint8), r"got \(24, 20, 3\)"),
        (np.zeros((1, 24, 20, 3), np.float32), "integers 0..255, got values of type float32"),
        (np.full((1, 24, 20, 3), 256), "integers 0..255, got 256..256"),
        (np.full((1, 24, 20, 3), -1), r"got -1..-1"),
        (files(b"png"), r"got \(1,\)"),
    ],
)
def test_bad_pixels(served, batch, message):
    with pytest.raises(RequestError, match=message):
        served.check("serving_default", batch)


def test_bad_files(served, draw, png):
    good = png(draw(1)[0])
    with pytest.raises(RequestError, match="image 1: not a JPEG or PNG file"):
        served.check("serve_bytes", files(good, b"GIF89a"))
    with pytest.raises(RequestError, match="image 0: wanted an encoded image, got str"):
        served.check("serve_bytes", files("text"))
    with pytest.raises(RequestError, match=r"wanted a list of encoded images, got an array of shape \(1, 24, 20, 3\)"):
        served.check("serve_bytes", draw(1))
    with pytest.raises(RequestError, match="an image cannot be decoded"):
        served.run("serve_bytes", served.check("serve_bytes", files(good[:-60])))


def empty_png(width, height):
    """A file of a few bytes that says it has so many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_small_files_that_unfold_to_gigabytes_are_refused(served):
    content = empty_png(8000, MAX_PIXELS // 8000 + 1)
    with pytest.raises(RequestError, match=f"8000x5001 pixels, the limit is {MAX_PIXELS}"):
        served.check("serve_bytes", files(content))
    with pytest.raises(RequestError, match=f"image 0: too many pixels, the limit is {MAX_PIXELS}"):
        served.check("serve_bytes", files(empty_png(30_000, 30_000)))
    half = empty_png(8000, MAX_PIXELS // 16000)
    assert len(served.check("serve_bytes", files(half, half))) == 2
    with pytest.raises(RequestError, match=f"3 images of 60000000 pixels together, .* is {MAX_PIXELS}; send fewer"):
        served.check("serve_bytes", files(half, half, half))


def test_unknown_names(served):
    with pytest.raises(RequestError, match="no signature 'classify'; this model has: serve_bytes, serving_default"):
        served.check("classify", np.zeros(1))
    with pytest.raises(RequestError, match="no input 'x'; this model has: image_bytes, image"):
        served.signature_of("x")


def test_what_is_not_a_saved_model(tmp_path):
    with pytest.raises(ModelLoadError, match="missing: no such file or folder"):
        ServedModel(tmp_path / "missing")
    with pytest.raises(ModelLoadError, match="not a SavedModel folder; fer-keras export"):
        ServedModel(tmp_path)
    (tmp_path / "model.keras").touch()
    with pytest.raises(ModelLoadError, match="not a SavedModel folder"):
        ServedModel(tmp_path / "model.keras")
