"""A trained model out into the world: every format written, measured, and kept only if it passes."""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
from rich.console import Console

from fer_keras.config import dump_config
from fer_keras.data.records import RecordSet
from fer_keras.emotions import require_same_classes
from fer_keras.evaluation.run_folder import EXPORT_REPORT_FILE, read_pretraining
from fer_keras.export.inference_model import inference_model, uses_half_precision
from fer_keras.export.litert import PRECISIONS, ExportError, export_litert
from fer_keras.export.model_card import render_model_card
from fer_keras.export.parity import (
    MAX_DIFFERENCE,
    MAX_DIFFERENCE_FROM_HALF,
    MAX_DROP,
    Parity,
    accuracy,
    measure_parity,
    parity_table,
)
from fer_keras.export.samples import read_samples
from fer_keras.export.saved_model import export_saved_model, next_version
from fer_keras.export.warmup import warmup_available
from fer_keras.inference.class_list import LABELS_FILE, format_labels
from fer_keras.inference.keras_classifier import KerasClassifier
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.provenance import run_config

CARD_FILE = "MODEL_CARD.md"
FORMATS = ("keras", "saved_model", "litert")
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
    """

    directory: Path
    split: str
    calibration_split: str
    samples: int = 2000
    calibration_samples: int = 500


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
    formats: Sequence[str] = FORMATS,
    precisions: Sequence[str] = ("float32", "int8"),
    max_drop: float = MAX_DROP,
    console: Console | None = None,
) -> list[Parity]:
    """Exports a trained Keras model and keeps what passes the parity gate.

    In `directory`: ``<n>/`` (SavedModel, the next free version), ``model.keras``, ``model.tflite`` and
    ``model_<precision>.tflite``, ``labels.txt``, ``export.json`` and ``MODEL_CARD.md``. Everything is written and
    measured in a temporary folder first. What fails is put beside the others as ``<name>.rejected`` and never takes
    the place of an earlier export.

    Args:
        source: a run folder or a ``.keras`` file.
        directory: the model's folder, for example ``saved_models/<name>``.
        data: records to measure on.
        formats: some of `FORMATS`.
        precisions: some of `fer_keras.export.litert.PRECISIONS`; they apply to LiteRT, the others are float32.
        max_drop: percentage points of accuracy that an export may lose.
        console: where the table of measurements goes; standard error if None.

    Returns:
        One measurement per export; ``rejected`` is set on those that failed.

    Raises:
        ExportError: unknown format or precision, or `source` is not a Keras model.
        ClassListMismatchError: model and records have different class lists.
    """
    _check_choice("format", formats, FORMATS)
    _check_choice("precision", precisions, PRECISIONS)
    source, directory = Path(source), Path(directory)
    reference = load_classifier(source)
    if not isinstance(reference, KerasClassifier):
        raise ExportError(f"{source}: only a Keras model can be exported; give a run folder or a .keras file")
    record_set = RecordSet.load(data.directory)
    require_same_classes(reference.class_names, record_set.class_names, str(source), str(data.directory))
    images, labels = read_samples(record_set, data.split, reference.image_size, data.samples, labelled=True)
    network = inference_model(reference.model)
    calibration = None
    if "litert" in formats and "int8" in precisions:
        calibration, _ = read_samples(
            record_set, data.calibration_split, reference.image_size, data.calibration_samples
        )

    directory.mkdir(parents=True, exist_ok=True)
    expected = reference.predict(images)
    probs, positions = expected["probs"], expected.get("valence_arousal")
    tolerance = MAX_DIFFERENCE_FROM_HALF if uses_half_precision(reference.model) else MAX_DIFFERENCE
    with tempfile.TemporaryDirectory(dir=directory, prefix=".export-") as folder:
        staging = Path(folder)
        (staging / LABELS_FILE).write_text(format_labels(reference.class_names))
        exports = _write_exports(network, staging, directory, reference.class_names, formats, precisions, calibration)
        rows = []
        for path, precision in exports:
            exported = load_classifier(path, num_threads=1)
            rows.append(
                measure_parity(exported, precision, images, labels, reference, probs, max_drop, tolerance, positions)
            )
        report = _report(source, reference, network, record_set, data, labels, probs, calibration, max_drop, rows)
        (staging / EXPORT_REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n")
        config = run_config(source)
        name = config.name if config else directory.resolve().name
        (staging / CARD_FILE).write_text(render_model_card(name, report, rows, dump_config(config) if config else None))
        for (path, _), row in zip(exports, rows, strict=True):
            _put(path, directory / (f"{path.name}.rejected" if row.rejected else path.name))
        for file in (LABELS_FILE, EXPORT_REPORT_FILE, CARD_FILE):
            _put(staging / file, directory / file)
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
        network.save(staging / "model.keras")
        exports.append((staging / "model.keras", "float32"))
    if "saved_model" in formats:
        exports.append((export_saved_model(network, staging, class_names, next_version(directory)), "float32"))
    if "litert" in formats:
        for precision in precisions:
            file = staging / ("model.tflite" if precision == "float32" else f"model_{precision}.tflite")
            images = calibration if precision == "int8" else None
            exports.append((export_litert(network, file, class_names, precision, images), precision))
    return exports


def _put(source: Path, target: Path) -> None:
    """Moves a file or folder into place; a folder of that name (an earlier rejected version) is replaced."""
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)
