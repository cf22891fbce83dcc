"""Record sets as ``tf.data`` batches ``(x, y)`` of uint8 images, sample ids, labels and label distributions."""

from typing import TYPE_CHECKING

from fer_keras.data.preprocessing import ImageSize, decode_batch
from fer_keras.data.records import RecordSet, parse_records

if TYPE_CHECKING:
    import tensorflow as tf


def label_distribution(labels: "tf.Tensor", votes: "tf.Tensor") -> "tf.Tensor":
    """The label distribution of each sample: its votes, normalised.

    Args:
        labels: (B,) int64 class indices; -1 = unlabelled.
        votes: (B, C) float32 votes of annotators; a row of zeros = none.

    Returns:
        (B, C) float32; rows without votes are one-hot at the label, or zero if there is no label either.

    Example:
        >>> label_distribution([0, 1, -1], [[1.0, 3.0], [0.0, 0.0], [0.0, 0.0]]).numpy().tolist()
        [[0.25, 0.75], [0.0, 1.0], [0.0, 0.0]]
    """
    import tensorflow as tf

    votes = tf.cast(votes, tf.float32)
    total = tf.reduce_sum(votes, axis=-1, keepdims=True)
    one_hot = tf.one_hot(labels, tf.shape(votes)[-1])
    return tf.where(total > 0, tf.math.divide_no_nan(votes, total), one_hot)


def evaluation_dataset(record_set: RecordSet, split: str, image_size: ImageSize, batch_size: int) -> "tf.data.Dataset":
    """All samples of a split once, in the order of ``sample_id``, read from the files as it goes.

    Args:
        record_set: the set.
        split: name of the split.
        image_size: (H, W) of the images yielded.
        batch_size: B; the last batch holds what remains.

    Returns:
        A dataset of pairs: ``{"image": (B, H, W, 3) uint8, "sample_id": (B,) int64}`` and ``{"label": (B,) int64,
        "distribution": (B, C) float32}`` (see `label_distribution`).

    Raises:
        RecordSetError: the split does not exist.
    """
    import tensorflow as tf

    num_classes = len(record_set.class_names)
    size = (int(image_size[0]), int(image_size[1]))

    def to_batch(serialized: "tf.Tensor") -> tuple[dict, dict]:
        record = parse_records(serialized, num_classes)
        x = {"image": decode_batch(record["image"], size), "sample_id": record["sample_id"]}
        return x, {"label": record["label"], "distribution": label_distribution(record["label"], record["votes"])}

    files = tf.data.TFRecordDataset(record_set.shard_paths(split))
    batches = -(-record_set.split(split).num_examples // batch_size)
    dataset = files.batch(batch_size).map(to_batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(tf.data.AUTOTUNE)
