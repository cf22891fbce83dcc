"""The page of ``fer-keras demo`` in a browser, as people use it, against the same files run by LiteRT in Python."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_keras.data.preprocessing import resize
from fer_keras.data.synthetic import SyntheticFaces
from fer_keras.demo.litert_js import CORE, UTILITIES, LiteRTJs
from fer_keras.demo.page import write_demo
from fer_keras.demo.server import demo_server
from fer_keras.emotions import EMOTIONS
from fer_keras.inference.loading import load_classifier

BROWSER = Path(__file__).parent / "browser"
MODULES = BROWSER / "node_modules"
SIZE = (40, 32)  # not square: exchanged sides show
PRECISIONS = ("float32", "float16", "int8")


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser; skips where a program or npm package is missing."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or shutil.which("node") is None:
        pytest.skip("no chromium or no node on the PATH")
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    if int(node.removeprefix("v").partition(".")[0]) < 20:
        pytest.skip(f"node {node}; playwright-core needs 20")
    for package in ("playwright-core", CORE, UTILITIES):
        if not (MODULES / package).is_dir():
            pytest.skip(f"no npm package {package}: npm ci --prefix tests/integration/browser")
    return browser


@pytest.fixture(scope="module")
def network():
    """Random weights whose answers differ from face to face."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((*SIZE, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.SeparableConv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    features = layers.Flatten(name="features")(x)
    steep = keras.initializers.RandomNormal(stddev=0.2)
    probs = layers.Dense(len(EMOTIONS), "softmax", kernel_initializer=steep, name="probs")(features)
    return keras.Model(image, {"probs": probs, "features": features})


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return SyntheticFaces(seed=3, size=64).sample("test", range(30)).images


@pytest.fixture(scope="module")
def picture(faces, tmp_path_factory) -> Path:
    """A photo of six people, 192 x 128 pixels."""
    file = tmp_path_factory.mktemp("picture") / "six people.png"
    Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in (faces[:3], faces[3:6])])).save(file)
    return file


@pytest.fixture(scope="module")
def models(network, faces, tmp_path_factory) -> dict[str, Path]:
    from fer_keras.export.litert import export_litert

    folder, calibration = tmp_path_factory.mktemp("models"), resize(faces, SIZE).numpy().astype(np.uint8)
    return {name: export_litert(network, folder / f"{name}.tflite", EMOTIONS, name, calibration) for name in PRECISIONS}


@pytest.fixture(scope="module")
def origin(chromium, models, tmp_path_factory):
    """A plain server of a page for each file, as on any static host: address."""
    site = tmp_path_factory.mktemp("site")
    runtime = LiteRTJs.load(MODULES / CORE, MODULES / UTILITIES)
    for name, file in models.items():
        write_demo(file, site / name, runtime)
    with demo_server(site, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def found(chromium, origin, picture) -> dict:
    """What a visitor finds; see ``browser/drive.mjs``."""
    visit = {"chromium": chromium, "picture": str(picture), "pages": [f"{origin}/{name}/" for name in PRECISIONS]}
    command = ["node", str(BROWSER / "drive.mjs"), json.dumps(visit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def native(picture):
    """A function (model file, crop as the page shows it) -> probabilities by LiteRT in Python."""

    def classify(file: Path, crop: list[int]) -> np.ndarray:
        width, height, x, y = crop
        pixels = np.asarray(Image.open(picture))[y : y + height, x : x + width]
        return load_classifier(file).predict_proba(resize(pixels[None], SIZE).numpy().astype(np.uint8))[0]

    return classify


@pytest.mark.parametrize("moment", ["whole", "dragged", "keyboard", "touched"])
def test_the_bars_are_what_litert_says_in_python(found, models, native, moment):
    shown = found[moment]
    assert tuple(shown["probs"]) == EMOTIONS
    np.testing.assert_allclose(list(shown["probs"].values()), native(models["float32"], shown["crop"]), atol=1e-3)
    assert shown["top"] == max(shown["probs"], key=shown["probs"].get)
    assert float(shown["time"].removesuffix(" ms")) > 0


def test_other_crops_have_other_bars(found):
    rows = [list(found[moment]["probs"].values()) for moment in ("whole", "dragged", "touched")]
    assert all(np.abs(np.subtract(a, b)).max() > 0.02 for i, a in enumerate(rows) for b in rows[:i])


def test_smaller_files_run_as_well(found, models, native):
    for precision, shown, tolerance in zip(PRECISIONS[1:], found["others"], (1e-3, 3 / 256), strict=True):
        expected = native(models[precision], shown["crop"])
        np.testing.assert_allclose(list(shown["probs"].values()), expected, atol=tolerance, err_msg=precision)


def test_the_frame_follows_mouse_keys_and_touch(found):
    assert found["whole"]["crop"] == [128, 128, 32, 0]
    assert found["dragged"]["crop"] == [64, 64, 64, 0]
    assert found["keyboard"]["crop"] == [63, 63, 66, 0]
    width, height, x, y = found["touched"]["crop"]
    assert (width, height) == (63, 63) and x > 66 and y > 0


def test_nothing_but_the_keyboard_is_needed(found):
    assert found["opened"] is True  # the file input, by Enter, as the visitor's wish
    order = [stop["id"] for stop in found["keyboard"]["order"]]
    assert order == ["choose", "camera", "frame", "smaller", "size", "larger"]
    assert all(stop["outlined"] for stop in found["keyboard"]["order"])
    assert found["keyboard"]["announced"].startswith(f"{found['keyboard']['top']}, ")


def test_it_fits_a_phone_and_can_be_read(found):
    assert found["keyboard"]["overflow"] == found["touched"]["overflow"] == 0
    assert min(found["contrast"].values()) > 4.5  # WCAG AA


def test_the_camera_goes_on_and_off(found):
    camera = found["camera"]
    assert camera["live"] and camera["stopped"]
    width, height, x, y = camera["crop"]
    assert width == height > 100 and x > 0 and y > 0
    assert sum(camera["probs"].values()) == pytest.approx(1, abs=1e-3)


def test_a_file_that_is_no_picture_is_refused_and_the_last_one_stays(found):
    assert found["unreadable"]["status"].startswith("no.png: not a picture")
    assert found["unreadable"]["probs"] == found["dragged"]["probs"]


def test_no_request_leaves_the_folder_of_the_page(found, origin):
    requests = found["requests"]
    assert f"{origin}/float32/model.tflite" in requests and f"{origin}/int8/model.tflite" in requests
    assert all(request.startswith(tuple(f"{origin}/{name}/" for name in PRECISIONS)) for request in requests)
    assert found["blocked"] == "connect-src"  # what the driver tried to fetch from elsewhere


def test_the_console_is_quiet(found):
    assert [line for line in found["complaints"] if "elsewhere.invalid" not in line] == []
