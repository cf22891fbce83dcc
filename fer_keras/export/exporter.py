"""A trained model out into the world: every format written, measured, and kept only if it passes."""

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
from rich.console import Console

from fer_keras.config import dump_config
from fer_keras.data.records import RecordSet
from fer_keras.emotions import require_same_classes
from fer_keras.environment import environment, has_byte_dot_products
from fer_keras.evaluation.run_folder import EXPORT_REPORT_FILE, read_pretraining
from fer_keras.export.inference_model import (
    averaged_with_mirror,
    inference_model,
    uses_half_precision,
    without_colour,
)
from fer_keras.export.judgement import judge
from fer_keras.export.keras_file import export_keras
from fer_keras.export.litert import export_litert
from fer_keras.export.model_card import render_model_card
from fer_keras.export.onnx import export_onnx, require_onnx
from fer_keras.export.openvino import export_openvino, require_openvino
from fer_keras.export.parity import (
    MAX_DIFFERENCE,
    MAX_DIFFERENCE_FROM_HALF,
    MAX_DROP,
    Parity,
    accuracy,
    measure_parity,
    parity_table,
)
from fer_keras.export.precision import PRECISIONS, ExportError
from fer_keras.export.samples import read_samples
from fer_keras.export.saved_model import export_saved_model, next_version
from fer_keras.export.warmup import warmup_available
from fer_keras.faces.crop_geometry import GEOMETRY_FILE, find_geometry
from fer_keras.inference.class_list import LABELS_FILE, format_labels
from fer_keras.inference.keras_classifier import KerasClassifier
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.model_files import model_files
from fer_keras.inference.provenance import run_config

CARD_FILE = "MODEL_CARD.md"
DEFAULT_FORMATS = ("keras", "saved_model", "litert")
"""The formats that need no extra."""

FILE_FORMATS = {
    "litert": (".tflite", export_litert),
    "onnx": (".onnx", export_onnx),
    "openvino": (".xml", export_openvino),
}
"""Formats that are written in every precision: name -> (ending, function that writes a file)."""

FORMATS = (*DEFAULT_FORMATS[:2], *FILE_FORMATS)

NO_WARMUP = "SavedModel without warm-up requests: these need pip install 'fer-keras[serve]'"


@dataclasses.dataclass(frozen=True)
class ExportData:
    """The records that an export is measured on and calibrated with.

    Args:
        directory: a record set.
        split: labelled records for the parity check.
        calibration_split: records that ``int8`` takes its ranges from: training data.
        samples: records of the parity check.
        calibration_samples: records of the calibration.
        test: record set and split, not used before, whose figures the card shall have; None = none.
    """

    directory: Path
    split: str
    calibration_split: str
    samples: int = 2000
    calibration_samples: int = 500
    test: tuple[Path, str] | None = None


def export_data(source: Path, directory: Path | None, split: str | None, calibration_split: str | None, **samples):
    """The `ExportData` that a command line means: what it does not name comes from the run's configuration.

    Raises:
        ExportError: something is neither given nor in a configuration; the message names the option.
    """
    config = run_config(source)
    data = config.data if config else None
    values = {
        "--data": directory or (data and data.directory),
        "--split": split or (data and data.validation_split),
        "--calibration-split": calibration_split or (data and data.train_split),
    }
    for option, value in values.items():
        if not value:
            raise ExportError(f"{source}: give {option} (there is no run configuration to take it from)")
    return ExportData(Path(values["--data"]), values["--split"], values["--calibration-split"], **samples)


