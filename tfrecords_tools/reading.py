"""Streams the records of a set, a few at a time, so that sets larger than memory can be read."""

import functools
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fer_keras.data.records import RecordSet, parse_records
from tfrecords_tools.pixels import pixel_hashes

_BATCH = 512


def iterate_batches(record_set: RecordSet, split: str) -> Iterator[dict]:
    """Yields the records of a split in batches, in the order of ``sample_id``.

    Args:
        record_set: the set.
        split: name of the split.

    Yields:
        Columns as `fer_keras.data.records.parse_records` gives them, as NumPy arrays of up to 512 rows.

    Raises:
        RecordSetError: the split does not exist.
    """
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(record_set.shard_paths(split)).batch(_BATCH)
    parse = functools.partial(parse_records, num_classes=len(record_set.class_names))
    yield from dataset.map(parse).prefetch(2).as_numpy_iterator()


def hash_split(record_set: RecordSet, split: str, advance: Callable[[int], object] = lambda count: None) -> list[bytes]:
    """The pixel hash of every image of a split, in the order of ``sample_id``.

    Args:
        record_set: the set.
        split: name of the split.
        advance: called with the number of images done since the last call.

    Returns:
        N hashes of 16 bytes, see `tfrecords_tools.pixels.pixel_hash`.
    """
    hashes: list[bytes] = []
    for batch in iterate_batches(record_set, split):
        hashes += pixel_hashes(batch["image"], advance)
    return hashes


def progress_bar(console: Console) -> Progress:
    """The progress bar of the commands that read whole sets; it disappears when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
