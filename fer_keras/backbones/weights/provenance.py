"""Where weights are from: the note beside an imported file, and the record that a run keeps of its pre-training."""

import hashlib
import json
from pathlib import Path

import keras

from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.files import write_json


def sha256(file: str | Path) -> str:
    """The SHA-256 of a file's content, as hexadecimal text."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def note_path(weights: str | Path) -> Path:
    """Where the note on a weights file lies: ``<file>.json``.

    Example:
        >>> note_path("weights/a.weights.h5").as_posix()
        'weights/a.weights.h5.json'
    """
    weights = Path(weights)
    return weights.with_name(f"{weights.name}.json")


def write_note(weights: str | Path, note: dict) -> None:
    """Writes the note beside a weights file, with the file's SHA-256 under ``weights_sha256``."""
    write_json(note_path(weights), {**note, "weights_sha256": sha256(weights)})


def read_note(weights: str | Path) -> dict | None:
    """The note beside a weights file, or None if there is none.

    Raises:
        WeightsError: the note cannot be read, or was written for another content of the file.
    """
    path = note_path(weights)
    if not path.is_file():
        return None
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        stamped = note["weights_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{path}: not a note on weights ({error!r}); delete it, or import the weights again"
        ) from error
    if stamped != sha256(weights):
        raise WeightsError(f"{path}: written for another file than {Path(weights).name}; import the weights again")
    return note


def pretraining_record(backbone: str, weights: str | None) -> dict:
    """What a run notes about the weights it starts from.

    Args:
        backbone: name of the backbone.
        weights: ``backbone.weights`` of the configuration: None, ``"imagenet"`` or a file.

    Returns:
        ``{"kind": "none"}``; ``{"kind": "imagenet", "network", "keras"}``; or ``{"kind": "file", "file", "sha256",
        "provenance"}`` with the content of the note beside the file, None without one.

    Raises:
        WeightsError: the note does not belong to the file.
        FileNotFoundError: there is no such file.

    Example:
        >>> pretraining_record("fer_mini", None)
        {'kind': 'none'}
    """
    if weights is None:
        return {"kind": "none"}
    if weights == "imagenet":
        return {"kind": "imagenet", "network": backbone, "keras": keras.__version__}
    return {"kind": "file", "file": Path(weights).name, "sha256": sha256(weights), "provenance": read_note(weights)}


def describe_pretraining(record: dict | None) -> str:
    """A record of `pretraining_record` in one line; None is what was never noted.

    Example:
        >>> describe_pretraining({"kind": "none"})
        'none (random initial weights)'
    """
    if record is None:
        return "not recorded"
    if record["kind"] == "none":
        return "none (random initial weights)"
    if record["kind"] == "imagenet":
        return f"ImageNet, weights of keras.applications for {record['network']} (Keras {record['keras']})"
    text = f"{record['file']} (SHA-256 {record['sha256']})"
    note = record["provenance"]
    if note is None:
        return f"{text}; origin not recorded"
    if "pretraining" in note:
        told = note["pretraining"]
        images = " and ".join(f"{part['samples']:,} images of {part['name']}" for part in told["data"])
        return f"{text}, {told['method']} of {note['source']}: {told['epochs']} epochs on {images}, without labels"
    return f"{text}, imported from {note['source']} (SHA-256 {note['sha256']})"
