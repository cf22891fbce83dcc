"""Checks a record set from the bytes of its shards to the meaning of its records."""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_keras.data.records import RecordSet, Shard, parse_records
from fer_keras.emotions import EMOTIONS
from tfrecords_tools.images import ImageError, check_image, own_pixel_limit
from tfrecords_tools.leakage import LeakageReport, Occurrence
from tfrecords_tools.pixels import pixel_hash
from tfrecords_tools.plan import ordered_map


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something broken: where (file and record, counted from 0 within the shard) and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclasses.dataclass(frozen=True)
class Verification:
    """The outcome of `verify`.

    Args:
        problems: what is broken; empty for a sound set.
        records: number of records that could be read.
        leakage: the identical images among them.
    """

    problems: tuple[Problem, ...]
    records: int
    leakage: LeakageReport


def verify(record_set: RecordSet, advance: Callable[[int], object] = lambda count: None) -> Verification:
    """Reads every byte of a record set and decodes every image.

    Checked are: metadata files and class list, SHA-256 and number of records of each shard, the CRC of each record,
    the schema, dense ``sample_id``, labels, votes, valence and arousal in range, and that images can be decoded.

    Args:
        record_set: the set.
        advance: called with the number of records done since the last call.

    Returns:
        All problems, shard by shard, and the identical images.
    """
    jobs = []
    for name, split in record_set.splits.items():
        starts = itertools.accumulate((shard.num_examples for shard in split.shards), initial=0)
        jobs += [(name, shard, start) for shard, start in zip(split.shards, starts)]
    problems = _metadata_problems(record_set)
    hashed: list[tuple[Occurrence, bytes]] = []
    check = functools.partial(_verify_shard, record_set, advance)
    with own_pixel_limit():
        for found, records in ordered_map(check, jobs, os.cpu_count() or 1):
            problems += found
            hashed += records
    return Verification(tuple(problems), len(hashed), LeakageReport.of(hashed))


def _metadata_problems(record_set: RecordSet) -> list[Problem]:
    """What differs between ``records.json`` and the metadata that TFDS reads."""
    problems = []
    unknown = [name for name in record_set.class_names if name not in EMOTIONS]
    if unknown:
        problems.append(Problem("records.json", f"classes that are not in the vocabulary: {', '.join(unknown)}"))
    expected = {
        "label.labels.txt": lambda text: tuple(text.split()) == record_set.class_names,
        "features.json": lambda text: _num_classes(text) == len(record_set.class_names),
        "dataset_info.json": lambda text: _shard_lengths(text) == _expected_lengths(record_set),
    }
    what = {
        "label.labels.txt": f"class list differs from records.json ({', '.join(record_set.class_names)})",
        "features.json": f"number of classes differs from records.json ({len(record_set.class_names)})",
        "dataset_info.json": "splits or shard lengths differ from records.json",
    }
    for name, agrees in expected.items():
        file = record_set.directory / name
        try:
            if not agrees(file.read_text()):
                problems.append(Problem(name, what[name]))
        except FileNotFoundError:
            problems.append(Problem(name, "missing"))
        except (ValueError, KeyError, TypeError):
            problems.append(Problem(name, "damaged: not the JSON that TFDS writes"))
    return problems


def _num_classes(text: str) -> int:
    return int(json.loads(text)["featuresDict"]["features"]["label"]["classLabel"]["numClasses"])


def _shard_lengths(text: str) -> dict[str, list[int]]:
    return {split["name"]: [int(length) for length in split["shardLengths"]] for split in json.loads(text)["splits"]}


def _expected_lengths(record_set: RecordSet) -> dict[str, list[int]]:
    return {name: [shard.num_examples for shard in split.shards] for name, split in record_set.splits.items()}


