"""Several record sets as one to learn from; the sample ids of each come after those of the sets before it."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fer_keras.data.records import RecordSet, Split
from fer_keras.emotions import require_same_classes


class JoiningError(ValueError):
    """Record sets or sidecars that cannot be joined."""


def join_splits(parts: Sequence[tuple[RecordSet, str]]) -> RecordSet:
    """One record set whose training split holds the samples of several.

    Args:
        parts: record sets and the name of the split to take of each. The first gives name, folder and all other
            splits of the result.

    Returns:
        The first record set with a longer split; sample i of part p has the id ``offset(p) + i``. Sidecars are still
        read from the sets themselves.

    Raises:
        ClassListMismatchError: their class lists differ. RecordSetError: a split does not exist.

    Example:
        >>> join_splits([])
        Traceback (most recent call last):
        ...
        fer_keras.data.joining.JoiningError: no record set to join
    """
    if not parts:
        raise JoiningError("no record set to join")
    first, name = parts[0]
    if len(parts) == 1:
        return first
    shards = []
    for record_set, split in parts:
        require_same_classes(first.class_names, record_set.class_names, str(first.directory), str(record_set.directory))
        shards += [
            dataclasses.replace(shard, file=str((record_set.directory / shard.file).resolve()))
            for shard in record_set.split(split).shards
        ]
    return dataclasses.replace(first, splits={**first.splits, name: Split(name, tuple(shards))})


def join_neighbors(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Neighbours of several sets by the sample ids of the joined set; nobody has a neighbour in another set.

    Args:
        parts: of each set ``ids`` (N, K) and ``differences`` (N, K, D).

    Returns:
        The same for the samples of all.

    Raises:
        JoiningError: K or D differ.
    """
    shapes = {(part["ids"].shape[1], part["differences"].shape[2]) for part in parts}
    if len(shapes) > 1:
        found = ", ".join(f"{count} neighbours in {width} dimensions" for count, width in sorted(shapes))
        raise JoiningError(f"the record sets have different neighbours ({found}); make them alike for all")
    offsets = np.cumsum([0, *(len(part["ids"]) for part in parts[:-1])])
    return {
        "ids": np.concatenate([part["ids"] + offset for part, offset in zip(parts, offsets)]).astype(np.int32),
        "differences": np.concatenate([part["differences"] for part in parts]),
    }


def labels_by_set(labels: Sequence[np.ndarray]) -> np.ndarray:
    """Labels as label sources: each set is one source, which says nothing of the samples of the others.

    Args:
        labels: (N_s,) int64 of each of S sets.

    Returns:
        (N, S) int64; -1 where a source says nothing.

    Example:
        >>> labels_by_set([np.array([3, 4]), np.array([5])]).tolist()
        [[3, -1], [4, -1], [-1, 5]]
    """
    joined = np.full((sum(map(len, labels)), len(labels)), -1, np.int64)
    start = 0
    for source, own in enumerate(labels):
        joined[start : start + len(own), source] = own
        start += len(own)
    return joined
