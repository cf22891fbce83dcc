import base64
import hashlib
import html.parser
import json
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from fer_keras.cli.main import app
from fer_keras.console import run
from fer_keras.demo.litert_js import LiteRTJs
from fer_keras.demo.page import DemoError, write_demo


@pytest.fixture
def runtime(install) -> LiteRTJs:
    core = install()
    return LiteRTJs.load(core, core.parent / "wasm-utils")


@pytest.fixture
def page(tflite, runtime, tmp_path):
    """The folder of a page."""
    write_demo(tflite.parent, tmp_path / "page", runtime)
    return tmp_path / "page"


class Elements(html.parser.HTMLParser):
    """Every (tag, attributes) of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.found if attrs.get(name)]


def test_the_page_holds_size_and_class_names_of_the_file(page, tflite):
    elements = Elements((page / "index.html").read_text())
    assert elements.attributes("data-class") == ["neutral", "happiness", "sadness"]
    assert (elements.attributes("data-height"), elements.attributes("data-width")) == (["12"], ["8"])
    assert (page / "model.tflite").read_bytes() == tflite.read_bytes()
    facts = json.loads((page / "demo.json").read_text())
    assert facts["sha256"] == hashlib.sha256(tflite.read_bytes()).hexdigest()
    assert (facts["model"], facts["image_size"]) == ("tiny/model.tflite", [12, 8])


def test_it_says_that_pictures_stay_on_the_device(page):
    assert "Your pictures stay on this device" in (page / "index.html").read_text()


def test_every_file_that_is_named_is_there(page):
    text = (page / "index.html").read_text()
    elements = Elements(text)
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', text)[1])["imports"]
    named = [*elements.attributes("src"), *elements.attributes("href"), *imports.values()]
    for file in (page / "app").iterdir():
        for source in re.findall(r"from '([^']+)'", file.read_text()):
            named.append(f"app/{source}" if source.startswith(".") else imports[source])
    assert len(named) > 8 and [name for name in named if not (page / name).is_file()] == []
    assert not [name for name in named if ":" in name]


def test_the_policy_forbids_other_origins_and_allows_the_import_map(page):
    text = (page / "index.html").read_text()
    (policy,) = [value for value in Elements(text).attributes("content") if "default-src" in value]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    assert rules["connect-src"] == ["'self'"]
    import_map = re.search(r'<script type="importmap">(.*?)</script>', text)[1]
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    assert rules["script-src"] == ["'self'", "'wasm-unsafe-eval'", f"'sha256-{digest}'"]
    assert "http:" not in policy and "https:" not in policy and "unsafe-inline" not in policy


def test_every_element_that_the_modules_ask_for_exists(page):
    ids = Elements((page / "index.html").read_text()).attributes("id")
    asked = {
        name
        for file in (page / "app").iterdir()
        for name in re.findall(r"(?:element|getElementById)\('([\w-]+)'\)", file.read_text())
    }
    assert len(asked) > 10 and asked <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_former_demo_is_replaced_as_a_whole(page, tflite, runtime):
    (page / "stray.txt").write_text("from an older version")
    size = write_demo(tflite, page, runtime)
    assert not (page / "stray.txt").exists()
    assert size == sum(file.stat().st_size for file in page.rglob("*") if file.is_file())
    assert [path.name for path in page.parent.iterdir() if "tmp" in path.name] == []


@pytest.mark.parametrize("marker", [None, "{}", "[]", "no json", '{"made_by": "someone"}'])
def test_a_folder_of_other_things_is_left_alone(tflite, runtime, tmp_path, marker):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("x")
    if marker is not None:
        (out / "demo.json").write_text(marker)
    with pytest.raises(DemoError, match="is not a demo page; give another --out"):
        write_demo(tflite, out, runtime)
    assert (out / "thesis.txt").read_text() == "x"


def test_an_empty_folder_may_be_filled(tflite, runtime, tmp_path):
    (tmp_path / "empty").mkdir()
    assert write_demo(tflite, tmp_path / "empty", runtime) > 1000


def test_a_failure_leaves_nothing(tflite, install, tmp_path):
    core = install(licence="UNLICENSED")
    runtime = LiteRTJs.load(core, core.parent / "wasm-utils")
    with pytest.raises(ValueError, match="licence"):
        write_demo(tflite, tmp_path / "page", runtime)
    assert [path.name for path in tmp_path.iterdir()] == ["node_modules"]


def test_a_model_of_several_images_is_refused(runtime, tmp_path):
    import keras
    import tensorflow as tf

    image = keras.Input((4, 4, 3), dtype="uint8", name="image")
    probs = keras.layers.Dense(2, "softmax", name="probs")(keras.layers.Flatten()(keras.layers.Rescaling(1.0)(image)))
    network = keras.Model(image, {"probs": probs})
    serve = tf.function(lambda image: network(image), input_signature=[tf.TensorSpec((2, 4, 4, 3), tf.uint8, "image")])
    module = tf.Module()
    module.network = network
    tf.saved_model.save(module, str(tmp_path / "saved"), {"serving_default": serve})
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    (tmp_path / "two.tflite").write_bytes(converted)
    (tmp_path / "labels.txt").write_text("neutral\nanger\n")
    with pytest.raises(DemoError, match="more than one image at a time"):
        write_demo(tmp_path / "two.tflite", tmp_path / "page", runtime)


@pytest.fixture
def command(capsys):
    """Runs ``fer-keras demo``; (exit code, stdout, stderr)."""

    def call(*args):
        with pytest.raises(SystemExit) as stopped:
            run(app, ["demo", *map(str, args)])
        return stopped.value.code, *capsys.readouterr()

    return call


def test_the_command_says_size_and_version(command, tflite, install, tmp_path):
    code, out, _ = command(tflite, "--out", tmp_path / "page", "--litert-js", install())
    assert code == 0 and out.startswith(f"{tmp_path}/page: ") and "@litertjs/core 2.5.9" in out
    assert (tmp_path / "page" / "index.html").is_file()


def test_mistakes_are_one_line(command, tflite, install, tmp_path):
    for arguments, message in [
        ((tmp_path / "no.tflite", "--out", "page"), f"{tmp_path}/no.tflite: no such file or folder"),
        ((tmp_path, "--out", "page"), f"{tmp_path}: no model.tflite in this folder"),
        ((tflite, "--out", tmp_path, "--litert-js", install()), "exists and is not a demo page"),
        ((tflite, "--out", tmp_path / "page", "--litert-js", tmp_path), "not the npm package @litertjs/core"),
    ]:
        code, out, err = command(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1) and err.startswith("error: ") and message in err
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    code, _, err = command(tmp_path / "bad.tflite", "--out", tmp_path / "page", "--litert-js", install())
    assert code == 1 and "bad.tflite: not a LiteRT model" in err and not (tmp_path / "page").exists()


def test_serve_says_where_and_ends_with_ctrl_c(tflite, install, tmp_path):
    arguments = ["demo", tflite, "--out", tmp_path / "page", "--litert-js", install(), "--serve", "--port", "0"]
    command = [sys.executable, "-u", "-m", "fer_keras.cli.main", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = next(
                found[0] for line in process.stdout if (found := re.match(r"http://127\.0\.0\.1:\d+/", line))
            )
            with urllib.request.urlopen(address) as answer:
                assert answer.read() == (tmp_path / "page" / "index.html").read_bytes()
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert said == "stopped\n"
    assert process.returncode == 0