def _verify_shard(
    record_set: RecordSet, advance: Callable[[int], object], job: tuple[str, Shard, int]
) -> tuple[list[Problem], list[tuple[Occurrence, bytes]]]:
    split, shard, start = job
    file = record_set.directory / shard.file
    if not file.is_file():
        return [Problem(shard.file, "missing")], []
    problems = []
    with open(file, "rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != shard.sha256:
            problems.append(Problem(shard.file, "its bytes are not those that were written (SHA-256 differs)"))
    serialized, damage = _read_shard(file)
    problems += damage
    if not damage and len(serialized) != shard.num_examples:
        problems.append(Problem(shard.file, f"{len(serialized)} records, records.json says {shard.num_examples}"))
    numbers, columns, malformed = _parse(serialized, shard.file, len(record_set.class_names))
    problems += malformed
    if len(numbers):
        problems += _value_problems(shard.file, numbers, columns, start, len(record_set.class_names))
    hashed = []
    undecodable = []
    for row, number in enumerate(numbers):
        label = int(columns["label"][row])
        name = record_set.class_names[label] if 0 <= label < len(record_set.class_names) else str(label)
        source = columns["source"][row].decode(errors="replace")
        try:
            check_image(columns["image"][row], max_pixels=sys.maxsize)
            pixels = pixel_hash(columns["image"][row])
            hashed.append((Occurrence(split, int(columns["sample_id"][row]), name, source), pixels))
        except ImageError as error:
            undecodable.append(Problem(f"{shard.file}, record {number}", f"image cannot be decoded ({error})"))
        advance(1)
    return problems + undecodable, hashed


def _read_shard(file: Path) -> tuple[list[bytes], list[Problem]]:
    """The serialised records up to the first damaged one."""
    import tensorflow as tf

    serialized: list[bytes] = []
    try:
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            serialized.append(record)
    except tf.errors.DataLossError:
        where = f"{file.name}, record {len(serialized)}"
        return serialized, [Problem(where, "damaged (CRC or length is wrong); what follows cannot be read")]
    return serialized, []


def _parse(serialized: list[bytes], file: str, num_classes: int) -> tuple[np.ndarray, dict, list[Problem]]:
    """Record numbers and columns of the records that fit the schema, and a problem for each other."""
    import tensorflow as tf

    numbers = np.arange(len(serialized))
    if not len(numbers):
        return numbers, {}, []
    problems = []
    try:
        parsed = parse_records(serialized, num_classes)
    except tf.errors.InvalidArgumentError:
        sound = []
        for number in numbers:
            try:
                parse_records([serialized[number]], num_classes)
                sound.append(number)
            except tf.errors.InvalidArgumentError as error:
                what = " ".join(str(error.message).split())[:200]
                problems.append(Problem(f"{file}, record {number}", f"does not fit the schema ({what})"))
        numbers = np.array(sound, dtype=np.int64)
        if not sound:
            return numbers, {}, problems
        parsed = parse_records([serialized[number] for number in sound], num_classes)
    return numbers, {name: column.numpy() for name, column in parsed.items()}, problems


def _value_problems(file: str, numbers: np.ndarray, columns: dict, start: int, num_classes: int) -> list[Problem]:
    """One problem per kind: the first record that has it, and how many more do."""
    position = np.stack([columns["valence"], columns["arousal"]], axis=1)
    kinds = {
        "sample_id is not its position in the split": columns["sample_id"] != start + numbers,
        f"label is outside -1..{num_classes - 1}": (columns["label"] < -1) | (columns["label"] >= num_classes),
        "votes are negative or not finite": ~(np.isfinite(columns["votes"]) & (columns["votes"] >= 0)).all(axis=1),
        "valence or arousal is outside [-1, 1]": (np.abs(position) > 1).any(axis=1),
    }
    problems = []
    for what, wrong in kinds.items():
        if wrong.any():
            more = f" (and {wrong.sum() - 1} more)" if wrong.sum() > 1 else ""
            problems.append(Problem(f"{file}, record {numbers[wrong.argmax()]}{more}", what))
    return problems
