"""Unlabelled images in three views: two weakly and one strongly augmented."""

from typing import TYPE_CHECKING

import numpy as np

from fer_keras.data.augmentation import Augmentation
from fer_keras.data.image_store import image_reader
from fer_keras.data.parallel_map import parallel_map
from fer_keras.data.pipeline import PipelineError
from fer_keras.data.preprocessing import ImageSize
from fer_keras.data.records import RecordSet
from fer_keras.data.sampling import numbered_batches
from fer_keras.data.stateless import fold_in

if TYPE_CHECKING:
    import tensorflow as tf

_ORDER_STREAM = -2
"""Stream of the random order, beside that of the labelled samples."""


def unlabelled_dataset(
    record_set: RecordSet,
    split: str,
    image_size: ImageSize,
    batch_size: int,
    *,
    subset: np.ndarray,
    steps_per_epoch: int,
    epochs: int,
    seed: int,
    weak: tuple[Augmentation, Augmentation],
    strong: Augmentation,
    initial_epoch: int = 0,
    cache: bool = True,
) -> "tf.data.Dataset":
    """Batches of all epochs from `initial_epoch` on, one after the other.

    Order and augmentation depend on seed, epoch and step alone, as those of
    `fer_keras.data.pipeline.training_dataset`.

    Args:
        record_set, split: whose images.
        image_size: (H, W) of the images yielded.
        batch_size: U.
        subset: sample ids to draw from; their permutations follow one another without regard to epochs.
        steps_per_epoch: batches that count as an epoch.
        epochs, initial_epoch: number of the epoch to stop before, and of the first.
        seed: the run's seed.
        weak: augmentation of the two weak views; their streams must differ.
        strong: augmentation of the strong view.
        cache: hold decoded images in memory, otherwise the encoded files.

    Returns:
        A dataset of ``{"weak_a", "weak_b", "strong"}`` (U, H, W, 3) uint8 and ``"unlabelled_id"`` (U,) int64. No label
        comes with them.

    Raises:
        PipelineError: fewer samples than one batch.
    """
    import tensorflow as tf

    if len(subset) < batch_size:
        raise PipelineError(f"split {split!r} has {len(subset)} unlabelled samples, fewer than a batch of {batch_size}")
    size = (int(image_size[0]), int(image_size[1]))
    read_images = image_reader(record_set, split, size, cache)

    def order(cycle: "tf.Tensor") -> "tf.data.Dataset":
        key = fold_in(tf.constant([seed, _ORDER_STREAM], tf.int64), cycle)
        permutation = tf.random.experimental.stateless_shuffle(tf.constant(subset, tf.int64), key, alg="philox")
        return tf.data.Dataset.from_tensor_slices(permutation).batch(batch_size, drop_remainder=True)

    def to_batch(epoch: "tf.Tensor", step: "tf.Tensor", sample_id: "tf.Tensor") -> dict:
        images = read_images(sample_id)
        views = {"weak_a": weak[0], "weak_b": weak[1], "strong": strong}
        return {
            **{name: augmentation(images, epoch, step) for name, augmentation in views.items()},
            "unlabelled_id": sample_id,
        }

    batches = numbered_batches(order, len(subset) // batch_size, steps_per_epoch, initial_epoch, epochs)
    total = max(epochs - initial_epoch, 0) * steps_per_epoch
    return parallel_map(batches, to_batch).apply(tf.data.experimental.assert_cardinality(total))
