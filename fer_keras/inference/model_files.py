"""Which files make up a stored model."""

from pathlib import Path

FILE_SUFFIXES = (".keras", ".tflite", ".onnx", ".xml")
"""Endings of models that are files."""


def model_files(path: str | Path) -> list[Path]:
    """The files of a model, sorted by name: itself, an OpenVINO file's weights beside it, or all in a folder.

    Args:
        path: as given to `fer_keras.inference.loading.load_classifier`.

    Example:
        >>> [file.name for file in model_files("models/model.xml")]
        ['model.bin', 'model.xml']
    """
    path = Path(path)
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path.with_suffix(".bin"), path] if path.suffix == ".xml" else [path]
