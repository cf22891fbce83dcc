"""Noise transition matrices: the probability that a sample of one class is given the label of another."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from fer_keras.emotions import class_index

CONFUSED_PAIRS: dict[str, str] = {
    "neutral": "sadness",
    "happiness": "neutral",
    "sadness": "neutral",
    "surprise": "fear",
    "fear": "surprise",
    "disgust": "anger",
    "anger": "disgust",
    "contempt": "neutral",
}
"""For each emotion the one that annotators most often take it for: where class-dependent noise flips it by default."""


class TransitionError(ValueError):
    """A transition matrix that cannot be read, or whose rows are not distributions over the class list."""


def default_transition(class_names: Sequence[str]) -> np.ndarray:
    """The transition matrix that moves every class to the one it is most often confused with.

    Args:
        class_names: canonical emotion names, in the order of the label indices.

    Returns:
        (C, C) float64, rows sum to 1: `CONFUSED_PAIRS`; the identity where the partner is not in `class_names`.

    Example:
        >>> default_transition(["surprise", "fear", "anger"])
        array([[0., 1., 0.],
               [1., 0., 0.],
               [0., 0., 1.]])
    """
    names = list(class_names)
    matrix = np.zeros((len(names), len(names)))
    for row, name in enumerate(names):
        partner = CONFUSED_PAIRS[name]
        matrix[row, names.index(partner) if partner in names else row] = 1.0
    return matrix


def read_transition(path: str | Path, class_names: Sequence[str]) -> np.ndarray:
    """Reads a transition matrix from a csv or a YAML file.

    The csv is a square table: a header ``true,<class>,<class>...`` and rows ``<class>,<p>,<p>...``. The YAML file
    lists only what moves: ``fear: {surprise: 0.3, sadness: 0.1}``. Entry (true, given) is a probability; what a
    row leaves out stays in its class, and so does a class without a row.

    Args:
        path: the file, ``.csv``, ``.yaml`` or ``.yml``.
        class_names: canonical emotion names of the record set; the file may use aliases and any order.

    Returns:
        (C, C) float64, rows sum to 1.

    Raises:
        TransitionError: not such a file, or a row whose probabilities are negative or sum to more than 1.
        UnknownEmotionError: a name that is not a class of the set.
    """
    path = Path(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        entries = _yaml_entries(path)
    elif path.suffix.lower() == ".csv":
        entries = _csv_entries(path)
    else:
        raise TransitionError(f"{path}: a transition matrix is a .csv, .yaml or .yml file")
    matrix = np.full((len(class_names), len(class_names)), np.nan)
    for true, given, probability in entries:
        row, column = class_index(true, class_names), class_index(given, class_names)
        if not np.isnan(matrix[row, column]):
            raise TransitionError(f"{path}: row {true!r}: class {given!r} is given twice")
        matrix[row, column] = _probability(path, true, given, probability)
    return _complete(path, matrix, class_names)


def _complete(path: Path, matrix: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Fills what the file left out, so that every row sums to 1."""
    filled = np.nan_to_num(matrix)
    for row, name in enumerate(class_names):
        total = filled[row].sum()
        given_diagonal = not np.isnan(matrix[row, row])
        if total > 1 + 1e-3 or (given_diagonal and total < 1 - 1e-3):
            raise TransitionError(f"{path}: row {name!r} sums to {total:g}; the probabilities of a row must sum to 1")
        if given_diagonal or total > 1:
            filled[row] /= total
        else:
            filled[row, row] = 1 - total
    return filled


def _probability(path: Path, true: str, given: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = np.nan
    if not 0 <= number <= 1:
        raise TransitionError(f"{path}: row {true!r}, column {given!r}: {value!r} is not a probability from 0 to 1")
    return number


def _csv_entries(path: Path) -> Iterable[tuple[str, str, object]]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    if not rows:
        raise TransitionError(f"{path}: expected a header `true,<class>,...` and one row per class")
    for row in rows:
        if len(row) != len(header):
            raise TransitionError(f"{path}: row {row[0]!r} has {len(row)} fields, the header has {len(header)}")
        yield from ((row[0], given, value) for given, value in zip(header[1:], row[1:]))


def _yaml_entries(path: Path) -> Iterable[tuple[str, str, object]]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise TransitionError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict) or not all(isinstance(moves, dict) for moves in content.values()):
        raise TransitionError(f"{path}: expected lines such as `fear: {{surprise: 0.3}}`")
    for true, moves in content.items():
        yield from ((str(true), str(given), value) for given, value in moves.items())