def export_model(
    source: str | Path,
    directory: str | Path,
    data: ExportData,
    formats: Sequence[str] = DEFAULT_FORMATS,
    precisions: Sequence[str] = ("float32", "int8"),
    max_drop: float = MAX_DROP,
    mirror: bool = False,
    console: Console | None = None,
) -> list[Parity]:
    """Exports a trained Keras model and keeps what passes the parity gate.

    In `directory`: ``<n>/`` (SavedModel, the next free version), ``model.keras``, ``model.tflite`` and
    ``model_<precision>.tflite``, the same with ``.onnx`` and with ``.xml`` and ``.bin`` (OpenVINO), ``labels.txt``,
    ``export.json``, ``MODEL_CARD.md`` and, where it is known, ``crop_geometry.json``; a model that was trained on grey
    crops takes the colour out of its input. Everything is written and measured in a temporary folder first. What fails
    is put beside the others as ``<name>.rejected`` and never takes the place of an earlier export.

    Args:
        source: a run folder or a ``.keras`` file.
        directory: the model's folder, for example ``saved_models/<name>``.
        data: records to measure on.
        formats: some of `FORMATS`.
        precisions: some of `fer_keras.export.precision.PRECISIONS`, for `FILE_FORMATS`; the others are float32.
        max_drop: percentage points of accuracy that an export may lose.
        mirror: export the mean of the answers for the image and its mirror image (`averaged_with_mirror`); the exports
            are then compared with that mean.
        console: where the table of measurements goes; standard error if None.

    Returns:
        One measurement per export; ``rejected`` is set on those that failed.

    Raises:
        ExportError: unknown format or precision, or `source` is not a Keras model.
        ExtraError: a format's package is not installed.
        ClassListMismatchError: model and records have different class lists.
    """
    _check_choice("format", formats, FORMATS)
    _check_choice("precision", precisions, PRECISIONS)
    if "onnx" in formats:
        require_onnx()
    if "openvino" in formats:
        require_openvino(precisions)
    source, directory = Path(source), Path(directory)
    reference = load_classifier(source)
    if not isinstance(reference, KerasClassifier):
        raise ExportError(f"{source}: only a Keras model can be exported; give a run folder or a .keras file")
    record_set = RecordSet.load(data.directory)
    require_same_classes(reference.class_names, record_set.class_names, str(source), str(data.directory))
    images, labels = read_samples(record_set, data.split, reference.image_size, data.samples, labelled=True)
    network = inference_model(reference.model)
    geometry = find_geometry(source) or find_geometry(data.directory)
    if geometry is not None and geometry.grey:
        network = without_colour(network)
    calibration = None
    if "int8" in precisions and FILE_FORMATS.keys() & set(formats):
        calibration, _ = read_samples(
            record_set, data.calibration_split, reference.image_size, data.calibration_samples
        )

    directory.mkdir(parents=True, exist_ok=True)
    tolerance = MAX_DIFFERENCE_FROM_HALF if uses_half_precision(reference.model) else MAX_DIFFERENCE
    without_mirror = None
    if mirror:
        without_mirror = accuracy(reference.predict_proba(images), labels)
        network = averaged_with_mirror(network)
        reference = KerasClassifier(source, network, class_names=reference.class_names)
    expected = reference.predict(images)
    probs, positions = expected["probs"], expected.get("valence_arousal")
    with tempfile.TemporaryDirectory(dir=directory, prefix=".export-") as folder:
        staging = Path(folder)
        (staging / LABELS_FILE).write_text(format_labels(reference.class_names))
        exports = _write_exports(network, staging, directory, reference.class_names, formats, precisions, calibration)
        rows = []
        for path, precision in exports:
            exported = load_classifier(path, num_threads=1)
            limits = (max_drop, tolerance, positions)
            two_threads = load_classifier(path, num_threads=2) if exported.num_threads else None
            rows.append(
                measure_parity(exported, precision, images, labels, reference, probs, *limits, two_threads=two_threads)
            )
        report = _report(source, reference, network, record_set, data, labels, probs, calibration, max_drop, rows)
        report["grey"] = geometry is not None and geometry.grey
        report["accuracy_without_mirror"] = without_mirror
        report["test"] = judge(reference, *data.test) if data.test else None
        (staging / EXPORT_REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n")
        config = run_config(source)
        name = config.name if config else directory.resolve().name
        (staging / CARD_FILE).write_text(render_model_card(name, report, rows, dump_config(config) if config else None))
        for (path, _), row in zip(exports, rows, strict=True):
            for part in [path] if path.is_dir() else model_files(path):
                _put(part, directory / (f"{part.name}.rejected" if row.rejected else part.name))
        for file in (LABELS_FILE, EXPORT_REPORT_FILE, CARD_FILE):
            _put(staging / file, directory / file)
    if geometry is not None:
        geometry.write(directory / GEOMETRY_FILE)
    title = f"{len(labels)} records of {record_set.name}/{data.split}, trained model {report['reference_accuracy']:.4f}"
    console = console or Console(stderr=True)
    console.print(parity_table(rows, title))
    if "saved_model" in formats and not warmup_available():
        console.print(NO_WARMUP, markup=False, highlight=False)
    return rows


def _report(source, reference, network, record_set, data, labels, probs, calibration, max_drop, rows) -> dict:
    """The content of ``export.json``."""
    split = record_set.split(data.split)
    calibrated = None
    if calibration is not None:
        calibrated = {"split": data.calibration_split, "records": len(calibration)}
    return {
        "source": source.name,
        "class_names": list(reference.class_names),
        "image_size": list(reference.image_size),
        "parameters": network.count_params(),
        "pretraining": read_pretraining(source),
        "data": {
            "name": record_set.name,
            "split": split.name,
            "fingerprint": split.fingerprint,
            "records": len(labels),
        },
        "calibration": calibrated,
        "reference_accuracy": accuracy(probs, labels),
        "max_drop": max_drop,
        "machine": environment()["machine"]
        | {"byte_dot_products": has_byte_dot_products(), "load_average": round(os.getloadavg()[0], 1)},
        "exports": [dataclasses.asdict(row) for row in rows],
    }


def _check_choice(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    unknown = [item for item in given if item not in known]
    if unknown or not given:
        raise ExportError(f"unknown {what} {', '.join(unknown) or '(none given)'}; known: {', '.join(known)}")


def _write_exports(
    network: keras.Model,
    staging: Path,
    directory: Path,
    class_names: Sequence[str],
    formats: Sequence[str],
    precisions: Sequence[str],
    calibration,
) -> list[tuple[Path, str]]:
    """Writes the formats asked for to `staging`; returns each one's path and precision."""
    exports = []
    if "keras" in formats:
        exports.append((export_keras(network, staging / "model.keras"), "float32"))
    if "saved_model" in formats:
        exports.append((export_saved_model(network, staging, class_names, next_version(directory)), "float32"))
    for suffix, write in (FILE_FORMATS[name] for name in FILE_FORMATS if name in formats):
        for precision in precisions:
            file = staging / (f"model{suffix}" if precision == "float32" else f"model_{precision}{suffix}")
            images = calibration if precision == "int8" else None
            exports.append((write(network, file, class_names, precision, images), precision))
    return exports


def _put(source: Path, target: Path) -> None:
    """Moves a file or folder into place; a folder of that name (an earlier rejected version) is replaced."""
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)
