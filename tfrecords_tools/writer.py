"""Writes record sets: sharded, in parallel, resumable at any moment with a byte-identical result.

A conversion has two passes. The first (`tfrecords_tools.plan`) checks every image and fixes which row becomes which
``sample_id`` in which shard; its outcome is stored. The second writes the shards, each by one thread: to a temporary
name, synced, renamed, entered in the journal. An interrupted conversion goes on with the shards not in the journal.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import fer_keras
from fer_keras.data.records import METADATA_FILE, RecordSet, Shard, Split, encode_record, shard_name
from tfrecords_tools.images import DEFAULT_MAX_PIXELS, convert_image, own_pixel_limit
from tfrecords_tools.importers.base import Importer, Sample
from tfrecords_tools.plan import QUARANTINE_FILE, Plan, make_plan, ordered_map, write_atomically, write_quarantine
from tfrecords_tools.summary import print_summary

UNFINISHED = ".unfinished"
"""Folder inside a record set's folder that holds the plan and the journal until the set is complete."""

_SHARD_BYTES = 128 * 2**20  # aimed at by default
_SHARD_RECORDS = 2048  # small sets: enough shards to read and write in parallel
_MAX_SMALL_SHARDS = 16


class WriteError(ValueError):
    """A record set that cannot be written as asked."""


@dataclasses.dataclass(frozen=True)
class WriteOptions:
    """How a record set is written.

    Args:
        num_shards: shards per split; None chooses by size (about 128 MB each, 2048 records each in small sets).
        resize: side in pixels to resize every image to; None keeps the images as encoded.
        max_pixels: images with more pixels go to the quarantine.
        strict: the first malformed row or image ends the conversion.
        overwrite: replace the record set, or unfinished work, that is in the folder.
        workers: number of threads; None takes one per core.
    """

    num_shards: int | None = None
    resize: int | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS
    strict: bool = False
    overwrite: bool = False
    workers: int | None = None


def write_record_set(
    importer: Importer, directory: str | Path, options: WriteOptions | None = None, console: Console | None = None
) -> RecordSet:
    """Converts a data set into a record set; run again after an interruption, it continues.

    Args:
        importer: the data set.
        directory: folder to write to: new, empty, or with unfinished work of the same conversion.
        options: see `WriteOptions`.
        console: where progress and summary go; None prints nothing.

    Returns:
        The finished record set.

    Raises:
        WriteError: the folder holds something else, or nothing is left to write.
        StrictError: `options.strict`, and a row or an image is malformed.
        OSError: a file cannot be read or written.
    """
    options = options or WriteOptions()
    console = console or Console(quiet=True)
    directory = Path(directory)
    for name in (importer.name, *importer.class_names):
        _require_name("record set", name)
    for note in importer.notes():
        console.print(f"note: {note}", markup=False, highlight=False)
    key = _conversion_key(importer, options)
    with _locked(directory), own_pixel_limit():
        if (directory / METADATA_FILE).is_file() and not options.overwrite:
            return _finished_before(directory, key, console)
        _prepare(directory, key, options.overwrite)
        workers = options.workers or os.cpu_count() or 1
        try:
            with _progress(console) as progress:
                plan = _load_or_make_plan(importer, directory, key, options, workers, progress)
                shards = _write_shards(importer, directory, plan, options, workers, progress)
        except KeyboardInterrupt:
            console.print("interrupted; run the same command again to continue")
            raise
        record_set = _finish(importer, directory, key, plan, shards)
    print_summary(console, record_set, plan)
    return record_set


