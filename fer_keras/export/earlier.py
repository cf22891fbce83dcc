"""What lies in a model's folder from earlier exports, and which of it a new report may still speak for."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from fer_keras.evaluation.run_folder import EXPORT_REPORT_FILE
from fer_keras.export.parity import Parity, size_on_disk
from fer_keras.export.precision import ExportError
from fer_keras.inference.class_list import LABELS_FILE, read_labels_file
from fer_keras.inference.model_files import FILE_SUFFIXES

SHARED = ("source_sha256", "class_names", "grey", "mirror", "data", "max_drop")
"""Entries of ``export.json`` that hold for every row of its table, and so must not differ between exports."""


def require_same_labels(directory: Path, class_names: Sequence[str], source: Path) -> None:
    """Refuses a folder whose models have other classes: they share one ``labels.txt``.

    Args:
        directory: the model's folder; it need not exist.
        class_names: of the model that is to be exported.
        source: that model, for the message.

    Raises:
        ExportError: there are models in the folder, with another class list.
    """
    file = directory / LABELS_FILE
    if file.is_file() and _models(directory):
        found = read_labels_file(file)
        if found != tuple(class_names):
            raise ExportError(
                f"{file}: the models in this folder have the classes [{', '.join(found)}], {source} has "
                f"[{', '.join(class_names)}]; export to another folder, or delete this one"
            )


def earlier_rows(directory: Path, report: Mapping, replaced: Collection[str]) -> tuple[dict, list[str]]:
    """The rows of the last report that a new one goes on telling, and the models that it cannot speak for.

    Args:
        directory: the model's folder.
        report: the new content of ``export.json``.
        replaced: names of the files and folders that the new export puts into the folder.

    Returns:
        What of the last report stays true of the files that stay (``exports``, a list of `Parity`, and ``calibration``
        and ``load_average`` of those), and the names of the models that stay but come from another source, or were
        measured otherwise.
    """
    last = _read(directory / EXPORT_REPORT_FILE)
    rows = []
    if last is not None and all(last.get(key) == report[key] for key in SHARED) and _same_machine(last, report):
        rows = [Parity(**row) for row in last["exports"]]
    remaining = [name for name in _models(directory) if name not in replaced]
    calibration = None if last is None else last.get("calibration")
    kept = [
        row
        for row in rows
        if row.rejected is None
        and row.file in remaining
        and row.size == size_on_disk(directory / row.file)
        # one sentence of the card says how all int8 files were calibrated
        and (row.precision != "int8" or report["calibration"] in (None, calibration))
    ]
    told = {row.file for row in kept}
    calibrated = calibration if any(row.precision == "int8" for row in kept) else None
    load = last["machine"]["load_average"] if kept else 0.0
    return {"exports": kept, "calibration": calibrated, "load_average": load}, [
        name for name in remaining if name not in told
    ]


def _models(directory: Path) -> list[str]:
    """Names of the models in a folder: files, and numbered versions of a SavedModel."""
    return sorted(
        child.name
        for child in directory.iterdir()
        if (child.suffix in FILE_SUFFIXES and child.is_file()) or (child.name.isdecimal() and child.is_dir())
    )


def _same_machine(last: Mapping, report: Mapping) -> bool:
    """Whether the times of both reports were measured on the same kind of machine."""
    return all(last["machine"].get(key) == report["machine"].get(key) for key in ("cpu", "cores"))


def _read(file: Path) -> dict | None:
    """The last report; None if there is none that can be read (the models beside it then count as not described)."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
