"""What an export tells about the training: the records, the targets, and how the epoch was chosen."""

import json
from collections.abc import Mapping
from pathlib import Path

from fer_keras.config.schema import Data, Source
from fer_keras.data.records import RecordSet, RecordSetError
from fer_keras.evaluation.run_folder import run_folder
from fer_keras.inference.provenance import METRICS_FILE, run_config

SIDECARS = ("noisy_labels", "labelled", "neighbors", "label_sources", "valence_arousal", "candidates")
"""Keys of the configuration that put something beside the records, or in the place of their labels."""

_NOT_TOLD = ("version", "classes", "inputs", "num_shards", "resize", "max_pixels", "parent", "importer")
"""Of a record set's provenance: what says nothing about which pictures and labels are in it."""


def training_record(source: str | Path) -> dict | None:
    """What is known of the training of a model.

    Args:
        source: a run folder, or a ``.keras`` file.

    Returns:
        JSON values: ``data`` (one entry per record set: ``name``, ``splits`` with their use and number of records,
        ``made`` and ``sidecars``), ``targets``, ``monitor``, ``validation_split``, ``epochs``, ``weights`` (best or
        last) and ``best_epoch``. What the run or the record set does not tell is None. None for a file without a run.
    """
    source = Path(source).resolve()
    config = run_config(source)
    if config is None:
        return None
    metrics = run_folder(source) / METRICS_FILE
    finished = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else {}
    stamps = finished.get("fingerprint", {})
    return {
        "data": [_records(part, stamps if part is config.data else {}) for part in config.data.sources],
        "targets": config.data.targets,
        "monitor": config.training.monitor,
        "validation_split": config.data.validation_split,
        "epochs": finished.get("epochs", config.schedule.epochs),
        "weights": "last" if source.stem == "last" and source.suffix == ".keras" else "best",
        "best_epoch": finished.get("best_epoch"),
    }


def describe_records(provenance: Mapping) -> str | None:
    """How a record set was made, in one line, from the first step on; None where that is not noted.

    Example:
        >>> describe_records({"split": "Training", "seed": 0, "parent": {"importer": "ferplus", "protocol": "all"}})
        'importer ferplus (protocol all), then (split Training, seed 0)'
    """
    steps = []
    while provenance:
        parent = provenance.get("parent") or {}
        options = _told({key: value for key, value in provenance.items() if key not in _NOT_TOLD})
        importer = provenance.get("importer")
        name = f"importer {importer}" if importer and not parent else ""
        steps.append(f"{name} ({options})".strip() if options else name)
        provenance = parent
    return ", then ".join(step for step in reversed(steps) if step) or None


def _records(part: Data | Source, stamps: Mapping[str, str]) -> dict:
    """One record set of the run, as it lies on disk now."""
    uses = {"learnt from": part.train_split, "validation": part.validation_split, "tested on": part.test_split}
    try:
        record_set = RecordSet.load(part.directory)
    except RecordSetError:
        record_set = None
    splits = []
    for use, name in uses.items():
        if name is None:
            continue
        split = record_set and record_set.splits.get(name)
        # another content than the run has seen has perhaps another number of records
        known = split is not None and stamps.get(name, split.fingerprint) == split.fingerprint
        splits.append({"name": name, "use": use, "records": split.num_examples if known else None})
    sidecars = {key: getattr(part, key, None) for key in SIDECARS}
    return {
        "name": record_set.name if record_set else Path(part.directory).name,
        "splits": splits,
        "made": describe_records(record_set.provenance) if record_set else None,
        "sidecars": {key: value for key, value in sidecars.items() if value},
    }


def _told(values: Mapping) -> str:
    """The entries that say something, ``key value`` after ``key value``."""
    parts = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = _told(value)
            parts += [f"{key.replace('_', ' ')}: {inner}"] if inner else []
        elif isinstance(value, list | tuple):
            parts += [f"{key.replace('_', ' ')} {'/'.join(map(str, value))}"] if value else []
        elif value is not None:
            parts.append(f"{key.replace('_', ' ')} {value}")
    return ", ".join(parts)
