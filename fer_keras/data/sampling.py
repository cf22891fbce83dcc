"""Which samples an epoch's batches hold, where that is not simply all of them in random order.

``class_aware``: every batch holds every class, for methods that compare samples of a class within a batch.
``balanced``: an epoch holds as many samples of each class as the rarest has, others of the frequent ones every time.
"""

from typing import TYPE_CHECKING

import numpy as np

from fer_keras.emotions import UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Callable

    import tensorflow as tf

SAMPLES_PER_CLASS = 2
"""How often a class is in a class-aware batch at least."""


SAMPLERS = ("shuffle", "class_aware", "balanced")


class SamplingError(ValueError):
    """Labels of which no such epochs can be made."""


def classes_to_sample(labels: np.ndarray, batch_size: int) -> list[int]:
    """The classes that class-aware batches hold.

    Args:
        labels: (N,) int64 labels of the samples to draw from; -1 = unlabelled.
        batch_size: B.

    Returns:
        The classes that occur, in rising order.

    Raises:
        SamplingError: a class has fewer samples than a batch must hold, or the batch is too small for all classes.

    Example:
        >>> classes_to_sample(np.array([0, 0, 2, 2, 2, -1]), batch_size=4)
        [0, 2]
    """
    classes, counts = np.unique(labels[labels != UNLABELLED], return_counts=True)
    for index, count in zip(classes, counts):
        if count < SAMPLES_PER_CLASS:
            raise SamplingError(
                f"class-aware batches need {SAMPLES_PER_CLASS} samples of every class, class {index} has {count}; "
                "use data.sampler: shuffle"
            )
    if batch_size < SAMPLES_PER_CLASS * len(classes):
        raise SamplingError(
            f"class-aware batches of {batch_size} cannot hold {SAMPLES_PER_CLASS} samples of each of {len(classes)} "
            f"classes; set data.batch_size to at least {SAMPLES_PER_CLASS * len(classes)}"
        )
    return classes.tolist()


def class_aware_batches(order: "tf.Tensor", labels: "tf.Tensor", classes: list[int], batch_size: int) -> "tf.Tensor":
    """Cuts a random order into batches with two samples of every class; the other places are filled as they come.

    A class that is too rare for that comes round again within the epoch, but never twice in a batch; as many samples
    of the others wait for another epoch. A pure function: the same order gives the same batches.

    Args:
        order: (N,) int64 sample ids, shuffled.
        labels: (N,) int64 their labels.
        classes: of `classes_to_sample`.
        batch_size: B.

    Returns:
        (N // B, B) int64 sample ids.

    Example:
        >>> import tensorflow as tf
        >>> ids = tf.range(8, dtype=tf.int64)
        >>> class_aware_batches(ids, tf.constant([0, 0, 0, 0, 0, 0, 1, 1], tf.int64), [0, 1], 4).numpy().tolist()
        [[0, 1, 6, 7], [2, 3, 6, 7]]
    """
    import tensorflow as tf

    steps = tf.shape(order)[0] // batch_size
    wanted = SAMPLES_PER_CLASS * steps
    # How many of a sample's own class come before it.
    own = tf.cast(labels[:, None] == tf.constant(classes, labels.dtype), tf.int32)
    rank = tf.reduce_sum(tf.cumsum(own, exclusive=True) * own, axis=1)
    labelled = tf.reduce_sum(own, axis=1) > 0
    reserved = []
    for index in classes:
        members = tf.boolean_mask(order, labels == index)
        turns = tf.gather(members, tf.range(wanted) % tf.size(members))
        reserved.append(tf.reshape(turns, [steps, SAMPLES_PER_CLASS]))
    rest = tf.boolean_mask(order, (rank >= wanted) | ~labelled)
    free = batch_size - SAMPLES_PER_CLASS * len(classes)
    batches = tf.concat([*reserved, tf.reshape(rest[: steps * free], [steps, free])], axis=1)
    return tf.ensure_shape(batches, [None, batch_size])


def rarest_class(labels: np.ndarray) -> tuple[int, int]:
    """How many classes occur, and how often the rarest of them.

    Args:
        labels: (N,) int64 labels of the samples to draw from; -1 = unlabelled.

    Returns:
        Number of classes, and of samples of the rarest.

    Raises:
        SamplingError: no sample has a label.

    Example:
        >>> rarest_class(np.array([0, 0, 2, 2, 2, -1]))
        (2, 2)
    """
    counts = np.unique(labels[labels != UNLABELLED], return_counts=True)[1]
    if not len(counts):
        raise SamplingError("balanced epochs need labels, and no sample has one; use data.sampler: shuffle")
    return len(counts), int(counts.min())


def balanced_order(order: "tf.Tensor", labels: "tf.Tensor", num_classes: int, count: int) -> "tf.Tensor":
    """Keeps the first `count` samples of every class of a random order (down-sampling without replacement).

    Args:
        order: (N,) int64 sample ids, shuffled.
        labels: (N,) int64 their labels; unlabelled samples (-1) are left out.
        num_classes: C.
        count: samples of each class; a class with fewer keeps all.

    Returns:
        (M,) int64 sample ids, in the same order.

    Example:
        >>> import tensorflow as tf
        >>> ids = tf.range(6, dtype=tf.int64)
        >>> balanced_order(ids, tf.constant([0, 0, 1, 0, 1, -1], tf.int64), 2, 2).numpy().tolist()
        [0, 1, 2, 4]
    """
    import tensorflow as tf

    own = tf.one_hot(labels, num_classes, dtype=tf.int32)  # a row of zeros where there is no label
    rank = tf.reduce_sum(tf.cumsum(own, exclusive=True) * own, axis=1)
    return tf.boolean_mask(order, (rank < count) & (labels != UNLABELLED))


def numbered_batches(
    order: "Callable[[tf.Tensor], tf.data.Dataset]", in_cycle: int, in_epoch: int, initial_epoch: int, epochs: int
) -> "tf.data.Dataset":
    """Batches of sample ids with the numbers of their epoch and step, from an epoch on.

    Cycles through the samples follow one another whether or not an epoch ends with them; a resumed run finds its place.

    Args:
        order: number of a cycle -> its batches of sample ids.
        in_cycle: batches in a cycle.
        in_epoch: batches in an epoch.
        initial_epoch, epochs: number of the first epoch, and of the one to stop before.

    Returns:
        A dataset of (epoch, step, sample ids); the first two are scalar int64, `step` starts anew in each epoch.

    Example:
        >>> import tensorflow as tf
        >>> cycle = lambda number: tf.data.Dataset.from_tensors(tf.fill([1], number)).repeat(2)
        >>> [int(ids[0]) for _, _, ids in numbered_batches(cycle, 2, 3, initial_epoch=1, epochs=2)]
        [1, 2, 2]
    """
    import tensorflow as tf

    first, end = initial_epoch * in_epoch, max(initial_epoch, epochs) * in_epoch
    cycles = tf.data.Dataset.range(first // in_cycle, -(-end // in_cycle))
    batches = cycles.flat_map(order).skip(first % in_cycle)
    numbers = tf.data.Dataset.range(first, end)
    return tf.data.Dataset.zip(numbers, batches).map(lambda number, ids: (number // in_epoch, number % in_epoch, ids))
