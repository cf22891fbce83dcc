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

from fer_keras.backbones.weights.provenance import sha256
from fer_keras.config import dump_config
from fer_keras.data.records import RecordSet
from fer_keras.data.samples import read_samples
from fer_keras.emotions import require_same_classes
from fer_keras.environment import environment, has_byte_dot_products
from fer_keras.evaluation.run_folder import EXPORT_REPORT_FILE, read_pretraining
from fer_keras.export.contents import require_inference_weights, surplus
from fer_keras.export.earlier import earlier_rows, require_same_labels
from fer_keras.export.inference_model import (
    averaged_with_mirror,
    inference_model,
    uses_half_precision,
    without_colour,
)
from fer_keras.export.judgement import judge
from fer_keras.export.keras_file import export_keras
from fer_keras.export.latency import measure_latencies
from fer_keras.export.litert import export_litert
from fer_keras.export.mirror_mean import MirrorMean
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
from fer_keras.export.saved_model import export_saved_model, next_version
from fer_keras.export.training_record import training_record
from fer_keras.export.warmup import warmup_available
from fer_keras.faces.crop_geometry import GEOMETRY_FILE, CropGeometry, find_geometry
from fer_keras.inference.class_list import LABELS_FILE, format_labels
from fer_keras.inference.keras_classifier import KerasClassifier
from fer_keras.inference.loading import load_classifier
from fer_keras.inference.model_files import model_files
from fer_keras.inference.provenance import CONFIG_FILE, run_config

CARD_FILE = "MODEL_CARD.md"
DEFAULT_FORMATS = ("keras", "saved_model", "litert")
"""The formats that need no extra."""

DEFAULT_PRECISIONS = ("float32", "float16", "int8")

FILE_FORMATS = {
    "litert": (".tflite", export_litert),
    "onnx": (".onnx", export_onnx),
    "openvino": (".xml", export_openvino),
}
"""Formats that are written in every precision: name -> (ending, function that writes a file)."""

FORMATS = (*DEFAULT_FORMATS[:2], *FILE_FORMATS)

