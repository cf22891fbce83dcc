"""What a stored model is and where it comes from, for the stamps of what is derived with it."""

import hashlib
import json
from pathlib import Path

from fer_keras.config import Config, load_config
from fer_keras.evaluation.run_folder import read_pretraining, run_folder
from fer_keras.inference.classifier import Classifier
from fer_keras.inference.model_files import FILE_SUFFIXES, model_files

CONFIG_FILE, METRICS_FILE = "config.yaml", "metrics.json"
"""In a run folder: the resolved configuration, and the final judgement."""


def run_config(path: str | Path) -> Config | None:
    """The configuration of a run folder, or of the run that a ``weights/*.keras`` file belongs to; None elsewhere.

    Example:
        >>> run_config("no/such/model.tflite") is None
        True
    """
    folder = run_folder(Path(path).resolve())
    return load_config(folder / CONFIG_FILE) if folder is not None and (folder / CONFIG_FILE).is_file() else None


def model_name(path: str | Path) -> str:
    """A short name for a model: that of its run, else of its file or folder without suffix and version number.

    Example:
        >>> model_name("runs/va/weights/best.keras"), model_name("saved_models/emonet/2"), model_name("va.int8.tflite")
        ('va', 'emonet', 'va.int8')
    """
    path = Path(path).resolve()
    if path.parent.name == "weights":
        return path.parent.parent.name
    if path.name.isdecimal():
        return path.parent.name
    return path.stem if path.suffix in FILE_SUFFIXES else path.name


def model_provenance(classifier: Classifier) -> dict:
    """How a model can be recognised again, and what it was trained from.

    Args:
        classifier: a loaded model.

    Returns:
        JSON values: ``name``; ``file`` (its last path component); ``sha256`` (of the file, or over the sorted files of
        a SavedModel or of OpenVINO); ``class_names``; ``pretraining`` (which weights its training started from, see
        `fer_keras.evaluation.run_folder.read_pretraining`; None where nobody noted it); and, for a model of a run,
        ``method``, ``backbone`` and ``trained_on`` (fingerprint of the records that it learnt from; None if the run is
        not finished).
    """
    path = classifier.path
    content = {
        "name": model_name(path),
        "file": path.name,
        "sha256": _sha256(path),
        "class_names": list(classifier.class_names),
        "pretraining": read_pretraining(path),
    }
    config = run_config(path)
    if config is not None:
        content |= {
            "method": config.method.name,
            "backbone": config.backbone.name,
            "trained_on": _fingerprints(run_folder(path)).get(config.data.train_split),
        }
    return content


def _fingerprints(run: Path) -> dict[str, str]:
    file = run / METRICS_FILE
    return json.loads(file.read_text(encoding="utf-8")).get("fingerprint", {}) if file.is_file() else {}


def _sha256(path: Path) -> str:
    files = model_files(path)
    if files == [path]:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()
    folder = path if path.is_dir() else path.parent
    for file in files:
        with open(file, "rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        whole.update(f"{file.relative_to(folder).as_posix()}\n{digest}\n".encode())
    return whole.hexdigest()
