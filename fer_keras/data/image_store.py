"""The images of a split in memory, read by sample id: decoded once, or decoded at every read."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from fer_keras.data.parallel_map import parallel_map
from fer_keras.data.preprocessing import ImageSize, decode_batch
from fer_keras.data.records import RecordSet, parse_records, read_columns

if TYPE_CHECKING:
    import tensorflow as tf


def image_reader(
    record_set: RecordSet, split: str, image_size: ImageSize, cache: bool
) -> "Callable[[tf.Tensor], tf.Tensor]":
    """Loads the images of a split and returns a graph function that reads some of them.

    Args:
        record_set: the set.
        split: name of the split.
        image_size: (H, W) of the images read.
        cache: True: hold the pixels (N * H * W * 3 bytes), a read is a copy. False: hold the encoded files (the
            size of the split's shards), a read decodes. Both give the same pixels.

    Returns:
        ``read(sample_id (B,) int) -> (B, H, W, 3) uint8``.

    Raises:
        RecordSetError: the split does not exist.
    """
    import tensorflow as tf

    if cache:
        pixels = _in_host_memory(_decode_all(record_set, split, image_size))
        return lambda sample_id: tf.gather(pixels, sample_id)
    files = _in_host_memory(read_columns(record_set, split, ["image"])["image"])
    return lambda sample_id: decode_batch(tf.gather(files, sample_id), image_size)


def _decode_all(record_set: RecordSet, split: str, image_size: ImageSize) -> np.ndarray:
    import tensorflow as tf

    def decode(serialized: "tf.Tensor") -> "tf.Tensor":
        return decode_batch(parse_records(serialized, len(record_set.class_names))["image"], image_size)

    pixels = np.empty((record_set.split(split).num_examples, *image_size, 3), np.uint8)
    batches = tf.data.TFRecordDataset(record_set.shard_paths(split)).batch(256)
    start = 0
    for batch in parallel_map(batches, decode):
        pixels[start : start + len(batch)] = batch.numpy()
        start += len(batch)
    return pixels


def _in_host_memory(array: np.ndarray) -> "tf.Tensor":
    """An eager tensor: captured by reference, it is no part of the graph's definition, which is limited to 2 GB."""
    import tensorflow as tf

    with tf.device("CPU:0"):
        return tf.convert_to_tensor(array)
