"""Predictions as a table, JSON lines or CSV."""

import csv
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fer_keras.files import replacing
from fer_keras.inference.prediction import Prediction

FORMATS = ("table", "jsonl", "csv")

POSITION = ("valence", "arousal")
FACE = ("frame", "box", "landmarks", "confidence")
EDGES = ("left", "top", "right", "bottom")


def write_predictions(
    predictions: Iterable[Prediction],
    file: TextIO,
    format: str,
    class_names: Sequence[str],
    top: int = 3,
    valence_arousal: bool = False,
    faces: bool = False,
) -> int:
    """Writes predictions; JSON lines and CSV are written as they come, a table at the end.

    Args:
        predictions: what to write; it may be an iterator.
        file: an open text file.
        format: one of `FORMATS`.
        class_names: the model's classes, the columns of the CSV file.
        top: number of classes shown per image in the table; JSON lines and CSV hold all.
        valence_arousal: whether the model predicts valence and arousal, and these are written too.
        faces: whether a detector was used, and where the faces are is written too (in CSV without their points).

    Returns:
        The number of images that could not be read.

    Raises:
        ValueError: unknown format, or `top` is not positive.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}; known: {', '.join(FORMATS)}")
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    counted = _Counted(predictions)
    if format == "jsonl":
        left_out = (() if valence_arousal else POSITION) + (() if faces else FACE)
        for prediction in counted:
            content = {name: value for name, value in dataclasses.asdict(prediction).items() if name not in left_out}
            file.write(json.dumps(content) + "\n")
    elif format == "csv":
        _write_csv(counted, file, class_names, valence_arousal, faces)
    else:
        _write_table(counted, file, top, valence_arousal, faces)
    return counted.failures


def write_predictions_file(
    predictions: Iterable[Prediction], path: Path, format: str, class_names: Sequence[str], *options
) -> int:
    """`write_predictions` (`options` are its last arguments) to a file, which appears only when it is complete."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        return write_predictions(predictions, file, format, class_names, *options)


class _Counted:
    """Passes predictions on and counts those with an error."""

    def __init__(self, predictions: Iterable[Prediction]):
        self._predictions = predictions
        self.failures = 0

    def __iter__(self) -> Iterator[Prediction]:
        for prediction in self._predictions:
            self.failures += prediction.error is not None
            yield prediction


def _write_csv(
    predictions: Iterable[Prediction], file: TextIO, class_names: Sequence[str], valence_arousal: bool, faces: bool
) -> None:
    writer = csv.writer(file, lineterminator="\n")
    where = ("frame", *EDGES, "confidence") if faces else ()
    writer.writerow(["path", *where, "label", *class_names, *(POSITION if valence_arousal else ()), "error"])
    for prediction in predictions:
        cells = [prediction.path or ""]
        if faces:
            cells += ["" if prediction.frame is None else prediction.frame]
            cells += [f"{edge:.1f}" for edge in prediction.box] if prediction.box else [""] * len(EDGES)
            cells += [_decimal(prediction.confidence)]
        cells += [prediction.label or ""]
        cells += [_decimal(prediction.probs.get(name)) for name in class_names]
        if valence_arousal:
            cells += [_decimal(prediction.valence), _decimal(prediction.arousal)]
        writer.writerow([*cells, prediction.error or ""])


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _write_table(predictions: Iterable[Prediction], file: TextIO, top: int, valence_arousal: bool, faces: bool) -> None:
    where = ("face",) if faces else ()
    table = Table("image", *where, "expression", *(POSITION if valence_arousal else ()), f"top {top}")
    for prediction in predictions:
        path = prediction.path or "-"
        cells = [Text(path if prediction.frame is None else f"{path} frame {prediction.frame}")]
        if faces:
            cells.append(" ".join(f"{edge:.0f}" for edge in prediction.box or ()))
        if prediction.label is None:
            failed = prediction.error is not None
            blank = ("", "") if valence_arousal else ()
            cells += [Text("error", "red") if failed else Text("no face", "yellow"), *blank]
            table.add_row(*cells, Text(prediction.error or "", "red"))
            continue
        ranked = sorted(prediction.probs.items(), key=lambda item: item[1], reverse=True)[:top]
        position = (f"{prediction.valence:+.3f}", f"{prediction.arousal:+.3f}") if valence_arousal else ()
        table.add_row(
            *cells, prediction.label, *position, Text("  ".join(f"{name} {value:.3f}" for name, value in ranked))
        )
    # outside a terminal nothing folds the lines: scripts and files get whole paths
    Console(file=file, width=None if file.isatty() else 10_000).print(table)
