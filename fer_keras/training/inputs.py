"""The training data of a configuration: record set, labels, neighbours, augmentation."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from fer_keras.config.schema import Config, Data, Source
from fer_keras.data.augmentation import Augmentation
from fer_keras.data.class_weights import balanced_class_weights
from fer_keras.data.joining import join_neighbors, join_splits, labels_by_set
from fer_keras.data.labelled_subset import LABELLED, UNLABELLED_SAMPLE
from fer_keras.data.pipeline import evaluation_dataset, training_dataset
from fer_keras.data.records import RecordSet, RecordSetError, read_columns
from fer_keras.data.sidecars import SidecarError, read_sidecar, read_stamp, sidecar_path
from fer_keras.data.unlabelled import unlabelled_dataset
from fer_keras.data.valence_arousal import from_records
from fer_keras.emotions import UNLABELLED
from fer_keras.methods import get as get_method

BY_SET = "by_set"
"""Value of ``data.label_sources``: every record set is a source of labels."""

_SECOND_PASS_STREAM = 2
"""Random numbers of the second pass; training draws from stream 0, neighbours from 1."""

_UNLABELLED_STREAMS = (3, 4, 5)
"""Random numbers of the weak views and the strong view of unlabelled images."""


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


def load_candidates(record_set: RecordSet, split: str, sidecar: str, noisy_labels: str | None = None) -> np.ndarray:
    """Candidate sets, from a sidecar of ``fer-tfrecords add-candidates``.

    Args:
        record_set, split, sidecar: whose samples, and the sidecar's name.
        noisy_labels: sidecar of the labels that the run learns from, None for those of the records.

    Returns:
        (N, C) float32.

    Raises:
        SidecarError: the sidecar is missing or stale, or the sets were made of other labels than the run's: they would
            give away the true ones.
    """
    candidates = np.asarray(read_sidecar(record_set, split, sidecar))
    made_of = read_stamp(record_set, split, sidecar).get("labels")
    if noisy_labels is not None and made_of != noisy_labels:
        raise SidecarError(
            f"data.candidates: {sidecar} was made of {made_of or 'the true labels or votes'}, which would give away "
            f"the true labels behind {noisy_labels}; make it again with --labels {noisy_labels}, or drop noisy_labels"
        )
    return candidates


def training_records(data: Data) -> RecordSet:
    """The record set of a configuration, its training split joined with those of ``data.joint``.

    Raises:
        RecordSetError: a record set or split does not exist. ClassListMismatchError: their classes differ.
    """
    return join_splits([(RecordSet.load(source.directory), source.train_split) for source in data.training_sources])


def training_labels(data: Data) -> np.ndarray:
    """The labels that a run learns from, of all its record sets: (N,) int64, see `given_labels`."""
    return np.concatenate(_of_each(data, given_labels, "noisy_labels"))


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
        ClassListMismatchError, JoiningError: record sets that cannot be learnt from together.
    """
    data, method = config.data, get_method(config.method.name)
    record_set = training_records(data)
    labels, neighbors = training_labels(data), None
    labelled, unlabelled = _chosen_samples(config, record_set, labels)
    steps = data.steps_per_epoch
    if method.uses_unlabelled and steps is None:
        steps = max(len(unlabelled) // data.unlabelled.batch_size, 1)
    if data.neighbors is not None:
        neighbors = join_neighbors(_of_each(data, load_neighbors, "neighbors"))
    replaced = any(source.noisy_labels is not None for source in data.training_sources)
    training, steps_per_epoch = _over_epochs(
        config,
        record_set,
        initial_epoch,
        augmentation=Augmentation(**data.augmentation.model_dump(), seed=config.seed),
        labels=labels if replaced else None,  # votes stay usable beside the records' own labels
        soft_targets=data.targets == "votes",
        neighbors=neighbors,
        subset=labelled,
        steps_per_epoch=steps,
        sampler=data.sampler,
        label_sources=_label_sources(data),
        candidates=_candidates(data),
        valence_arousal=(
            np.concatenate(_of_each(data, load_valence_arousal, "valence_arousal"))
            if method.uses_valence_arousal
            else None
        ),
        neighbor_images=config.method.arguments.get("neighbor_mode", "images") == "images" and neighbors is not None,
    )
    if method.uses_unlabelled:
        views = _unlabelled_views(config, record_set, unlabelled, steps_per_epoch, initial_epoch)
        training = tf.data.Dataset.zip(training, views).map(lambda xy, views: ({**xy[0], **views}, xy[1]))
    if data.class_weights == "balanced":
        weights = balanced_class_weights(labels[labelled], len(record_set.class_names))
        last = tf.constant(len(weights) - 1, tf.int64)
        training = training.map(lambda x, y: (x, y, tf.gather(weights, tf.where(y["label"] < 0, last, y["label"]))))
    return Inputs(record_set, training, steps_per_epoch, _validation(config))


def labelled_samples(data: Data, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which training samples are learnt from with their labels, and which are seen without.

    Args:
        data: the section of the configuration; its sidecar ``labelled`` hides labels.
        labels: (N,) int64 labels; -1 = none.

    Returns:
        Sample ids of both. Without the sidecar the first are all samples, the second those without a label.

    Raises:
        SidecarError: the sidecar is missing or stale, or there are several record sets.
    """
    if data.labelled is None:
        return np.arange(len(labels)), np.flatnonzero(labels == UNLABELLED)
    if data.joint:
        raise SidecarError("data.labelled: labels can be hidden in one record set, not in several joint ones")
    subset = np.asarray(read_sidecar(RecordSet.load(data.directory), data.train_split, data.labelled))
    return np.flatnonzero(subset == LABELLED), np.flatnonzero(subset == UNLABELLED_SAMPLE)


def _chosen_samples(config: Config, record_set: RecordSet, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`labelled_samples`, as the method of the run can use them.

    Raises:
        RecordSetError: it needs labels, or unlabelled samples, that are not there.
    """
    if config.pretraining is not None:  # looks at no label
        return np.arange(len(labels)), np.array([], np.int64)
    method, where = get_method(config.method.name), f"{record_set.directory}, split {config.data.train_split!r}"
    labelled, unlabelled = labelled_samples(config.data, labels)
    missing = labels[labelled] == UNLABELLED
    if method.uses_unlabelled:
        if not len(unlabelled):
            raise RecordSetError(
                f"{where}: every sample has a label, and {config.method.name} learns from unlabelled ones too; name "
                "those that keep their labels in data.labelled (fer-tfrecords add-labelled-subset)"
            )
        return labelled[~missing], unlabelled
    if method.learns_distributions and config.data.targets == "votes":
        votes = read_columns(record_set, config.data.train_split, ["votes"])["votes"]
        missing &= ~votes[labelled].any(axis=-1)
    if method.learns_candidates and config.data.candidates is not None:
        missing[:] = False
    if missing.any() and not method.accepts_unlabelled:
        raise RecordSetError(
            f"{where}: {missing.sum()} samples have no label, and {config.method.name} learns from labels only; "
            "convert the data without them"
        )
    return labelled, unlabelled


def _unlabelled_views(
    config: Config, record_set: RecordSet, samples: np.ndarray, steps_per_epoch: int, initial_epoch: int
) -> tf.data.Dataset:
    data = config.data
    weak, strong = data.augmentation.model_dump(), data.unlabelled.strong.model_dump()
    first, second, third = _UNLABELLED_STREAMS
    return unlabelled_dataset(
        record_set,
        data.train_split,
        data.image_size,
        data.unlabelled.batch_size,
        subset=samples,
        steps_per_epoch=steps_per_epoch,
        epochs=config.schedule.epochs,
        initial_epoch=initial_epoch,
        seed=config.seed,
        weak=(
            Augmentation(**weak, seed=config.seed, stream=first),
            Augmentation(**weak, seed=config.seed, stream=second),
        ),
        strong=Augmentation(**strong, seed=config.seed, stream=third),
        cache=data.cache,
    )


def _of_each(data: Data, load: Callable, field: str) -> list:
    """``load(record set, split, sidecar)`` for each record set; the sidecar's name stands in a field."""
    return [
        load(RecordSet.load(source.directory), source.train_split, getattr(source, field))
        for source in data.training_sources
    ]


def _label_sources(data: Data) -> np.ndarray | None:
    if data.label_sources is None:
        return None
    if data.label_sources == BY_SET:
        return labels_by_set(_of_each(data, given_labels, "noisy_labels"))
    if any(source.label_sources is None for source in data.training_sources):
        raise SidecarError("data.joint: label_sources should name a sidecar for every record set, as data does")
    parts = [np.asarray(sidecar) for sidecar in _of_each(data, read_sidecar, "label_sources")]
    if len({part.shape[1] for part in parts}) > 1:
        counts = ", ".join(str(part.shape[1]) for part in parts)
        raise SidecarError(f"data.label_sources: the record sets have different numbers of sources ({counts})")
    return np.concatenate(parts)


def _candidates(data: Data) -> np.ndarray | None:
    """(N, C) of all record sets; the schema sees to it that all have them, or none."""
    parts = [
        load_candidates(RecordSet.load(source.directory), source.train_split, source.candidates, source.noisy_labels)
        for source in data.training_sources
        if source.candidates is not None
    ]
    return np.concatenate(parts) if parts else None


def _validation(config: Config) -> tf.data.Dataset | None:
    """The validation splits of all record sets that have one, one after the other."""
    learns_positions = get_method(config.method.name).uses_valence_arousal
    parts = [
        evaluation_dataset(
            record_set := RecordSet.load(source.directory),
            source.validation_split,
            config.data.image_size,
            256,
            center_crop_of=config.data.ten_crop,
            valence_arousal=_validation_positions(source, record_set) if learns_positions else None,
        )
        for source in config.data.sources
        if source.validation_split is not None
    ]
    return functools.reduce(lambda first, second: first.concatenate(second), parts).cache() if parts else None


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
    labels, augmented = training_labels(data), how == "augmented"
    options = {**data.augmentation.model_dump(), "seed": config.seed, "stream": _SECOND_PASS_STREAM}
    return _over_epochs(
        config,
        training_records(data),
        initial_epoch,
        augmentation=Augmentation(**options) if augmented else None,
        labels=labels,
        subset=labelled_samples(data, labels)[0],
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


def _validation_positions(source: Data | Source, record_set: RecordSet) -> np.ndarray:
    """As `load_valence_arousal`; a sidecar that was made for the training split alone leaves the records' values."""
    split, sidecar = source.validation_split, source.valence_arousal
    if sidecar is not None and not sidecar_path(record_set, split, sidecar).is_file():
        sidecar = None
    return load_valence_arousal(record_set, split, sidecar)
