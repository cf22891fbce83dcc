"""Files that are either complete or not there: written to a temporary name, then renamed."""

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`; what was written there replaces `path` when the block ends well.

    Args:
        path: the file to write; missing parent folders are made.

    Yields:
        The name to write to. It is removed if the block raises.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())  # the name must not outlive the content in a power cut
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """`replacing` for a folder: gives an empty one beside `path`, which takes its place when the block ends well.

    Args:
        path: the folder to write; missing parent folders are made. A former one is removed with all that is in it.

    Yields:
        The folder to write to. It is removed if the block raises.
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    former = temporary.with_suffix(".old")
    try:
        temporary.mkdir()
        yield temporary
        if path.exists():
            path.rename(former)  # a folder that is not empty cannot be renamed over
        temporary.rename(path)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file in UTF-8."""
    with replacing(path) as temporary:
        # Paths of images may hold bytes that are not UTF-8; they come out as they went in.
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")


def write_json(path: str | Path, content: Any) -> None:
    """Writes strict JSON: a NaN that was forgotten is an error, not a file that other programs cannot read."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Writes a csv file: a header line, then one line a row; None becomes an empty cell."""
    with (
        replacing(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
