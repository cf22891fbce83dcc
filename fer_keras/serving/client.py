"""A client of the REST ``predict`` of `fer-keras serve` and of TensorFlow Serving."""

import base64
import http.client
import io
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
from PIL import ExifTags, Image

from fer_keras.inference.class_list import read_labels_file
from fer_keras.inference.image_files import ImageReadError, read_image, to_rgb

SIGNATURE = "serve_bytes"


class ServingError(ValueError):
    """The server cannot be reached, refuses the request, or answers something else; the message says which."""


class Client:
    """Asks a server for the expressions of faces.

    Images travel as files (signature ``serve_bytes``), arrays as PNG, which loses nothing.

    Args:
        url: ``http://host:port`` or ``https://...``, with a path if a proxy adds one.
        name: the model's name on the server.
        class_names: C names in the order of the probabilities, or a ``labels.txt``. TensorFlow Serving does not tell
            them; `fer-keras serve` does, and needs none here.
        timeout: seconds to wait for the connection, and for each part of an answer.
        batch_size: images in one request; the server must allow so many.

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

    def predict(self, images: Sequence[np.ndarray | str | Path] | np.ndarray) -> list[dict[str, float]]:
        """Probabilities by class name.

        Args:
            images: files of any format that Pillow reads, or uint8 arrays (H, W, 3) of any size, RGB.

        Returns:
            For each image, class name -> probability.

        Raises:
            ServingError: no usable answer.
            ImageReadError: an image cannot be read.
        """
        return [dict(zip(self.class_names, row)) for row in self.predict_proba(images).tolist()]

    def predict_proba(self, images: Sequence[np.ndarray | str | Path] | np.ndarray) -> np.ndarray:
        """Class probabilities, (N, C) float32.

        Args, Raises: as `predict`.
        """
        if not len(images):
            return np.empty((0, len(self.class_names)), np.float32)
        rows: list = []
        for start in range(0, len(images), self._batch_size):
            files = [_encoded(image) for image in images[start : start + self._batch_size]]
            body = {
                "signature_name": SIGNATURE,
                "instances": [{"b64": base64.b64encode(file).decode()} for file in files],
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


def _encoded(image: np.ndarray | str | Path) -> bytes:
    """A file as the model decodes it: JPEG and PNG as they are, if upright; all else as PNG."""
    if isinstance(image, str | Path):
        if _is_upright_jpeg_or_png(Path(image)):
            return Path(image).read_bytes()
        try:
            image = read_image(image)
        except ImageReadError as error:
            raise ImageReadError(f"{image}: {error}") from error
    file = io.BytesIO()
    Image.fromarray(to_rgb(image)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _is_upright_jpeg_or_png(path: Path) -> bool:
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            return image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    except (OSError, SyntaxError, ValueError):  # read_image says what is wrong, or reads another format
        return False
