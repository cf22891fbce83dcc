"""A client of the REST ``predict`` of `fer-keras serve` and of TensorFlow Serving."""

import base64
import http.client
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np

from fer_keras.inference.class_list import read_labels_file
from fer_keras.serving.limits import MAX_PIXELS, MAX_REQUEST_BYTES
from fer_keras.serving.sent_image import SentImage

SIGNATURE = "serve_bytes"
_FRAME = 64
"""Bytes of a request besides its images."""

Images = Sequence[np.ndarray | str | Path] | np.ndarray


class ServingError(ValueError):
    """The server cannot be reached, refuses the request, or answers something else; the message says which."""


class Client:
    """Asks a server for the expressions of faces.

    Images travel as files (signature ``serve_bytes``), arrays as PNG, which loses nothing. One that is too large for a
    request of its own is halved in width and height until it fits, but not below the size that the model looks at.

    Args:
        url: ``http://host:port`` or ``https://...``, with a path if a proxy adds one.
        name: the model's name on the server.
        class_names: C names in the order of the probabilities, or a ``labels.txt``. TensorFlow Serving does not tell
            them; `fer-keras serve` does, and needs none here.
        timeout: seconds to wait for the connection, and for each part of an answer.
        batch_size: most images in one request; the server must allow so many.
        max_request_bytes: largest request; the server must allow it.

    Raises:
        ServingError: `url` is not such an address.

    Example:
        >>> Client("localhost:8501", "faces")
        Traceback (most recent call last):
        ...
        fer_keras.serving.client.ServingError: localhost:8501: wanted http://host:port
    """

    def __init__(
        self,
        url: str,
        name: str,
        class_names: Sequence[str] | str | Path | None = None,
        timeout: float = 10.0,
        batch_size: int = 16,
        max_request_bytes: int = MAX_REQUEST_BYTES,
    ):
        try:
            parts = urlsplit(url)
            self._port = parts.port
        except ValueError as error:
            raise ServingError(f"{url}: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServingError(f"{url}: wanted http://host:port")
        self._connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host = parts.hostname
        self._path = f"{parts.path.rstrip('/')}/v1/models/{quote(name, safe='')}"
        self._address = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._timeout = timeout
        self._batch_size = batch_size
        self._max_request_bytes = max_request_bytes
        if isinstance(class_names, str | Path):
            class_names = read_labels_file(Path(class_names))
        self._class_names = None if class_names is None else tuple(class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the order of the probabilities.

        Raises:
            ServingError: none were given, and the server does not tell them.
        """
        if self._class_names is None:
            names = self._ask("GET", "/metadata").get("metadata", {}).get("class_names")
            if not names:
                raise ServingError(f"{self._address}: this server tells no class names; give class_names")
            self._class_names = tuple(names)
        return self._class_names

    def predict(self, images: Images) -> list[dict[str, float]]:
        """Probabilities by class name.

        Args:
            images: files of any format that Pillow reads, or uint8 arrays (H, W, 3) of any size, RGB.

        Returns:
            For each image, class name -> probability.

        Raises:
            ServingError: no usable answer, or an image that is too large and cannot be scaled down.
            ImageReadError: an image cannot be read.
        """
        return [dict(zip(self.class_names, row)) for row in self.predict_proba(images).tolist()]

    def predict_proba(self, images: Images) -> np.ndarray:
        """Class probabilities, (N, C) float32.

        Args, Raises: as `predict`.
        """
        if not len(images):
            return np.empty((0, len(self.class_names)), np.float32)
        rows: list = []
        for files in self._batches(images):
            body = {
                "signature_name": SIGNATURE,
                "instances": [{"b64": base64.b64encode(file.content).decode()} for file in files],
            }
            predictions = self._ask("POST", ":predict", body).get("predictions")
            if not isinstance(predictions, list) or len(predictions) != len(files):
                raise ServingError(f"{self._address}: an answer without {len(files)} predictions")
            rows += [row["probs"] if isinstance(row, dict) else row for row in predictions]
        probs = np.array(rows, np.float32).reshape(len(rows), -1)
        if probs.shape[1] != len(self.class_names):
            raise ServingError(
                f"{self._address}: {probs.shape[1]} probabilities for the classes {', '.join(self.class_names)}"
            )
        return probs

    def _batches(self, images: Images) -> Iterator[list[SentImage]]:
        """The images in requests that the server takes: not too many, too long, or of too many pixels."""
        batch: list[SentImage] = []
        for index, image in enumerate(images):
            sent = self._fitting(image, index)
            together = [*batch, sent]
            if (
                len(together) > self._batch_size
                or sum(part.body_bytes for part in together) + _FRAME > self._max_request_bytes
                or sum(part.pixels for part in together) > MAX_PIXELS
            ):
                yield batch
                together = [sent]
            batch = together
        yield batch

    def _fitting(self, image: np.ndarray | str | Path, index: int) -> SentImage:
        """The image as a file that fits into a request."""
        sent = whole = SentImage.of(image)
        while not sent.fits(self._max_request_bytes - _FRAME, MAX_PIXELS):
            least = self._input_size()
            if least is None or sent.height // 2 < least[0] or sent.width // 2 < least[1]:
                raise ServingError(
                    f"{image if isinstance(image, str | Path) else f'image {index}'}: {whole.width}x{whole.height} "
                    f"pixels, {whole.body_bytes / 2**20:.3g} MiB of a request; the limits are {MAX_PIXELS} and "
                    f"{self._max_request_bytes / 2**20:.3g}; scale it down, or cut the face out"
                )
            sent = sent.halved(image)
        return sent

    def _input_size(self) -> tuple[int, int] | None:
        """Height and width of the model's input; None where the server does not tell them."""
        answer = self._ask("GET", "/metadata")
        try:
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            _, height, width, _ = signatures["serving_default"]["inputs"]["image"]["tensor_shape"]["dim"]
            return int(height["size"]), int(width["size"])
        except (KeyError, TypeError, ValueError):
            return None

    def _ask(self, method: str, path: str, body: dict | None = None) -> dict:
        connection = self._connect(self._host, self._port, timeout=self._timeout)
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, self._path + path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except TimeoutError as error:
            raise ServingError(f"{self._address}: no answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise ServingError(f"{self._address}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if response.status != 200:
            reason = answer.get("error") if isinstance(answer, dict) else None
            raise ServingError(f"{self._address}: {response.status} {reason or response.reason}")
        if not isinstance(answer, dict):
            raise ServingError(f"{self._address}: an answer that is not a JSON object")
        return answer
