"""Labels of several sources side by side: annotators, other models, other data sets' classes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.data.sidecars import read_sidecar
from fer_keras.emotions import UNLABELLED

RECORDS, VOTES = "records", "votes"
"""Sources that are no sidecars: the records' own labels, and the class with the most votes."""


class LabelSourceError(ValueError):
    """An array that gives no labels."""


def gather_label_sources(record_set: RecordSet, split: str, sources: Sequence[str]) -> np.ndarray:
    """The label that each source gives each sample.

    Args:
        record_set, split: whose samples.
        sources: ``records``, ``votes``, or names of sidecars: (N,) labels, or (N, C) probabilities of a model.

    Returns:
        (N, S) int64; -1 where a source has no label: no votes, a row of zeros or NaN, or -1 in the sidecar.

    Raises:
        SidecarError: a sidecar is missing or stale.
        LabelSourceError: no source, or a sidecar that holds neither labels nor probabilities of the set's classes.
    """
    if not sources:
        raise LabelSourceError("no source of labels is given")
    return np.stack([_labels_of(record_set, split, source) for source in sources], axis=1)


def _labels_of(record_set: RecordSet, split: str, source: str) -> np.ndarray:
    classes = len(record_set.class_names)
    if source == RECORDS:
        return read_columns(record_set, split, ["label"])["label"]
    if source == VOTES:
        return most_probable(read_columns(record_set, split, ["votes"])["votes"])
    found = np.asarray(read_sidecar(record_set, split, source))
    if found.ndim == 2 and found.shape[1] == classes:
        return most_probable(found)
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.integer):
        raise LabelSourceError(
            f"sidecar {source!r} of split {split!r}: {found.dtype} of shape {found.shape}; wanted labels (N,) or "
            f"probabilities (N, {classes})"
        )
    if found.min() < UNLABELLED or found.max() >= classes:
        raise LabelSourceError(
            f"sidecar {source!r} of split {split!r}: labels {found.min()}..{found.max()}, outside "
            f"{UNLABELLED}..{classes - 1}"
        )
    return found.astype(np.int64)


class LabelModel(Protocol):
    """What `predicted_labels` needs of a model; `fer_keras.inference.loading.load_classifier` gives such ones."""

    path: Path
    class_names: tuple[str, ...]
    image_size: tuple[int, int]

    def predict(self, images: np.ndarray) -> dict[str, np.ndarray]: ...


def predicted_labels(
    record_set: RecordSet,
    split: str,
    model: LabelModel,
    batch_size: int = 256,
    advance: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """The labels that a model gives the images: of the classes that it and the set share, the most probable one.

    Args:
        record_set, split: whose samples.
        model: trained on other data, perhaps with other classes.
        batch_size: images decoded and predicted at a time.
        advance: called with the number of images done since the last call.

    Returns:
        (N,) int64 indices of the set's classes.

    Raises:
        RecordSetError: the split does not exist.
        LabelSourceError: model and set share no class, or the split is empty.
    """
    probs, indices = _shared_probabilities(record_set, split, model, batch_size, advance)
    return indices[np.argmax(probs, axis=1)]


def predicted_probabilities(
    record_set: RecordSet,
    split: str,
    model: LabelModel,
    batch_size: int = 256,
    advance: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """The class probabilities that a model gives the images, over the classes that it and the set share.

    Args, Raises: as `predicted_labels`.

    Returns:
        (N, C) float32 by the set's classes, rows sum to 1; 0 for a class that the model does not know. Where the model
        sees none of the shared classes, all of them have the same probability.
    """
    shared, indices = _shared_probabilities(record_set, split, model, batch_size, advance)
    shared = np.where(shared.sum(axis=1, keepdims=True) > 0, shared, 1.0)
    probs = np.zeros((len(shared), len(record_set.class_names)), np.float32)
    probs[:, indices] = shared / shared.sum(axis=1, keepdims=True)
    return probs


def _shared_probabilities(record_set, split, model, batch_size, advance) -> tuple[np.ndarray, np.ndarray]:
    """(N, S) a model's probabilities of the classes that it shares with the set, and (S,) their indices there."""
    from fer_keras.data.pipeline import evaluation_dataset  # TensorFlow comes with it

    shared = [name for name in record_set.class_names if name in model.class_names]
    if not shared:
        raise LabelSourceError(f"{model.path}: none of its classes ({', '.join(model.class_names)}) is in the set")
    columns = [model.class_names.index(name) for name in shared]
    parts = []
    for x, _ in evaluation_dataset(record_set, split, model.image_size, batch_size):
        parts.append(model.predict(x["image"].numpy())["probs"][:, columns])
        advance(len(parts[-1]))
    if not parts:
        raise LabelSourceError(f"{record_set.directory}: split {split!r} is empty")
    return np.concatenate(parts), np.array([record_set.class_names.index(name) for name in shared], np.int64)


def most_probable(scores: np.ndarray) -> np.ndarray:
    """The class with the largest score.

    Args:
        scores: (N, C) votes or probabilities.

    Returns:
        (N,) int64; -1 for a row of zeros or with a NaN. Of equal scores the first class wins.

    Example:
        >>> most_probable(np.array([[0.2, 0.8], [0.0, 0.0]])).tolist()
        [1, -1]
    """
    known = np.isfinite(scores).all(axis=1) & (scores > 0).any(axis=1)
    return np.where(known, np.argmax(scores, axis=1), UNLABELLED).astype(np.int64)
