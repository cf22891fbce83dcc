import base64
import json

import numpy as np
import pytest

from fer_keras.serving.errors import RequestError
from fer_keras.serving.rest_messages import format_outputs, parse_predict

B64 = {"b64": base64.b64encode(b"\x00\xffpng").decode()}


def names(signature):
    if signature not in ("serving_default", "serve_bytes"):
        raise RequestError(f"no signature {signature!r}")
    return {"serving_default": "image", "serve_bytes": "image_bytes"}[signature]


def parse(content):
    return parse_predict(json.dumps(content).encode(), names)


@pytest.mark.parametrize(
    "content",
    [
        {"instances": [[[1, 2]], [[3, 4]]]},
        {"instances": [{"image": [[1, 2]]}, {"image": [[3, 4]]}]},
        {"instances": [[[1, 2]], {"image": [[3, 4]]}], "signature_name": "serving_default"},
        {"inputs": [[[1, 2]], [[3, 4]]]},
        {"inputs": {"image": [[[1, 2]], [[3, 4]]]}},
    ],
)
def test_pixels_in_rows_and_columns(content):
    request = parse(content)
    assert request.batch.tolist() == [[[1, 2]], [[3, 4]]]
    assert request.columns == ("inputs" in content) and request.signature == "serving_default"


@pytest.mark.parametrize(
    "content",
    [{"instances": [B64]}, {"instances": [{"image_bytes": B64}]}, {"inputs": B64}, {"inputs": {"image_bytes": [B64]}}],
)
def test_encoded_images_in_rows_and_columns(content):
    request = parse({**content, "signature_name": "serve_bytes"})
    assert request.signature == "serve_bytes"
    assert request.batch.shape == (1,) and request.batch[0] == b"\x00\xffpng"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1], "wanted a JSON object"),
        ({}, "either 'instances'"),
        ({"instances": [1], "inputs": [1]}, "either 'instances'"),
        ({"instances": {"a": 1}}, "'instances' must be a list"),
        ({"instances": [1], "signature_name": 7}, "must be a string"),
        ({"instances": [1], "signature_name": "classify"}, "no signature 'classify'"),
        ({"instances": [1, {"pixels": 2}]}, r"instances\[1\]: wanted the input 'image', got \['pixels'\]"),
        ({"instances": [{}]}, r"instances\[0\]: wanted the input 'image', got \[\]"),
        ({"inputs": {"image": 1, "more": 2}}, "inputs: wanted the input 'image'"),
        ({"instances": [[1, 2], [3]]}, "not of equal length"),
        ({"instances": [{"b64": "%%"}]}, r"instances\[0\]: not base64"),
        ({"instances": [B64, [1]]}, r'instances\[1\]: wanted {"b64"'),
        ({"instances": [{"b64": 5}]}, r'instances\[0\]: wanted {"b64"'),
        ({"instances": ["text"]}, r'instances\[0\]: wanted {"b64"'),
    ],
)
def test_what_is_wrong_is_said_in_one_line(content, message):
    with pytest.raises(RequestError, match=message) as error:
        parse(content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"", b"[" * 100_000])
def test_not_json(text):
    with pytest.raises(RequestError, match=r"^not JSON"):
        parse_predict(text, names)


def test_one_output_stands_alone_and_several_have_names():
    one = {"probs": np.array([[0.5, 0.5]], np.float32)}
    two = {**one, "valence_arousal": np.array([[-1.0, 1.0]], np.float32)}
    assert format_outputs(one, False) == {"predictions": [[0.5, 0.5]]}
    assert format_outputs(one, True) == {"outputs": [[0.5, 0.5]]}
    assert format_outputs(two, False) == {"predictions": [{"probs": [0.5, 0.5], "valence_arousal": [-1.0, 1.0]}]}
    assert format_outputs(two, True) == {"outputs": {"probs": [[0.5, 0.5]], "valence_arousal": [[-1.0, 1.0]]}}
