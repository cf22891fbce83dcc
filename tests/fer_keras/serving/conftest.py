"""A tiny exported model, and the command that serves it, as a process on loopback."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time

import pytest

SIZE = (24, 20)
CLASSES = ("neutral", "happiness", "sadness", "surprise")
START_SECONDS = 300


class ServerProcess:
    """``fer-keras serve`` while it runs."""

    def __init__(self, process: subprocess.Popen, ready: str):
        self.process = process
        self.ready = ready
        self.http_port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", ready)[1])
        self.grpc_port = int(re.search(r"gRPC 127\.0\.0\.1:(\d+)", ready)[1])
        self.url = f"http://127.0.0.1:{self.http_port}"

    def stop(self) -> tuple[int, str]:
        """SIGTERM; the exit code and what the process said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """``faces/`` with one version: random weights that answer differently to different images."""
    import keras

    from fer_keras.export.saved_model import export_saved_model

    keras.utils.set_random_seed(3)
    image = keras.Input((*SIZE, 3), dtype="uint8", name="image")
    x = keras.layers.Rescaling(1 / 64, -2.0)(image)
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    probs = keras.layers.Dense(len(CLASSES), activation="softmax", name="probs")(keras.layers.Flatten()(x))
    folder = tmp_path_factory.mktemp("served") / "faces"
    export_saved_model(keras.Model(image, {"probs": probs}), folder, CLASSES)
    return folder


@pytest.fixture(scope="session")
def served(model_folder):
    """The model as a server sees it, in this process."""
    from fer_keras.serving.served_model import ServedModel

    return ServedModel(model_folder)


@pytest.fixture(scope="session")
def draw():
    """A function (count, seed=0, size) -> (count, H, W, 3) uint8."""
    import numpy as np

    def images(count: int, seed: int = 0, size=SIZE):
        return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), dtype=np.uint8)

    return images


@pytest.fixture(scope="session")
def png():
    """A function (image) -> the bytes of a PNG file."""
    import io

    from PIL import Image

    def encode(image) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def start_server(model_folder):
    """A context manager (*options) -> `ServerProcess`."""
    pytest.importorskip("kserve", reason="the extra serve is not installed: pip install 'fer-keras[serve]'")

    @contextlib.contextmanager
    def start(*options: str):
        words = ["serve", str(model_folder), "--http-port", "0", "--grpc-port", "0", *options]
        process = subprocess.Popen(
            [sys.executable, "-m", "fer_keras.cli.main", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            readable, _, _ = select.select([process.stdout], [], [], deadline - time.monotonic())
            line = process.stdout.readline() if readable else ""
            assert line.startswith("ready: "), (line, process.poll(), process.poll() and process.stderr.read())
            yield ServerProcess(process, line)
        finally:
            process.kill()
            process.communicate()

    return start


@pytest.fixture(scope="session")
def server(start_server):
    """One server for all tests that leave it running; its batches wait 20 ms, hold 16 images, requests 1 MiB."""
    with start_server("--batch-timeout", "20", "--max-batch", "16", "--max-request-mb", "1") as process:
        yield process
