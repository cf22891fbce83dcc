"""Writes record sets: sharded, in parallel, resumable at any moment with a byte-identical result.

A conversion has two passes. The first (`tfrecords_tools.plan`) checks every image and fixes which row becomes which
``sample_id`` in which shard; its outcome is stored. The second writes the shards, each by one thread: to a temporary
name, synced, renamed, entered in the journal. An interrupted conversion goes on with the shards not in the journal.
"""

import contextlib
import dataclasses
import fcntl
import functools
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import fer_keras
from fer_keras.data.records import METADATA_FILE, RecordSet, Shard, Split
from fer_keras.faces.crop_geometry import GEOMETRY_FILE
from fer_keras.files import write_json
from tfrecords_tools.extras import Extras
from tfrecords_tools.images import own_pixel_limit
from tfrecords_tools.importers.base import Importer
from tfrecords_tools.limits import DEFAULT_MAX_PIXELS
from tfrecords_tools.plan import QUARANTINE_FILE, Plan, StrictError, make_plan, write_quarantine
from tfrecords_tools.shards import write_shards
from tfrecords_tools.summary import print_summary

UNFINISHED = ".unfinished"
"""Folder inside a record set's folder that holds the plan and the journal until the set is complete."""


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
        overwrite: replace the record set, or the unfinished work of another conversion, that is in the folder.
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
        InputChangedError: the input changed while it was converted.
        ExtrasError: samples of a split with different extras.
        OSError: a file cannot be read or written.
    """
    options = options or WriteOptions()
    console = console or Console(quiet=True)
    directory = Path(directory)
    _require_name("record set", importer.name)
    for note in importer.notes():
        console.print(f"note: {note}", markup=False, highlight=False)
    key = _conversion_key(importer, options)
    with _locked(directory), own_pixel_limit():
        if (directory / METADATA_FILE).is_file() and not options.overwrite:
            return _finished_before(directory, key, console)
        _prepare(directory, key, options.overwrite)
        workers = options.workers or os.cpu_count() or 1
        extras = Extras()
        try:
            with _progress(console) as progress:
                plan = _load_or_make_plan(importer, directory, key, options, workers, progress)
                task = progress.add_task("writing", total=sum(plan.kept.values()))
                shards = write_shards(
                    importer,
                    plan,
                    directory,
                    directory / UNFINISHED,
                    options.num_shards,
                    options.resize,
                    workers,
                    functools.partial(progress.advance, task),
                    extras,
                )
        except KeyboardInterrupt:
            console.print("interrupted; run the same command again to continue")
            raise
        record_set = _finish(importer, directory, key, plan, shards, extras)
    print_summary(console, record_set, plan)
    return record_set


def _conversion_key(importer: Importer, options: WriteOptions) -> dict:
    """All that the bytes written depend on; stored as the record set's provenance."""
    key = {
        "importer": importer.name,
        "version": fer_keras.__version__,
        "classes": list(importer.class_names),
        **importer.options(),
        "inputs": importer.inputs(),
        "num_shards": options.num_shards,
        "resize": options.resize,
        "max_pixels": options.max_pixels,
    }
    return json.loads(json.dumps(key))  # compared with what was stored


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
    if plan_file.is_file() and not (directory / METADATA_FILE).is_file():
        before = json.loads(plan_file.read_text())["key"]
        changed = [name for name in {**before, **key} if before.get(name) != key.get(name)]
        if not changed:
            return
        if not overwrite:
            raise WriteError(
                f"{directory}: holds unfinished work with other options or input ({', '.join(changed)}); "
                "run the same command as before to continue it, or add --overwrite to start afresh"
            )
    plan_file.unlink(missing_ok=True)
    (directory / METADATA_FILE).unlink(missing_ok=True)
    for pattern in (
        "*.tfrecord-*-of-*",
        "dataset_info.json",
        "features.json",
        "*.labels.txt",
        QUARANTINE_FILE,
        GEOMETRY_FILE,
    ):
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
            raise StrictError(f"{source}: {reason}")
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
    write_json(plan_file, {"key": key, "plan": dataclasses.asdict(plan)})
    return plan


def _finish(
    importer: Importer, directory: Path, key: dict, plan: Plan, shards: dict[str, list[Shard]], extras: Extras
) -> RecordSet:
    """Writes sidecars and metadata, ``records.json`` last, and removes the journal."""
    from tfrecords_tools.tfds_metadata import write_tfds_metadata

    provenance = {**key, "quarantined": plan.quarantined(), "left_out": plan.left_out}
    splits = {name: Split(name, tuple(of_split)) for name, of_split in shards.items()}
    record_set = RecordSet(directory, importer.name, importer.class_names, splits, provenance)
    extras.write(record_set, importer.sidecars())
    write_tfds_metadata(record_set)
    if importer.crop_geometry is not None:
        importer.crop_geometry.write(directory / GEOMETRY_FILE)
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
