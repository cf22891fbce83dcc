"""The ``results.csv`` of a run: one line an epoch."""

import csv
from pathlib import Path

import numpy as np

from fer_keras.evaluation import figures


class ResultsError(ValueError):
    """A ``results.csv`` that cannot be read; the message names the file and the line."""


def read_results(file: str | Path) -> dict[str, np.ndarray]:
    """Reads a ``results.csv``.

    Args:
        file: csv with a header; a column ``epoch`` is needed. Empty cells and ``NA`` are missing values.

    Returns:
        (E,) float64 by column name; NaN where a value is missing.

    Raises:
        ResultsError: no such column, no line, or a cell that is not a number.
    """
    with open(file, newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        names = reader.fieldnames or []
        rows = list(reader)
    if "epoch" not in names:
        raise ResultsError(f"{file}: no column 'epoch'; it has: {', '.join(names) or 'nothing'}")
    if not rows:
        raise ResultsError(f"{file}: no epoch has been recorded yet")
    return {
        name: np.array([_number(file, line, name, row[name]) for line, row in enumerate(rows, 2)]) for name in names
    }


def write_results_figure(run_dir: str | Path) -> Path:
    """Draws ``results.png`` of a run from its ``results.csv``.

    Args:
        run_dir: the run folder.

    Returns:
        The figure's path.

    Raises:
        ResultsError: as `read_results`.
        FileNotFoundError: there is no ``results.csv``.
    """
    run_dir = Path(run_dir)
    figure = figures.results_curves(read_results(run_dir / "results.csv"), run_dir.resolve().name)
    figures.save(figure, run_dir / "results.png")
    return run_dir / "results.png"


def _number(file: str | Path, line: int, column: str, text: str | None) -> float:
    if text is None or text.strip() in ("", "NA"):
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise ResultsError(f"{file}, line {line}: {column} is {text!r}, not a number") from None
