"""Where evaluations of a model lie: inside its run folder, or beside its file."""

from pathlib import Path


def run_folder(model: str | Path) -> Path | None:
    """The run folder that a model belongs to.

    Args:
        model: a run folder, or a file in its ``weights``.

    Returns:
        The folder, or None for a model that is not part of a run.
    """
    model = Path(model)
    if (model / "weights").is_dir():
        return model
    return model.parent.parent if model.parent.name == "weights" else None


def evaluation_folder(model: str | Path, split: str) -> Path:
    """Where the evaluation of a model on a split is written unless told otherwise.

    Args:
        model: as given to `fer_keras.inference.loading.load_classifier`.
        split: name of the split.

    Returns:
        ``<run>/evaluation-<split>`` for a run and its best weights, ``<run>/evaluation-<split>-last`` for
        ``weights/last.keras``; ``evaluation-<file name>-<split>`` beside any other model.

    Example:
        >>> evaluation_folder("runs/a/weights/last.keras", "test").as_posix()
        'runs/a/evaluation-test-last'
        >>> evaluation_folder("saved_models/a/model.tflite", "test").as_posix()
        'saved_models/a/evaluation-model.tflite-test'
    """
    model = Path(model)
    run = run_folder(model)
    if run is None:
        return model.parent / f"evaluation-{model.name}-{split}"
    suffix = "" if run == model or model.stem == "best" else f"-{model.stem}"
    return run / f"evaluation-{split}{suffix}"
