"""What docs/mobile.md says of exported files, against a file exported here; its Python block is run as it stands."""

import re
import runpy
import struct
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from fer_keras.inference.predictor import Predictor

PAGE = (Path(__file__).parents[2] / "docs" / "mobile.md").read_text()
CLASSES = ("neutral", "happiness", "sadness", "anger")
SIZE = (24, 20)


@pytest.fixture(scope="module")
def calibration() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, *SIZE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def export(tmp_path_factory, calibration):
    """A function (precision) -> exported file of a model that predicts valence and arousal as well."""
    import keras
    from keras import layers

    from fer_keras.export.litert import export_litert

    keras.utils.set_random_seed(0)
    image = keras.Input((*SIZE, 3), dtype="uint8", name="image")
    features = layers.Flatten(name="features")(layers.Rescaling(1 / 127.5, -1.0)(image))
    probs = layers.Dense(len(CLASSES), "softmax", name="probs")(features)
    position = layers.Dense(2, "tanh", name="valence_arousal")(features)
    network = keras.Model(image, {"probs": probs, "features": features, "valence_arousal": position})
    folder = tmp_path_factory.mktemp("mobile")
    return lambda precision: export_litert(network, folder / f"{precision}.tflite", CLASSES, precision, calibration)


def documented() -> set[tuple[str, str, str, str]]:
    """(input or output, name, dtype, shape) of the page's first table."""
    rows = re.findall(r"^\| (input|output) \| `(\w+)` \| (\w+) \| \(([^)]*)\) \|", PAGE, flags=re.MULTILINE)
    sizes = {"H": SIZE[0], "W": SIZE[1], "C": len(CLASSES)}
    return {(*row[:3], ", ".join(str(sizes.get(side, side)) for side in row[3].split(", "))) for row in rows}


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_names_dtypes_and_shapes_are_those_of_the_file(export, precision):
    runner = Interpreter(str(export(precision))).get_signature_runner("serving_default")
    details = (("input", runner.get_input_details()), ("output", runner.get_output_details()))
    found = {
        (kind, name, np.dtype(tensor["dtype"]).name, ", ".join(map(str, tensor["shape"])))
        for kind, tensors in details
        for name, tensor in tensors.items()
    }
    assert found == documented() and len(found) == 3


def test_the_python_block_says_what_predict_says(export, calibration, tmp_path, monkeypatch, capsys):
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tflite").write_bytes(export("float32").read_bytes())
    photo = Image.fromarray(calibration[0]).resize((150, 150), Image.Resampling.BICUBIC)
    photo.save("face.png")
    (tmp_path / "check.py").write_text(script)
    names = runpy.run_path("check.py")
    (expected,) = Predictor("model.tflite").predict(["face.png"])
    assert names["names"] == list(CLASSES) == list(expected.probs)
    np.testing.assert_allclose(names["probs"], list(expected.probs.values()), atol=0.02)  # pixels may differ by one
    assert capsys.readouterr().out.split()[0] == expected.label


def test_the_offsets_lead_to_the_labels(export):
    """The arithmetic of the Kotlin and Swift readers."""
    content = export("float32").read_bytes()
    end = len(content) - 22
    size, offset = struct.unpack_from("<II", content, end + 12)
    start = end - size - offset
    length, name, extra = struct.unpack_from("<IHH", content, start + 22)
    text = start + 30 + name + extra
    assert content[text : text + length].decode().split() == list(CLASSES)
    for language in ("kotlin", "swift"):
        block = max(re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL), key=len)
        assert all(
            number in block for number in ("- 22", "end + 12", "end + 16", "start + 26", "start + 28", "start + 22")
        )
        assert all(f'"{name}"' in block for name in ("serving_default", "image", "probs"))
