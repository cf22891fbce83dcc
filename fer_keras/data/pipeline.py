"""Record sets as ``tf.data`` batches ``(x, y)`` of uint8 images, sample ids, labels and label distributions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fer_keras.data.augmentation import Augmentation
from fer_keras.data.candidates import check_candidates
from fer_keras.data.image_store import image_reader
from fer_keras.data.parallel_map import parallel_map
from fer_keras.data.preprocessing import ImageSize, decode_batch
from fer_keras.data.records import RecordSet, parse_records, read_columns
from fer_keras.data.sampling import (
    SAMPLERS,
    balanced_order,
    class_aware_batches,
    classes_to_sample,
    numbered_batches,
    rarest_class,
)
from fer_keras.data.stateless import fold_in
from fer_keras.data.ten_crop import CROPS, center_crop, ten_crop
from fer_keras.emotions import UNLABELLED

if TYPE_CHECKING:
    import tensorflow as tf

_ORDER_STREAM = -1
"""Stream of the random order of the samples; the streams of `Augmentation` count from 0."""


class PipelineError(ValueError):
    """Per-sample data or a batch size that does not fit the split."""


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


def evaluation_dataset(
    record_set: RecordSet,
    split: str,
    image_size: ImageSize,
    batch_size: int,
    *,
    center_crop_of: ImageSize | None = None,
    valence_arousal: np.ndarray | None = None,
) -> "tf.data.Dataset":
    """All samples of a split once, in the order of ``sample_id``, read from the files as it goes.

    Args:
        record_set: the set.
        split: name of the split.
        image_size: (H, W) of the images yielded.
        batch_size: B; the last batch holds what remains.
        center_crop_of: size that the images are resized to before their centre is cut out; None: resized to
            `image_size` as a whole.
        valence_arousal: (N, 2) positions, NaN = unknown, for methods that learn them; None = none.

    Returns:
        A dataset of pairs: ``{"image": (B, H, W, 3) uint8, "sample_id": (B,) int64}`` and ``{"label": (B,) int64,
        "distribution": (B, C) float32}`` (see `label_distribution`), with ``"valence_arousal"`` (B, 2) float32 if it
        was given.

    Raises:
        RecordSetError: the split does not exist.
        PipelineError: `valence_arousal` does not fit the split.
    """
    import tensorflow as tf

    num_classes = len(record_set.class_names)
    size = (int(image_size[0]), int(image_size[1]))
    positions = None if valence_arousal is None else _positions(record_set, split, valence_arousal)

    def to_batch(serialized: "tf.Tensor") -> tuple[dict, dict]:
        record = parse_records(serialized, num_classes)
        images = decode_batch(record["image"], center_crop_of or size)
        if center_crop_of is not None:
            images = center_crop(images, size)
        x = {"image": images, "sample_id": record["sample_id"]}
        y = {"label": record["label"], "distribution": label_distribution(record["label"], record["votes"])}
        if positions is not None:
            y["valence_arousal"] = tf.gather(positions, record["sample_id"])
        return x, y

    files = tf.data.TFRecordDataset(record_set.shard_paths(split))
    batches = -(-record_set.split(split).num_examples // batch_size)
    dataset = parallel_map(files.batch(batch_size), to_batch)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches))


def training_dataset(
    record_set: RecordSet,
    split: str,
    image_size: ImageSize,
    batch_size: int,
    *,
    epochs: int,
    seed: int,
    initial_epoch: int = 0,
    augmentation: Augmentation | None = None,
    cache: bool = True,
    labels: np.ndarray | None = None,
    soft_targets: bool = False,
    neighbors: Mapping[str, np.ndarray] | None = None,
    neighbor_images: bool = False,
    valence_arousal: np.ndarray | None = None,
    label_sources: np.ndarray | None = None,
    candidates: np.ndarray | None = None,
    subset: np.ndarray | None = None,
    sampler: str = "shuffle",
    ten_crop_of: ImageSize | None = None,
    steps_per_epoch: int | None = None,
    drop_remainder: bool = True,
) -> "tuple[tf.data.Dataset, int]":
    """Shuffled, augmented batches of all epochs from `initial_epoch` on, one after the other.

    Every epoch is a new permutation of the whole split, unless `sampler` draws from it. Order and augmentation depend
    on seed, epoch and step alone: a run resumed at epoch r gets what the uninterrupted run gets from epoch r on, bit
    for bit, and `cache` changes nothing but speed and memory.

    Args:
        record_set: the set.
        split: name of the split, N samples.
        image_size: (H, W) of the images yielded.
        batch_size: B.
        epochs: number of the epoch to stop before.
        seed: the run's seed.
        initial_epoch: number of the first epoch, counted from 0.
        augmentation: applied to ``image``, and to y where it mixes samples; None = none.
        cache: hold decoded images in memory (N * H * W * 3 bytes), otherwise the encoded files.
        labels: (N,) int64 labels that replace those of the records, for example noisy ones.
        soft_targets: ``distribution`` is the votes of the records, not the label one-hot.
        neighbors: None or ``ids`` (N, K) int32, the sample ids of each sample's neighbours, and ``differences``
            (N, K, D) float32, how far they are: in valence and arousal, or a distance among other features (D = 1).
        neighbor_images: also yield the neighbours' images (needs `neighbors`), augmented by
            `Augmentation.for_neighbors`.
        valence_arousal: (N, 2) positions, NaN = unknown, for methods that learn them; None = none.
        label_sources: (N, S) int64 labels of S sources, -1 = none, for methods that learn how each errs; None = none.
        candidates: (N, C) distributions over each sample's candidate set (`fer_keras.data.candidates`); None = none.
        subset: sample ids to draw from, for example one fold; None = all N.
        sampler: ``shuffle``; ``class_aware``: two samples of every class in every batch (`class_aware_batches`);
            ``balanced``: an epoch has as many samples of each class as the rarest has (`balanced_order`).
        ten_crop_of: None, or the size that images are resized to before ten crops are cut from each
            (`fer_keras.data.ten_crop`): rows of a batch are then B * 10, ten with the same ``sample_id``.
        steps_per_epoch: batches that count as an epoch: fewer or more than the split has; its permutations then
            follow one another without regard to epochs. None: as many as the split has.
        drop_remainder: leave out an epoch's last batch if it is not full; its samples come in other epochs.

    Returns:
        The dataset and the number of steps in an epoch, to be given to ``fit`` as ``steps_per_epoch``. Elements
        are pairs: x with ``image`` (B, H, W, 3) uint8, ``sample_id`` (B,) int64 and, with `neighbors`,
        ``neighbor_ids`` (B, K) int32, ``neighbor_differences`` (B, K, D) float32, ``neighbor_labels`` (B, K)
        int64 and ``neighbor_images`` (B, K, H, W, 3) uint8; y with ``label`` (B,) int64, ``distribution``
        (B, C) float32 and, if they were given, ``valence_arousal`` (B, 2) float32, ``source_labels`` (B, S) int64
        and ``candidates`` (B, C) float32.

    Raises:
        RecordSetError: the split does not exist.
        SamplingError: batches cannot hold every class.
        PipelineError: `labels`, `neighbors`, `valence_arousal` or `label_sources` do not fit the split, votes are
            asked for beside replaced labels, mixed images beside neighbours, positions or candidates, a partial
            batch beside class-aware ones, or the split does not fill one batch.
        CandidateError: `candidates` do not fit the split.
    """
    import tensorflow as tf

    drawn = np.arange(record_set.split(split).num_examples) if subset is None else np.asarray(subset)
    size = (int(image_size[0]), int(image_size[1]))
    if neighbor_images and neighbors is None:
        raise PipelineError("neighbor_images needs neighbors")
    if neighbors is not None and ten_crop_of is not None:
        raise PipelineError("a crop has no neighbours: ten_crop_of and neighbors exclude each other")
    if neighbors is not None and augmentation is not None and augmentation.mixing:
        raise PipelineError("an image mixed with others has no neighbours: mixing and neighbors exclude each other")
    if valence_arousal is not None and augmentation is not None and augmentation.mixing:
        raise PipelineError("an image mixed with others has no position: mixing and valence_arousal exclude each other")
    if candidates is not None and augmentation is not None and augmentation.mixing:
        raise PipelineError("an image mixed with others has no candidate set: mixing and candidates exclude each other")
    columns = _columns(record_set, split, labels, soft_targets, neighbors)
    targets = ["label", "distribution"]
    if valence_arousal is not None:
        columns["valence_arousal"] = _positions(record_set, split, valence_arousal)
        targets.append("valence_arousal")
    if label_sources is not None:
        columns["source_labels"] = _source_labels(record_set, split, label_sources)
        targets.append("source_labels")
    if candidates is not None:
        samples, num_classes = record_set.split(split).num_examples, len(record_set.class_names)
        with tf.device("CPU:0"):
            columns["candidates"] = tf.convert_to_tensor(check_candidates(candidates, samples, num_classes))
        targets.append("candidates")
    if sampler not in SAMPLERS:
        raise PipelineError(f"sampler: {sampler!r}; wanted one of: {', '.join(SAMPLERS)}")
    drawn_labels, num_classes, samples = columns["label"].numpy()[drawn], len(record_set.class_names), len(drawn)
    classes = classes_to_sample(drawn_labels, batch_size) if sampler == "class_aware" else None
    if sampler == "balanced":
        present, of_each = rarest_class(drawn_labels)
        samples = present * of_each
    steps = samples // batch_size if drop_remainder else -(-samples // batch_size)
    if steps == 0:
        which = f"{samples} samples in a balanced epoch" if sampler == "balanced" else f"{samples} samples"
        raise PipelineError(f"split {split!r} has {which}, fewer than one batch of {batch_size}")
    if classes is not None and not drop_remainder:
        raise PipelineError("class-aware batches are all full: drop_remainder must be true")
    read_images = image_reader(record_set, split, ten_crop_of or size, cache)
    augment_neighbors = augmentation.for_neighbors() if augmentation else None

    def order(cycle: "tf.Tensor") -> "tf.data.Dataset":
        key = fold_in(tf.constant([seed, _ORDER_STREAM], tf.int64), cycle)
        permutation = tf.random.experimental.stateless_shuffle(tf.constant(drawn, tf.int64), key, alg="philox")
        if classes is not None:
            labels_in_order = tf.gather(columns["label"], permutation)
            permutation = class_aware_batches(permutation, labels_in_order, classes, batch_size)
            return tf.data.Dataset.from_tensor_slices(permutation)
        if sampler == "balanced":
            permutation = balanced_order(permutation, tf.gather(columns["label"], permutation), num_classes, of_each)
        return tf.data.Dataset.from_tensor_slices(permutation).batch(batch_size, drop_remainder=drop_remainder)

    def to_batch(epoch: "tf.Tensor", step: "tf.Tensor", sample_id: "tf.Tensor") -> tuple[dict, dict]:
        images = read_images(sample_id)
        if ten_crop_of is not None:
            images, sample_id = ten_crop(images, size), tf.repeat(sample_id, CROPS)
        y = {name: tf.gather(columns[name], sample_id) for name in targets}
        if augmentation:
            images, y = augmentation.mix(augmentation(images, epoch, step), y, epoch, step)
        x = {"image": images, "sample_id": sample_id}
        if neighbors is not None:
            x["neighbor_ids"] = tf.gather(columns["neighbor_ids"], sample_id)
            x["neighbor_differences"] = tf.gather(columns["neighbor_differences"], sample_id)
            x["neighbor_labels"] = tf.gather(columns["label"], x["neighbor_ids"])
        if neighbor_images:
            images = read_images(tf.reshape(x["neighbor_ids"], [-1]))
            if augment_neighbors:
                images = augment_neighbors(images, epoch, step)
            x["neighbor_images"] = tf.reshape(images, [-1, x["neighbor_ids"].shape[1], *size, 3])
        return x, y

    in_cycle, steps = steps, steps_per_epoch or steps
    dataset = parallel_map(numbered_batches(order, in_cycle, steps, initial_epoch, epochs), to_batch)
    total = max(epochs - initial_epoch, 0) * steps
    return dataset.apply(tf.data.experimental.assert_cardinality(total)), steps


def _columns(
    record_set: RecordSet,
    split: str,
    labels: np.ndarray | None,
    soft_targets: bool,
    neighbors: Mapping[str, np.ndarray] | None,
) -> "dict[str, tf.Tensor]":
    """Everything but the images, as tensors of N rows."""
    import tensorflow as tf

    samples, num_classes = record_set.split(split).num_examples, len(record_set.class_names)
    read = read_columns(record_set, split, ["label", "votes"])
    if labels is None:
        labels = read["label"]
    elif soft_targets:
        raise PipelineError("votes as targets and replaced (noisy) labels exclude each other: choose one")
    labels = np.asarray(labels, np.int64)
    if labels.shape != (samples,):
        raise PipelineError(
            f"labels of split {split!r}: shape {labels.shape}, one for each of {samples} samples needed"
        )
    if labels.min() < UNLABELLED or labels.max() >= num_classes:
        raise PipelineError(
            f"labels of split {split!r}: {labels.min()}..{labels.max()}, outside {UNLABELLED}..{num_classes - 1}"
        )
    votes = read["votes"] if soft_targets else np.zeros_like(read["votes"])
    columns = {"label": labels, "distribution": label_distribution(labels, votes)}
    if neighbors is not None:
        ids = np.asarray(neighbors["ids"], np.int32)
        differences = np.asarray(neighbors["differences"], np.float32)
        if ids.ndim != 2 or len(ids) != samples or differences.ndim != 3 or differences.shape[:2] != ids.shape:
            raise PipelineError(
                f"neighbors of split {split!r}: ids must be ({samples}, K) and differences ({samples}, K, D), "
                f"not {ids.shape} and {differences.shape}"
            )
        if ids.min() < 0 or ids.max() >= samples:
            raise PipelineError(f"neighbors of split {split!r}: ids must be in 0..{samples - 1}")
        columns |= {"neighbor_ids": ids, "neighbor_differences": differences}
    with tf.device("CPU:0"):
        return {name: tf.convert_to_tensor(values) for name, values in columns.items()}


def _positions(record_set: RecordSet, split: str, valence_arousal: np.ndarray) -> "tf.Tensor":
    """Valence and arousal of every sample as a tensor."""
    import tensorflow as tf

    samples = record_set.split(split).num_examples
    positions = np.asarray(valence_arousal, np.float32)
    if positions.shape != (samples, 2):
        raise PipelineError(
            f"valence and arousal of split {split!r}: shape {positions.shape}, ({samples}, 2) is needed"
        )
    with tf.device("CPU:0"):
        return tf.convert_to_tensor(positions)


def _source_labels(record_set: RecordSet, split: str, label_sources: np.ndarray) -> "tf.Tensor":
    """The labels of all sources as a tensor."""
    import tensorflow as tf

    samples, num_classes = record_set.split(split).num_examples, len(record_set.class_names)
    labels = np.asarray(label_sources, np.int64)
    if labels.ndim != 2 or len(labels) != samples or labels.shape[1] == 0:
        raise PipelineError(f"label sources of split {split!r}: shape {labels.shape}, ({samples}, S) is needed")
    if labels.min() < UNLABELLED or labels.max() >= num_classes:
        raise PipelineError(
            f"label sources of split {split!r}: {labels.min()}..{labels.max()}, outside {UNLABELLED}..{num_classes - 1}"
        )
    with tf.device("CPU:0"):
        return tf.convert_to_tensor(labels)
