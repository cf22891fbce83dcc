"""A tiny exported model, and npm packages that hold what the page needs and nothing that runs."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from fer_keras.demo.litert_js import CORE, FILES, UTILITIES

CLASSES = ("neutral", "happiness", "sadness")


@pytest.fixture(scope="session")
def tflite(tmp_path_factory) -> Path:
    """``<folder>/tiny/model.tflite``: three classes, images of 12 x 8 pixels."""
    import keras

    from fer_keras.export.litert import export_litert

    image = keras.Input((12, 8, 3), dtype="uint8", name="image")
    features = keras.layers.Flatten(name="features")(keras.layers.Rescaling(1 / 255)(image))
    probs = keras.layers.Dense(len(CLASSES), "softmax", name="probs")(features)
    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    network = keras.Model(image, {"probs": probs, "features": features})
    return export_litert(network, folder / "model.tflite", CLASSES)


def contents(name: str, version: str = "2.5.9", licence: str = "Apache-2.0") -> dict[str, str]:
    """File -> text of a made-up package."""
    manifest = json.dumps({"name": name, "version": version, "license": licence})
    return {file: f"{name}/{file}" for file in (*FILES[name], "README.md")} | {"package.json": manifest}


@pytest.fixture
def install(tmp_path):
    """A function (**version, licence) -> a folder ``node_modules/@litertjs/core``, its dependency beside it."""

    def make(**changes) -> Path:
        for name in (CORE, UTILITIES):
            for file, text in contents(name, **changes).items():
                path = tmp_path / "node_modules" / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return tmp_path / "node_modules" / CORE

    return make


@pytest.fixture
def pack(tmp_path):
    """A function (package names) -> the folder with their ``.tgz`` files, as ``npm pack`` names and fills them."""

    def make(*names: str) -> Path:
        folder = tmp_path / "packed"
        folder.mkdir()
        for name in names:
            with tarfile.open(folder / f"{name[1:].replace('/', '-')}-2.5.9.tgz", "w:gz") as tar:
                for file, text in contents(name).items():
                    member = tarfile.TarInfo(f"package/{file}")
                    member.size = len(text)
                    tar.addfile(member, io.BytesIO(text.encode()))
        return folder

    return make
