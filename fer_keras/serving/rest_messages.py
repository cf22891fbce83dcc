"""The bodies of TensorFlow Serving's REST ``predict`` (v1): JSON to a batch, outputs to JSON.

Row format: ``{"instances": [...]}`` is answered with ``{"predictions": [...]}``. Column format: ``{"inputs": ...}`` is
answered with ``{"outputs": ...}``. Encoded images are ``{"b64": "..."}``; ``signature_name`` chooses the signature.
"""

import base64
import binascii
import dataclasses
import json
from collections.abc import Callable, Mapping

import numpy as np

from fer_keras.serving.errors import RequestError

DEFAULT_SIGNATURE = "serving_default"


@dataclasses.dataclass(frozen=True)
class PredictRequest:
    """One request.

    Args:
        signature: name of the signature.
        batch: pixels (N, H, W, 3), or (N,) `bytes`; its values are not checked yet.
        columns: whether it came in column format, and so is to be answered.
    """

    signature: str
    batch: np.ndarray
    columns: bool


def parse_predict(body: bytes | object, input_name: Callable[[str], str]) -> PredictRequest:
    """Reads a request.

    Args:
        body: JSON text, or what was read from it.
        input_name: the name of a signature's only input; raises `RequestError` if there is no such signature.

    Returns:
        The request.

    Raises:
        RequestError: it is not in this format; the message says where.

    Example:
        >>> request = parse_predict(b'{"instances": [[1, 2], [3, 4]]}', {"serving_default": "image"}.get)
        >>> request.batch.tolist(), request.columns
        ([[1, 2], [3, 4]], False)
    """
    content = read_json(body) if isinstance(body, bytes) else body
    if not isinstance(content, Mapping):
        raise RequestError("wanted a JSON object with 'instances' or 'inputs'")
    signature = content.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(signature, str):
        raise RequestError("'signature_name' must be a string")
    name = input_name(signature)
    if ("instances" in content) == ("inputs" in content):
        raise RequestError("wanted either 'instances' (rows) or 'inputs' (columns)")
    if "instances" in content:
        rows = content["instances"]
        if not isinstance(rows, list):
            raise RequestError("'instances' must be a list")
        values = [_named(row, name, f"instances[{index}]") for index, row in enumerate(rows)]
        return PredictRequest(signature, _array(values, "instances"), columns=False)
    values = _named(content["inputs"], name, "inputs")
    return PredictRequest(signature, _array(values if isinstance(values, list) else [values], "inputs"), columns=True)


def read_json(text: bytes) -> object:
    """The content of a JSON text.

    Raises:
        RequestError: it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not JSON: {error}") from error


def format_outputs(outputs: Mapping[str, np.ndarray], columns: bool) -> dict:
    """The answer to a request.

    Args:
        outputs: name -> (N, ...).
        columns: whether the request came in column format.

    Returns:
        ``predictions`` or ``outputs``, made of lists; a model's only output stands without its name.

    Example:
        >>> format_outputs({"probs": np.array([[0.25, 0.75]])}, columns=False)
        {'predictions': [[0.25, 0.75]]}
        >>> format_outputs({"a": np.array([1.0]), "b": np.array([2.0])}, columns=False)
        {'predictions': [{'a': 1.0, 'b': 2.0}]}
    """
    lists = {name: values.tolist() for name, values in outputs.items()}
    if columns:
        return {"outputs": lists if len(lists) > 1 else next(iter(lists.values()))}
    if len(lists) == 1:
        return {"predictions": next(iter(lists.values()))}
    return {"predictions": [dict(zip(lists, row)) for row in zip(*lists.values(), strict=True)]}


def _named(value: object, name: str, where: str) -> object:
    """What stands under the input's name, or the value itself where no name is given."""
    if not isinstance(value, Mapping) or set(value) == {"b64"}:
        return value
    if set(value) != {name}:
        raise RequestError(f"{where}: wanted the input {name!r}, got {sorted(value)}")
    return value[name]


def _array(values: list, where: str) -> np.ndarray:
    """A list of encoded images, or of nested lists of numbers, as an array."""
    if any(isinstance(value, Mapping | str) for value in values):
        files = np.empty(len(values), dtype=object)
        for index, value in enumerate(values):
            files[index] = _decode_base64(value, f"{where}[{index}]")
        return files
    try:
        return np.array(values)
    except ValueError as error:
        raise RequestError(f"{where}: the lists of numbers are not of equal length") from error


def _decode_base64(value: object, where: str) -> bytes:
    if not isinstance(value, Mapping) or set(value) != {"b64"} or not isinstance(value["b64"], str):
        raise RequestError(f'{where}: wanted {{"b64": "<base64 of an encoded image>"}}')
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"{where}: not base64") from error
