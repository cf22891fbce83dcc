"""The training data of a configuration: record set, labels, neighbours, augmentation."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from fer_keras.config.schema import Config
from fer_keras.data.augmentation import Augmentation
from fer_keras.data.class_weights import balanced_class_weights
from fer_keras.data.pipeline import evaluation_dataset, training_dataset
from fer_keras.data.records import RecordSet, RecordSetError, read_columns
from fer_keras.data.sidecars import SidecarError, read_sidecar, sidecar_path
from fer_keras.data.valence_arousal import from_records
from fer_keras.emotions import UNLABELLED
from fer_keras.methods import get as get_method

_SECOND_PASS_STREAM = 2
"""Random numbers of the second pass; training draws from stream 0, neighbours from 1."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What `fit` is given.

    Args:
        record_set: the data set.
        training: one dataset that runs over all epochs from the first wanted on.
        steps_per_epoch: its batches per epoch.
        validation: the validation split, or None.
    """

    record_set: RecordSet
    training: tf.data.Dataset
    steps_per_epoch: int
    validation: tf.data.Dataset | None


def load_neighbors(record_set: RecordSet, split: str, names: str | Sequence[str]) -> dict[str, np.ndarray]:
    """Neighbours and how far they are, from the sidecars of ``fer-tfrecords add-neighbors``.

    Args:
        record_set, split: whose samples.
        names: the sidecar ``neighbors-<source>-k<K>``, or several, whose neighbours are laid side by side.

    Returns:
        ``ids`` (N, K) int32 and ``differences`` (N, K, D) float32; K is the sum over the sidecars.

    Raises:
        SidecarError: a sidecar is missing or stale, or some hold differences and others distances.
    """
    names = [names] if isinstance(names, str) else list(names)
    ids = [np.asarray(read_sidecar(record_set, split, name)) for name in names]
    differences = [
        np.asarray(read_sidecar(record_set, split, name.replace("neighbors-", "neighbor_differences-", 1)))
        for name in names
    ]
    if len({array.shape[-1] for array in differences}) > 1:
        raise SidecarError(
            f"data.neighbors: {', '.join(names)}: valence-arousal differences beside distances of features; make the "
            "former with fer-tfrecords add-neighbors --features as well"
        )
    return {"ids": np.concatenate(ids, axis=1), "differences": np.concatenate(differences, axis=1)}


def given_labels(record_set: RecordSet, split: str, noisy_labels: str | None) -> np.ndarray:
    """The labels that a run learns from: those of the records, or a sidecar's in their place.

    Args:
        record_set, split: whose samples.
        noisy_labels: name of the sidecar, or None.

    Returns:
        (N,) int64.

    Raises:
        SidecarError: the sidecar is missing or stale.
    """
    if noisy_labels is not None:
        return np.asarray(read_sidecar(record_set, split, noisy_labels))
    return read_columns(record_set, split, ["label"])["label"]


def load_valence_arousal(record_set: RecordSet, split: str, sidecar: str | None) -> np.ndarray:
    """The positions that a run learns from: those of the records, or a sidecar's in their place.

    Args:
        record_set, split: whose samples.
        sidecar: name of the sidecar, or None.

    Returns:
        (N, 2) float32; NaN where a value is unknown.

    Raises:
        SidecarError: the sidecar is missing or stale.
        ValenceArousalError: not one record has valence and arousal.
    """
    if sidecar is not None:
        return np.asarray(read_sidecar(record_set, split, sidecar))
    return from_records(record_set, split)


def build_inputs(config: Config, initial_epoch: int = 0) -> Inputs:
    """Reads the data of a configuration.

    Args:
        config: the resolved configuration.
        initial_epoch: number of epochs that are already done.

    Returns:
        The datasets.

    Raises:
        RecordSetError: the record set or a split does not exist, or training samples have no label.
        SidecarError: a named sidecar is missing or stale.
        ValenceArousalError: the method learns valence and arousal, and a split has none.
    """
    data, method = config.data, get_method(config.method.name)
    record_set = RecordSet.load(data.directory)
    labels, neighbors = given_labels(record_set, data.train_split, data.noisy_labels), None
    unlabelled = int((labels == UNLABELLED).sum())
    if unlabelled and not method.accepts_unlabelled:
        raise RecordSetError(
            f"{record_set.directory}, split {data.train_split!r}: {unlabelled} samples have no label, and "
            f"{config.method.name} learns from labels only; convert the data without them"
        )
    if data.neighbors is not None:
        neighbors = load_neighbors(record_set, data.train_split, data.neighbors)
    training, steps_per_epoch = _over_epochs(
        config,
        record_set,
        initial_epoch,
        augmentation=Augmentation(**data.augmentation.model_dump(), seed=config.seed),
        labels=None if data.noisy_labels is None else labels,  # votes stay usable beside the records' own labels
        soft_targets=data.targets == "votes",
        neighbors=neighbors,
        sampler=data.sampler,
        label_sources=(
            None
            if data.label_sources is None
            else np.asarray(read_sidecar(record_set, data.train_split, data.label_sources))
        ),
        valence_arousal=(
            load_valence_arousal(record_set, data.train_split, data.valence_arousal)
            if method.uses_valence_arousal
            else None
        ),
        neighbor_images=config.method.arguments.get("neighbor_mode", "images") == "images" and neighbors is not None,
    )
    if data.class_weights == "balanced":
        weights = balanced_class_weights(labels, len(record_set.class_names))
        last = tf.constant(len(weights) - 1, tf.int64)
        training = training.map(lambda x, y: (x, y, tf.gather(weights, tf.where(y["label"] < 0, last, y["label"]))))
    validation = None
    if data.validation_split is not None:
        validation = evaluation_dataset(
            record_set,
            data.validation_split,
            data.image_size,
            256,
            center_crop_of=data.ten_crop,
            valence_arousal=_validation_positions(config, record_set) if method.uses_valence_arousal else None,
        ).cache()
    return Inputs(record_set, training, steps_per_epoch, validation)


def second_pass(config: Config, how: str, initial_epoch: int = 0) -> tuple[tf.data.Dataset, int]:
    """The training samples once more for every epoch, for methods with a `Method.training_set_pass`.

    Args:
        config: the resolved configuration.
        how: ``"clean"``: every image as it is; ``"augmented"``: as in training, with random numbers of its own,
            what does not fill a batch left out.
        initial_epoch: number of epochs that are already done.

    Returns:
        One dataset that runs over all epochs from the first wanted on, and its batches per epoch. Its images are kept
        in memory (``data.cache``) beside those of the training dataset.

    Raises:
        RecordSetError, SidecarError: as `build_inputs`.
    """
    data = config.data
    record_set = RecordSet.load(data.directory)
    augmented = how == "augmented"
    options = {**data.augmentation.model_dump(), "seed": config.seed, "stream": _SECOND_PASS_STREAM}
    return _over_epochs(
        config,
        record_set,
        initial_epoch,
        augmentation=Augmentation(**options) if augmented else None,
        labels=given_labels(record_set, data.train_split, data.noisy_labels),
        drop_remainder=augmented,
    )


def _over_epochs(config: Config, record_set: RecordSet, initial_epoch: int, **options) -> tuple[tf.data.Dataset, int]:
    """`training_dataset` of a configuration, from an epoch on."""
    data = config.data
    return training_dataset(
        record_set,
        data.train_split,
        data.image_size,
        data.batch_size,
        epochs=config.schedule.epochs,
        seed=config.seed,
        initial_epoch=initial_epoch,
        cache=data.cache,
        ten_crop_of=data.ten_crop,
        **options,
    )


def _validation_positions(config: Config, record_set: RecordSet) -> np.ndarray:
    """As `load_valence_arousal`; a sidecar that was made for the training split alone leaves the records' values."""
    split, sidecar = config.data.validation_split, config.data.valence_arousal
    if sidecar is not None and not sidecar_path(record_set, split, sidecar).is_file():
        sidecar = None
    return load_valence_arousal(record_set, split, sidecar)
