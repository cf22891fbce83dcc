"""A number of records of a split: decoded images and labels, spread evenly over it."""

import numpy as np
import tensorflow as tf

from fer_keras.data.parallel_map import parallel_map
from fer_keras.data.preprocessing import decode_and_resize
from fer_keras.data.records import RecordSet, RecordSetError, parse_records
from fer_keras.emotions import UNLABELLED


def read_samples(
    record_set: RecordSet, split: str, size: tuple[int, int], count: int, labelled: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Reads records spread evenly over a split (the same ones every time), decoded as in training.

    Args:
        record_set: the records.
        split: name of the split.
        size: (height, width) of the images.
        count: number of records; all of the split if it has fewer.
        labelled: leave out records without a label (fewer than `count` may remain).

    Returns:
        Images (N, H, W, 3) uint8, labels (N,) int64.

    Raises:
        RecordSetError: no such split, or no record remains.
        ValueError: `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"number of samples must be at least 1, got {count}")
    total = record_set.split(split).num_examples
    chosen = np.zeros(total, bool)
    chosen[np.linspace(0, total - 1, min(count, total)).round().astype(int)] = True
    mask, num_classes = tf.constant(chosen), len(record_set.class_names)

    def decode(_, serialized):
        record = parse_records(serialized[None], num_classes)
        return decode_and_resize(record["image"][0], size), record["label"][0]

    dataset = tf.data.TFRecordDataset(record_set.shard_paths(split)).enumerate()
    dataset = parallel_map(dataset.filter(lambda index, _: mask[index]), decode)
    images, labels = [], []
    for image, label in dataset.as_numpy_iterator():
        if label != UNLABELLED or not labelled:
            images.append(image)
            labels.append(label)
    if not images:
        raise RecordSetError(f"{record_set.directory}: split {split!r} has no {'labelled ' if labelled else ''}records")
    return np.stack(images), np.array(labels, np.int64)
