"""Running a trained model over the images of a split, for the commands that store what it says."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import numpy as np

    from fer_keras.data.records import RecordSet


def run_model(
    predict: "Callable[..., np.ndarray]", record_set: "RecordSet", split: str, path: Path, batch_size: int, why_not: str
) -> "tuple[np.ndarray, dict]":
    """Loads a model and runs it with a progress bar.

    Args:
        predict: a function of `fer_keras.data.label_sources`: (record set, split, model, batch size, advance) -> array.
        record_set, split: whose images.
        path: run folder or model file.
        batch_size: images at a time.
        why_not: what is wrong with a model that was trained on the very samples; shown as a warning.

    Returns:
        What `predict` returns, and what a stamp says of the model.

    Raises:
        RecordSetError: the split does not exist.
        ModelLoadError: the model cannot be loaded.
    """
    from rich.console import Console

    from fer_keras.inference.loading import load_classifier
    from fer_keras.inference.provenance import model_provenance
    from tfrecords_tools.reading import progress_bar

    records = record_set.split(split)  # a wrong name is told before the model is loaded
    classifier = load_classifier(path)
    made = model_provenance(classifier)
    if made.get("trained_on") == records.fingerprint:
        typer.secho(
            f"warning: {made['name']} was trained on these very samples: {why_not}; use a model of other data, or "
            "out-of-fold probabilities (fer-keras teach)",
            fg=typer.colors.YELLOW,
            err=True,
        )
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("predicting", total=records.num_examples)
        return predict(record_set, split, classifier, batch_size, functools.partial(progress.advance, task)), made
