"""``recover``: a finished run in, a `Recovery` of its training labels out."""

from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from rich.progress import track

from fer_keras.config import load_config
from fer_keras.curation.recovery import Recovery
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet, read_columns
from fer_keras.emotions import UNLABELLED
from fer_keras.evaluation.evaluator import true_distributions
from fer_keras.training.inputs import given_labels, load_neighbors
from fer_keras.training.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.console import Console


class RecoveryError(ValueError):
    """A run whose labels cannot be recovered."""


def recover(run: str | Path, weights: str = "best", console: "Console | None" = None) -> Recovery:
    """What a run made of its training labels.

    Passes the training images, without augmentation, through the network once and lets the method say what it makes
    of each given label. Where the run learned from a sidecar of noisy labels, the records' own labels are the truth
    to compare with; so are the true distributions of the split: a sidecar of them, or else its votes.

    Args:
        run: the run folder.
        weights: ``best`` or ``last``.
        console: where a progress bar is shown; None = no bar.

    Returns:
        The training samples, by ``sample_id``.

    Raises:
        RecoveryError: not a run folder, no such weights in it yet, or some of its samples had no label.
        RecordSetError: the record set is gone. SidecarError: a sidecar is missing or stale.

    Example:
        ``recover("runs/ldlva").most_doubtful(20)``
    """
    folder = RunFolder(run)
    for file in (folder.config, folder.weights(weights)):
        if not file.is_file():
            raise RecoveryError(f"{file}: no such file; give the folder of a trained run")
    config = load_config(folder.config)
    if config.data.joint:
        raise RecoveryError(f"{run}: learned from several record sets at once; labels are recovered for one set")
    record_set = RecordSet.load(config.data.directory)
    split, names = config.data.train_split, tuple(record_set.class_names)
    model = keras.models.load_model(folder.weights(weights), compile=False)
    given = given_labels(record_set, split, config.data.noisy_labels)
    if (given == UNLABELLED).any():
        raise RecoveryError(f"{run}: learned from unlabelled samples too; there are no labels of these to recover")
    features, probs = _outputs(model, record_set, split, config.data.image_size, console)
    neighbors = load_neighbors(record_set, split, config.data.neighbors) if config.data.neighbors else None
    columns = read_columns(record_set, split, ["label", "source", "votes"])
    learned_votes = config.data.targets == "votes"  # what was learned cannot judge what was learned from it
    votes = np.zeros_like(columns["votes"]) if learned_votes else columns["votes"]
    truth, _ = true_distributions(record_set, split, votes)
    one_hot = np.eye(len(names), dtype=np.float32)[given]
    return Recovery(
        class_names=names,
        source=tuple(source.decode("utf-8", "replace") for source in columns["source"]),
        given=given,
        probs=probs,
        distributions=model.label_distributions(one_hot, features, probs, neighbors),
        uncertainty=model.uncertainties(),
        clean=None if config.data.noisy_labels is None else columns["label"],
        truth=truth,
        run=str(run),
        split=split,
    )


def _outputs(model, record_set: RecordSet, split: str, image_size, console) -> tuple[np.ndarray, np.ndarray]:
    inference = model.inference_model()
    total = record_set.split(split).num_examples
    batches = evaluation_dataset(record_set, split, image_size, 256)
    features, probs = [], []
    for x, _ in track(
        batches, "reading the training images", total=-(-total // 256), console=console, disable=console is None,
        transient=True,
    ):  # fmt: skip
        outputs = inference.predict_on_batch(x["image"])
        features.append(outputs["features"])
        probs.append(outputs["probs"])
    return np.concatenate(features), np.concatenate(probs)
