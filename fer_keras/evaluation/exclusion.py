"""Samples to leave out of an evaluation, for example those that are also in the training split."""

import csv
from pathlib import Path

import numpy as np

from fer_keras.evaluation.evaluation import Evaluation


class ExclusionError(ValueError):
    """A list of samples to leave out that cannot be used; the message names the file and the line."""


def excluded_samples(file: str | Path, evaluation: Evaluation) -> np.ndarray:
    """Finds the samples of an evaluation that a csv file lists.

    The file has a column ``sample_id``, or else a column ``source`` with the texts of the records. If there is a
    column ``split`` as well, only its rows of the evaluated split count. Columns may come in groups that share a
    prefix or suffix (``split_a, sample_id_a, split_b, sample_id_b``): the leakage report of ``fer-tfrecords verify``
    can be given as it is.

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
        names = [name for name in reader.fieldnames or [] if name]
        rows = list(reader)
    key = next((key for key in ("sample_id", "source") if any(key in name for name in names)), None)
    if key is None:
        raise ExclusionError(f"{file}: no column sample_id or source; it has: {', '.join(names) or 'nothing'}")
    columns = [name for name in names if key in name]
    splits = {column: column.replace(key, "split") for column in columns}
    if len(columns) > 1 and not set(splits.values()) <= set(names):
        missing = ", ".join(sorted(set(splits.values()) - set(names)))
        raise ExclusionError(f"{file}: several columns name samples ({', '.join(columns)}), so {missing} is needed too")
    listed = {
        _value(file, line, column, row[column], evaluation)
        for line, row in enumerate(rows, 2)
        for column in columns
        if row.get(splits[column], evaluation.split) == evaluation.split
    }
    own = evaluation.sample_id.tolist() if key == "sample_id" else evaluation.source
    mask = np.array([value in listed for value in own])
    if not mask.any():
        raise ExclusionError(f"{file}: lists no sample of split {evaluation.split!r} ({len(rows)} rows read)")
    return mask


def _value(file: Path, line: int, column: str, text: str | None, evaluation: Evaluation) -> int | str:
    if "sample_id" not in column:
        return text or ""
    try:
        number = int(text or "")
    except ValueError:
        raise ExclusionError(f"{file}, line {line}: {column} is {text!r}, not a whole number") from None
    if not 0 <= number < len(evaluation.sample_id):
        raise ExclusionError(
            f"{file}, line {line}: {column} is {number}, but split {evaluation.split!r} has the samples "
            f"0..{len(evaluation.sample_id) - 1}"
        )
    return number
