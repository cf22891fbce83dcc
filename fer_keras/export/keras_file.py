"""Export as a ``.keras`` file."""

import zipfile
from pathlib import Path

import keras


def export_keras(network: keras.Model, file: Path) -> Path:
    """Writes a ``.keras`` file, compressed: Keras stores its archives as they are, and reads them either way.

    Args:
        network: a functional inference model.
        file: the file to write; its name must end in ``.keras``.

    Returns:
        The file.
    """
    stored = file.with_name(f"stored_{file.name}")
    network.save(stored)
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    stored.unlink()
    return file
