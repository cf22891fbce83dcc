"""Samples to leave out of an evaluation, for example those that are also in the training split."""

import csv
from pathlib import Path

import numpy as np

from fer_keras.evaluation.evaluation import Evaluation


class ExclusionError(ValueError):
    """A list of samples to leave out that cannot be used; the message names the file and the line."""


def excluded_samples(file: str | Path, evaluation: Evaluation) -> np.ndarray:
    """Finds the samples of an evaluation that a csv file lists.

    The file has a column ``sample_id``, or else a column ``source`` with the texts of the records. Of the leakage
    report of ``fer-tfrecords verify``, which can be given as it is, two more columns are heeded: only rows whose
    ``split`` is the evaluated one count, and rows whose ``across_splits`` is 0 (an image that only repeats within
    its own split) do not.

    Args:
        file: the csv file.
        evaluation: an evaluation of the whole split.

    Returns:
        (N,) bool, True for the samples listed.

    Raises:
        ExclusionError: no such file or column, a ``sample_id`` that is not one of the split's, or a file that lists
            no sample of the split at all.
    """
    file = Path(file)
    if not file.is_file():
        raise ExclusionError(f"{file}: no such file; give a csv with a column sample_id or source")
    with open(file, newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        names = reader.fieldnames or []
        rows = list(reader)
    column = next((column for column in ("sample_id", "source") if column in names), None)
    if column is None:
        raise ExclusionError(f"{file}: no column sample_id or source; it has: {', '.join(names) or 'nothing'}")
    listed = {
        _sample_id(file, line, row[column], evaluation) if column == "sample_id" else row[column]
        for line, row in enumerate(rows, 2)
        if row.get("split", evaluation.split) == evaluation.split and row.get("across_splits", "1") != "0"
    }
    own = evaluation.sample_id.tolist() if column == "sample_id" else evaluation.source
    mask = np.array([value in listed for value in own])
    if not mask.any():
        raise ExclusionError(f"{file}: lists no sample of split {evaluation.split!r} ({len(rows)} rows read)")
    return mask


def _sample_id(file: Path, line: int, text: str | None, evaluation: Evaluation) -> int:
    try:
        number = int(text or "")
    except ValueError:
        raise ExclusionError(f"{file}, line {line}: sample_id is {text!r}, not a whole number") from None
    if not 0 <= number < len(evaluation.sample_id):
        raise ExclusionError(
            f"{file}, line {line}: sample_id is {number}, but split {evaluation.split!r} has the samples "
            f"0..{len(evaluation.sample_id) - 1}"
        )
    return number