OTHER_MODEL = "stay from earlier exports of another model, or were measured otherwise: the card is not about them"
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
    precisions: Sequence[str] = DEFAULT_PRECISIONS,
    max_drop: float = MAX_DROP,
    mirror: bool = False,
    console: Console | None = None,
) -> list[Parity]:
    """Exports a trained Keras model and keeps what passes the parity gate.

    In `directory`: ``<n>/`` (SavedModel, the next free version), ``model.keras``, ``model.tflite`` and
    ``model_<precision>.tflite``, the same with ``.onnx`` and with ``.xml`` and ``.bin`` (OpenVINO), ``labels.txt``,
    ``export.json``, ``MODEL_CARD.md`` and, where they are known, ``config.yaml`` and ``crop_geometry.json``; a model
    that was trained on grey crops takes the colour out of its input. Everything is written and measured in a temporary
    folder first. What fails is put beside the others as ``<name>.rejected`` and never takes the place of an earlier
    export; where everything fails, so do the report and the card, and the other files stay as they are. Files of
    earlier exports that the new ones do not replace keep their rows where these are of the same model, measured alike.

    Args:
        source: a run folder or a ``.keras`` file.
        directory: the model's folder, for example ``saved_models/<name>``.
        data: records to measure on.
        formats: some of `FORMATS`.
        precisions: some of `fer_keras.export.precision.PRECISIONS`, for `FILE_FORMATS`; the others are float32.
        max_drop: percentage points of accuracy that an export may lose.
        mirror: export the mean of the answers for the image and its mirror image (`averaged_with_mirror`); the exports
            are then compared with the mean of the trained model's answers (`MirrorMean`).
        console: where the table of measurements goes; standard error if None.

    Returns:
        One measurement per export; ``rejected`` is set on those that failed.

    Raises:
        ExportError: unknown format or precision, `source` is not a Keras model, or `directory` has models of other
            classes.
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
    if directory.is_dir():
        require_same_labels(directory, reference.class_names, source)
    record_set = RecordSet.load(data.directory)
    require_same_classes(reference.class_names, record_set.class_names, str(source), str(data.directory))
    images, labels = read_samples(record_set, data.split, reference.image_size, data.samples, labelled=True)
    inference = network = inference_model(reference.model)
    tolerance = MAX_DIFFERENCE_FROM_HALF if uses_half_precision(reference.model) else MAX_DIFFERENCE
    geometry = _geometry(source)
    grey = geometry is not None and geometry.grey
    if grey:
        network = without_colour(network)
    without_mirror = None
    if mirror:
        without_mirror = accuracy(reference.predict_proba(images), labels)
        network = averaged_with_mirror(network)
        reference = MirrorMean(reference)
    require_inference_weights(network, inference)
    calibration = None
    if "int8" in precisions and FILE_FORMATS.keys() & set(formats):
        calibration, _ = read_samples(
            record_set, data.calibration_split, reference.image_size, data.calibration_samples
        )

    directory.mkdir(parents=True, exist_ok=True)
    expected = reference.predict(images)
    probs, positions = expected["probs"], expected.get("valence_arousal")
    with tempfile.TemporaryDirectory(dir=directory, prefix=".export-") as folder:
        staging = Path(folder)
        (staging / LABELS_FILE).write_text(format_labels(reference.class_names))
        exports = _write_exports(network, staging, directory, reference.class_names, formats, precisions, calibration)
        rows = []
        for path, precision in exports:
            exported = load_classifier(path, num_threads=1)
            row = measure_parity(exported, precision, images, labels, reference, probs, max_drop, tolerance, positions)
            reasons = [reason for reason in (row.rejected, surplus(path, inference)) if reason]
            rows.append(dataclasses.replace(row, rejected="; ".join(reasons) or None))
        rows = _timed(rows, [path for path, _ in exports], images)
        report = _report(source, reference, network, record_set, data, labels, probs, calibration, max_drop)
        report |= {"grey": grey, "mirror": mirror, "accuracy_without_mirror": without_mirror}
        # what is shipped, and not the reference: of grey crops, it takes the colour out
        shipped = KerasClassifier(reference.path, network, class_names=reference.class_names)
        report["test"] = judge(shipped, *data.test) if data.test else None
        report["training"] = training_record(source)
        config = run_config(source)
        name = config.name if config else directory.resolve().name
        replaced = [row.file for row in rows if not row.rejected]
        earlier, report["not_described"] = earlier_rows(directory, report, replaced)
        report["calibration"] = report["calibration"] or earlier["calibration"]
        report["machine"]["load_average"] = max(report["machine"]["load_average"], earlier["load_average"])
        told = [*earlier["exports"], *rows]
        report["exports"] = [dataclasses.asdict(row) for row in told]
        (staging / EXPORT_REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n")
        (staging / CARD_FILE).write_text(render_model_card(name, report, told))
        if config is not None:
            (staging / CONFIG_FILE).write_text(dump_config(config))
        if geometry is not None:
            geometry.write(staging / GEOMETRY_FILE)
        for (path, _), row in zip(exports, rows, strict=True):
            for part in [path] if path.is_dir() else model_files(path):
                _put(part, directory / (f"{part.name}.rejected" if row.rejected else part.name))
        if replaced:
            for file in (LABELS_FILE, GEOMETRY_FILE, CONFIG_FILE, EXPORT_REPORT_FILE, CARD_FILE):
                _put_or_remove(staging / file, directory / file)
        else:
            for file in (EXPORT_REPORT_FILE, CARD_FILE):
                _put(staging / file, directory / f"{file}.rejected")
    title = f"{len(labels)} records of {record_set.name}/{data.split}, trained model {report['reference_accuracy']:.4f}"
    console = console or Console(stderr=True)
    console.print(parity_table(rows, title))
    if "saved_model" in formats and not warmup_available():
        console.print(NO_WARMUP, markup=False, highlight=False)
    if replaced and report["not_described"]:
        console.print(
            f"{directory}: {', '.join(report['not_described'])} {OTHER_MODEL}; delete them, or export elsewhere",
            markup=False,
            highlight=False,
        )
    return rows


def _geometry(source: Path) -> CropGeometry | None:
    """The geometry stored with a model, else that of the records of its run; those it is measured on do not count."""
    config = run_config(source)
    return find_geometry(source) or (find_geometry(config.data.directory) if config else None)


def _report(source, reference, network, record_set, data, labels, probs, calibration, max_drop) -> dict:
    """The content of ``export.json`` that is known of the model and its measurement."""
    split = record_set.split(data.split)
    calibrated = None
    if calibration is not None:
        calibrated = {"split": data.calibration_split, "records": len(calibration)}
    return {
        "source": source.name,
        "source_sha256": sha256(reference.path),
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


def _timed(rows: list[Parity], files: list[Path], images) -> list[Parity]:
    """The rows of `files` with their times on one thread and on two."""
    one, two = (measure_latencies(files, images, threads) for threads in (1, 2))
    return [
        dataclasses.replace(row, latency_p50=one[0], latency_p95=one[1], two_threads_p50=two[0], two_threads_p95=two[1])
        for row, one, two in zip(rows, one, two, strict=True)
    ]


def _put(source: Path, target: Path) -> None:
    """Moves a file or folder into place; a folder of that name (an earlier rejected version) is replaced."""
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)


def _put_or_remove(source: Path, target: Path) -> None:
    """`_put`; where there is nothing to put, what an earlier model left there goes."""
    if source.exists():
        _put(source, target)
    else:
        target.unlink(missing_ok=True)
