"""Derived per-sample data beside a record set: memory-mapped ``.npy`` files keyed by ``sample_id``.

A sidecar lives at ``<record set>/sidecars/<split>/<name>.npy`` with a stamp ``<name>.json`` that holds the
fingerprint of the split it was computed from and how it was made. A stamp that does not match is refused.
"""

import json
from pathlib import Path

import numpy as np

from fer_keras.data.records import RecordSet
from fer_keras.files import replacing, write_json


class SidecarError(ValueError):
    """A sidecar that is missing, or was computed from other records."""


def sidecar_path(record_set: RecordSet, split: str, name: str) -> Path:
    """Where the array of the sidecar `name` of a split lies."""
    return record_set.directory / "sidecars" / split / f"{name}.npy"


def write_sidecar(record_set: RecordSet, split: str, name: str, array: np.ndarray, **provenance) -> Path:
    """Writes a per-sample array, stamped with the split's fingerprint.

    Args:
        record_set: the set.
        split: the split whose samples the rows belong to.
        name: the sidecar's name, for example ``neighbors-k8``.
        array: (N, ...) one row per sample, in the order of ``sample_id``.
        **provenance: JSON values that say how the array was made.

    Returns:
        The path of the ``.npy`` file.

    Raises:
        SidecarError: the number of rows is not the number of samples.
    """
    samples = record_set.split(split)
    if len(array) != samples.num_examples:
        raise SidecarError(f"{name}: {len(array)} rows for the {samples.num_examples} samples of split {split!r}")
    path = sidecar_path(record_set, split, name)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array, allow_pickle=False)
    write_json(path.with_name(f"{name}.json"), {"fingerprint": samples.fingerprint, **provenance})
    return path


def read_sidecar(record_set: RecordSet, split: str, name: str) -> np.ndarray:
    """Opens a sidecar, memory-mapped and read-only.

    Raises:
        SidecarError: it does not exist (the message lists those that do), or its fingerprint is not the split's.
    """
    path = sidecar_path(record_set, split, name)
    if not path.is_file():
        present = sorted(file.stem for file in path.parent.glob("*.npy"))
        raise SidecarError(
            f"{path}: no such sidecar; split {split!r} has: {', '.join(present) or 'none'} (see fer-tfrecords --help)"
        )
    if read_stamp(record_set, split, name).get("fingerprint") != record_set.split(split).fingerprint:
        raise SidecarError(f"{path}: computed from other records than those in {record_set.directory}; make it again")
    return np.load(path, mmap_mode="r", allow_pickle=False)


def read_stamp(record_set: RecordSet, split: str, name: str) -> dict:
    """The stamp of a sidecar: its fingerprint and provenance ({} if there is none)."""
    file = sidecar_path(record_set, split, name).with_name(f"{name}.json")
    return json.loads(file.read_text()) if file.is_file() else {}
