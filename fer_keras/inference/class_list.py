"""The class list beside or inside a stored model: ``labels.txt``, one canonical name a line."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from fer_keras.emotions import UnknownEmotionError, canonical_name, require_same_classes
from fer_keras.inference.classifier import ModelLoadError

LABELS_FILE = "labels.txt"


def parse_labels(text: str, origin: str | Path) -> tuple[str, ...]:
    """Reads a class list, one name a line; blank lines do not count.

    Args:
        text: the content of a ``labels.txt``.
        origin: where it came from, for messages.

    Returns:
        Canonical names in the order of the lines.

    Raises:
        ModelLoadError: no name, an unknown name, or a name that occurs twice.

    Example:
        >>> parse_labels("neutral\\nhappy\\n", "labels.txt")
        ('neutral', 'happiness')
    """
    try:
        names = tuple(canonical_name(line) for line in text.splitlines() if line.strip())
    except UnknownEmotionError as error:
        raise ModelLoadError(f"{origin}: {error}") from error
    if not names:
        raise ModelLoadError(f"{origin}: no class names in it; write one a line, in the order of the model's outputs")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ModelLoadError(f"{origin}: class names that occur twice: {', '.join(repeated)}")
    return names


def format_labels(class_names: Sequence[str]) -> str:
    """The content of ``labels.txt`` for a class list.

    Example:
        >>> format_labels(["neutral", "happiness"])
        'neutral\\nhappiness\\n'
    """
    return "".join(f"{name}\n" for name in class_names)


def read_labels_file(file: Path) -> tuple[str, ...]:
    """Reads a ``labels.txt`` file.

    Raises:
        ModelLoadError: it is not text in UTF-8, or not a class list.
    """
    try:
        return parse_labels(file.read_text(encoding="utf-8"), file)
    except UnicodeDecodeError as error:
        raise ModelLoadError(f"{file}: not a text file in UTF-8 ({error.reason})") from error


def labels_beside(model_file: Path) -> tuple[Path, tuple[str, ...]] | None:
    """The class list that lies beside a model file: ``<stem>.labels.txt``, else ``labels.txt``.

    Returns:
        The file and its class names, or None if there is neither.
    """
    for file in (model_file.with_name(f"{model_file.stem}.{LABELS_FILE}"), model_file.with_name(LABELS_FILE)):
        if file.is_file():
            return file, read_labels_file(file)
    return None


def embedded_labels(model_file: Path) -> tuple[str, ...] | None:
    """The ``labels.txt`` in the zip archive at the end of a ``.tflite`` file (None if there is none).

    LiteRT keeps its associated files in such an archive: the interpreter reads the model from the front and
    never looks at it, a zip reader starts from the end and finds the files.
    """
    if not zipfile.is_zipfile(model_file):
        return None
    try:
        with zipfile.ZipFile(model_file) as archive:
            if LABELS_FILE not in archive.namelist():
                return None
            return parse_labels(archive.read(LABELS_FILE).decode(), f"{model_file} ({LABELS_FILE} inside)")
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ModelLoadError(f"{model_file}: damaged class list inside ({error}); export the model again") from error


def resolve_class_names(model_file: Path, own: Sequence[str] | None, num_classes: int) -> tuple[str, ...]:
    """The class names of a model file, from the model itself or from the file beside it.

    Args:
        model_file: the model.
        own: the list the model carries, if any.
        num_classes: the number of its outputs, C.

    Returns:
        C names.

    Raises:
        ModelLoadError: there is no list, or its length is not C.
        ClassListMismatchError: the model carries one list and another lies beside it.
    """
    beside = labels_beside(model_file)
    if own is None and beside is None:
        raise ModelLoadError(
            f"{model_file}: no class names found; write {LABELS_FILE} beside it, one name a line, "
            f"in the order of the model's {num_classes} outputs"
        )
    if own is not None and beside is not None:
        require_same_classes(own, beside[1], str(model_file), str(beside[0]))
    names, origin = (tuple(own), model_file) if own is not None else (beside[1], beside[0])
    return require_count(names, num_classes, origin)


def require_count(class_names: Sequence[str], num_classes: int, origin: str | Path) -> tuple[str, ...]:
    """Refuses a class list that does not have one name per output.

    Raises:
        ModelLoadError: the numbers differ; the message names both.
    """
    if len(class_names) != num_classes:
        raise ModelLoadError(
            f"{origin}: {len(class_names)} class names ({', '.join(class_names)}) for a model of {num_classes} outputs"
        )
    return tuple(class_names)