def _conversion_key(importer: Importer, options: WriteOptions) -> dict:
    """All that the bytes written depend on; stored as the record set's provenance."""
    return {
        "importer": importer.name,
        "version": fer_keras.__version__,
        "classes": list(importer.class_names),
        **importer.options(),
        "inputs": importer.inputs(),
        "num_shards": options.num_shards,
        "resize": options.resize,
        "max_pixels": options.max_pixels,
    }


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Holds the folder for this process; the system lets go of the lock even if the process is killed."""
    unknown = directory.is_dir() and not (directory / METADATA_FILE).is_file() and not (directory / UNFINISHED).is_dir()
    if unknown and any(directory.iterdir()):
        raise WriteError(f"{directory}: not empty, and no record set; give a new folder")
    (directory / UNFINISHED).mkdir(parents=True, exist_ok=True)
    with open(directory / UNFINISHED / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WriteError(f"{directory}: another process is writing here") from error
        yield


def _finished_before(directory: Path, key: dict, console: Console) -> RecordSet:
    shutil.rmtree(directory / UNFINISHED)
    record_set = RecordSet.load(directory)
    if not key.items() <= record_set.provenance.items():
        raise WriteError(f"{directory}: holds the record set {record_set.name!r} already; --overwrite replaces it")
    console.print(f"{directory}: complete already, nothing to do", markup=False, highlight=False)
    return record_set


def _prepare(directory: Path, key: dict, overwrite: bool) -> None:
    """Clears the folder unless it holds unfinished work of the same conversion."""
    plan_file = directory / UNFINISHED / "plan.json"
    if plan_file.is_file() and not overwrite:
        before = json.loads(plan_file.read_text())["key"]
        changed = [name for name in {**before, **key} if before.get(name) != key.get(name)]
        if changed:
            raise WriteError(
                f"{directory}: holds unfinished work made with another {', '.join(changed)}; "
                "run the same command again to continue it, or add --overwrite to start afresh"
            )
        return
    plan_file.unlink(missing_ok=True)
    (directory / METADATA_FILE).unlink(missing_ok=True)
    for pattern in ("*.tfrecord-*-of-*", "dataset_info.json", "features.json", "*.labels.txt", QUARANTINE_FILE):
        for file in directory.glob(pattern):
            file.unlink()
    for file in (directory / UNFINISHED).glob("*.tfrecord-*"):
        file.unlink()


def _load_or_make_plan(
    importer: Importer, directory: Path, key: dict, options: WriteOptions, workers: int, progress: Progress
) -> Plan:
    plan_file = directory / UNFINISHED / "plan.json"
    if plan_file.is_file():
        plan = Plan(**json.loads(plan_file.read_text())["plan"])
        if options.strict and plan.quarantine:
            source, reason, _ = plan.quarantine[0]
            raise WriteError(f"{source}: {reason}")
        return plan
    task = progress.add_task("checking", total=importer.num_rows)
    plan = make_plan(importer, options.max_pixels, options.strict, workers, lambda rows: progress.advance(task, rows))
    write_quarantine(plan, directory)
    if not plan.kept:
        raise WriteError(
            f"{directory}: no image to write: {len(plan.quarantine)} rejected (see {directory / QUARANTINE_FILE}), "
            f"{sum(sum(reasons.values()) for reasons in plan.left_out.values())} left out"
        )
    for split in plan.kept:
        _require_name("split", split)
    write_atomically(plan_file, json.dumps({"key": key, "plan": dataclasses.asdict(plan)}))
    return plan


def _shard_bounds(plan: Plan, split: str, num_shards: int | None) -> list[int]:
    """First ``sample_id`` of every shard, and the number of records at the end."""
    records = plan.kept[split]
    if num_shards is None:
        small = min(math.ceil(records / _SHARD_RECORDS), _MAX_SMALL_SHARDS)
        num_shards = max(small, math.ceil(plan.image_bytes[split] / _SHARD_BYTES))
    num_shards = min(num_shards, records)
    return [records * index // num_shards for index in range(num_shards + 1)]


def _write_shards(
    importer: Importer, directory: Path, plan: Plan, options: WriteOptions, workers: int, progress: Progress
) -> dict[str, list[Shard]]:
    """Writes the shards that the journal does not hold; returns all of them by split, in order."""
    bounds = {split: _shard_bounds(plan, split, options.num_shards) for split in plan.kept}
    task = progress.add_task("writing", total=sum(plan.kept.values()))
    shards: dict[str, dict[int, Shard]] = {split: {} for split in plan.kept}
    num_votes = len(importer.class_names)

    def write(job: tuple[str, int, list[Sample]]) -> tuple[str, int, Shard]:
        split, index, samples = job
        start, count = bounds[split][index], len(bounds[split]) - 1
        file = directory / shard_name(importer.name, split, index, count)
        journal = directory / UNFINISHED / f"{file.name}.json"
        shard = Shard(**json.loads(journal.read_text())) if journal.is_file() else None
        if shard is None or not file.is_file() or file.stat().st_size != shard.num_bytes:
            shard = _write_shard(file, samples, start, num_votes, options.resize)
            write_atomically(journal, json.dumps(dataclasses.asdict(shard)))
        progress.advance(task, shard.num_examples)
        return split, index, shard

    for split, index, shard in ordered_map(write, _shard_jobs(importer, plan, bounds), workers):
        shards[split][index] = shard
    for split, expected in plan.kept.items():
        if sum(shard.num_examples for shard in shards[split].values()) != expected:
            raise WriteError(f"{directory}: the input of split {split!r} changed meanwhile; use --overwrite")
    return {split: [by_index[index] for index in sorted(by_index)] for split, by_index in shards.items()}


def _shard_jobs(
    importer: Importer, plan: Plan, bounds: dict[str, list[int]]
) -> Iterator[tuple[str, int, list[Sample]]]:
    """Reads the rows again and hands out the samples of one shard after the other."""
    rejected = set(plan.rejected_rows)
    buffers: dict[str, list[Sample]] = {split: [] for split in bounds}
    indices = dict.fromkeys(bounds, 0)
    for position, row in enumerate(importer.rows()):
        if not isinstance(row, Sample) or position in rejected:
            continue
        buffer, index = buffers[row.split], indices[row.split]
        buffer.append(row)
        if len(buffer) == bounds[row.split][index + 1] - bounds[row.split][index]:
            yield row.split, index, buffer
            buffers[row.split], indices[row.split] = [], index + 1


def _write_shard(file: Path, samples: list[Sample], start: int, num_votes: int, resize: int | None) -> Shard:
    import tensorflow as tf

    temporary = file.with_name(f".{file.name}.tmp")
    with tf.io.TFRecordWriter(str(temporary)) as writer:
        for sample_id, sample in enumerate(samples, start):
            votes = [0.0] * num_votes if sample.votes is None else sample.votes
            record = encode_record(
                convert_image(sample.image(), resize),
                sample.label,
                sample_id,
                votes,
                sample.valence,
                sample.arousal,
                sample.source,
            )
            writer.write(record)
    with open(temporary, "rb+") as written:
        os.fsync(written.fileno())
        checksum = hashlib.file_digest(written, "sha256").hexdigest()
    shard = Shard(file.name, len(samples), temporary.stat().st_size, checksum)
    temporary.replace(file)
    return shard


def _finish(importer: Importer, directory: Path, key: dict, plan: Plan, shards: dict[str, list[Shard]]) -> RecordSet:
    """Writes the metadata, ``records.json`` last, and removes the journal."""
    from tfrecords_tools.tfds_metadata import write_tfds_metadata

    provenance = {**key, "quarantined": plan.quarantined(), "left_out": plan.left_out}
    splits = {name: Split(name, tuple(of_split)) for name, of_split in shards.items()}
    record_set = RecordSet(directory, importer.name, importer.class_names, splits, provenance)
    write_tfds_metadata(record_set)
    record_set.save()
    shutil.rmtree(directory / UNFINISHED)
    return record_set


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _require_name(what: str, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z]\w*", name, flags=re.ASCII):
        raise WriteError(f"{name!r} cannot name a {what}: use letters, digits and _, beginning with a letter")
