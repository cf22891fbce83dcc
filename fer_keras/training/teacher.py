"""An out-of-fold teacher: class probabilities for every training sample from networks that never saw it.

The third source of valence and arousal: it needs no independent model, only the run's own (noisy) labels. A sample's
probabilities come from a network trained on the other folds, so its own label does not leak into its position.
"""

from typing import TYPE_CHECKING

import keras
import numpy as np
from sklearn.model_selection import StratifiedKFold

from fer_keras.backbones import build_backbone
from fer_keras.config import Config
from fer_keras.data.augmentation import Augmentation
from fer_keras.data.pipeline import evaluation_dataset, training_dataset
from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import write_sidecar
from fer_keras.methods import CrossEntropy
from fer_keras.training.inputs import given_labels
from fer_keras.training.schedule import build_optimizer

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


def out_of_fold_probabilities(config: Config, folds: int = 2, console: "Console | None" = None) -> np.ndarray:
    """Trains cross-entropy on all folds but one, predicts that one, and so on round.

    Args:
        config: data, backbone and schedule; its method and neighbours are not used.
        folds: number of folds, stratified by the given labels; each costs one training.
        console: where progress is shown; None = silent.

    Returns:
        (N, C) float32, by ``sample_id``.

    Raises:
        ValueError: a class has fewer samples than there are folds, or the configuration has several record sets.
    """
    data, schedule = config.data, config.schedule
    if data.joint:
        raise ValueError("data.joint: a teacher predicts one record set; take it out (--set data.joint=[])")
    record_set = RecordSet.load(data.directory)
    labels = given_labels(record_set, data.train_split, data.noisy_labels)
    rarest = np.bincount(labels[labels >= 0]).tolist()
    if min(count for count in rarest if count) < folds:
        raise ValueError(f"{folds} folds: a class has fewer samples than that (samples by class: {rarest})")
    probs = np.zeros((len(labels), len(record_set.class_names)), np.float32)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=config.seed)
    for fold, (seen, held_out) in enumerate(splitter.split(labels, labels), start=1):
        if console is not None:
            console.print(f"fold {fold} of {folds}: training on {len(seen)} samples, predicting {len(held_out)}")
        keras.utils.set_random_seed(config.seed + fold)
        backbone = build_backbone(
            config.backbone.name, data.image_size, config.backbone.weights, **config.backbone.options
        )
        dataset, steps = training_dataset(
            record_set, data.train_split, data.image_size, data.batch_size, epochs=schedule.epochs, seed=config.seed,
            augmentation=Augmentation(**data.augmentation.model_dump(), seed=config.seed), cache=data.cache,
            labels=labels, subset=seen[labels[seen] >= 0],
        )  # fmt: skip
        model = CrossEntropy(backbone, record_set.class_names)
        model.compile(build_optimizer(schedule, steps))
        verbose = 0 if console is None else (1 if console.is_terminal else 2)
        model.fit(dataset, epochs=schedule.epochs, steps_per_epoch=steps, shuffle=False, verbose=verbose)
        images = evaluation_dataset(record_set, data.train_split, data.image_size, 256).map(lambda x, _: x["image"])
        probs[held_out] = model.predict(images, verbose=0)[held_out]
    return probs


def write_teacher(config: Config, folds: int = 2, name: str = "teacher", console: "Console | None" = None) -> "Path":
    """Stores `out_of_fold_probabilities` as the sidecar ``teacher_probs-<name>`` of the training split.

    Args:
        config, folds, console: as for `out_of_fold_probabilities`.
        name: the end of the sidecar's name.

    Returns:
        The path of the sidecar.
    """
    probs = out_of_fold_probabilities(config, folds, console)
    record_set = RecordSet.load(config.data.directory)
    provenance = {"folds": folds, "labels": config.data.noisy_labels or "records", "seed": config.seed}
    return write_sidecar(
        record_set, config.data.train_split, f"teacher_probs-{name}", probs,
        classes=list(record_set.class_names), epochs=config.schedule.epochs, **provenance,
    )  # fmt: skip
