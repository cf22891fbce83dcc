"""The page: templates, model and runtime put into one folder that any static host can serve."""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import jinja2

from fer_keras import __version__
from fer_keras.demo.litert_js import CORE, UTILITIES, LiteRTJs
from fer_keras.files import replacing_folder, write_json, write_text
from fer_keras.inference.litert_classifier import LiteRTClassifier

TEMPLATES = Path(__file__).parent / "templates"
MARKER = "demo.json"
"""Says what the page was made from; its presence means that the folder is a demo and may be replaced."""

MAKER = "fer-keras demo"
IMPORTS = {CORE: "./litert/core/dist/index.js", UTILITIES: "./litert/wasm-utils/dist/index.js"}
"""The names that modules import, and the files these stand for."""


class DemoError(ValueError):
    """A model or folder that no demo can be made of, or in; the message names it."""


def write_demo(model: str | Path, out: str | Path, runtime: LiteRTJs) -> int:
    """Writes the page that runs a model in the browser.

    Args:
        model: a ``.tflite`` file as `fer_keras.export` writes it, or a folder with ``model.tflite``.
        out: the folder to write: new, empty, or a former demo, which is replaced.
        runtime: the npm packages to copy from.

    Returns:
        The size of the folder, in bytes.

    Raises:
        DemoError: no ``model.tflite`` in the folder, a model that takes several images, or `out` holds something else.
        ModelLoadError: not a model of this library, or without class names.
    """
    out, file = Path(out), model_file(Path(model))
    require_replaceable(out)
    classifier = LiteRTClassifier(file)
    if classifier.fixed_batch != 1:
        raise DemoError(f"{file}: takes more than one image at a time; fer-keras export writes files for one")
    with replacing_folder(out) as folder:
        shutil.copytree(TEMPLATES / "static", folder, dirs_exist_ok=True)
        shutil.copyfile(file, folder / "model.tflite")
        runtime.copy(folder / "litert")
        write_text(folder / "index.html", _render(classifier, file))
        facts = {
            "made_by": MAKER,
            "version": __version__,
            "model": _title(file),
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "class_names": classifier.class_names,
            "image_size": classifier.image_size,
            CORE: runtime.version,
        }
        write_json(folder / MARKER, facts)
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def model_file(path: Path) -> Path:
    """The ``.tflite`` file that a path means.

    Raises:
        DemoError: there is none.

    Example:
        >>> model_file(Path("saved_models/mine/model_int8.tflite"))
        Traceback (most recent call last):
        ...
        fer_keras.demo.page.DemoError: saved_models/mine/model_int8.tflite: no such file or folder
    """
    if not path.exists():
        raise DemoError(f"{path}: no such file or folder")
    if not path.is_dir():
        return path
    if not (path / "model.tflite").is_file():
        raise DemoError(f"{path}: no model.tflite in this folder; make one with: fer-keras export RUN --format litert")
    return path / "model.tflite"


def require_replaceable(out: Path) -> None:
    """Refuses a folder whose content is not a demo, before anything is fetched or written.

    Raises:
        DemoError: `out` is a file, or a folder of other things.
    """
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() and not _is_demo(out):
        raise DemoError(f"{out}: exists and is not a demo page; give another --out")


def _is_demo(folder: Path) -> bool:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8")).get("made_by") == MAKER
    except (OSError, ValueError, AttributeError):  # no marker, or another program's file of this name
        return False


def _title(file: Path) -> str:
    """Folder and file: the file alone is mostly called ``model.tflite``."""
    return "/".join(file.absolute().parts[-2:])


def _render(classifier: LiteRTClassifier, file: Path) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    import_map = json.dumps({"imports": IMPORTS})
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    height, width = classifier.image_size
    return environment.get_template("index.html").render(
        class_names=classifier.class_names,
        height=height,
        width=width,
        model=_title(file),
        megabytes=file.stat().st_size / 1e6,
        import_map=import_map,
        import_map_hash=f"sha256-{digest}",
    )
