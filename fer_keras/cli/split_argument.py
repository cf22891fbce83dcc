"""``DIR:SPLIT``: a split of a record set as one word on the command line."""

from pathlib import Path

import typer


def split_of(text: str, option: str) -> tuple[Path, str]:
    """The record set and the name of the split.

    Args:
        text: what the user gave.
        option: the option it was given to, for the message.

    Raises:
        typer.BadParameter: it is not of that form.

    Example:
        >>> split_of("data/ferplus:PublicTest", "--test")[1]
        'PublicTest'
    """
    folder, _, name = text.rpartition(":")
    if not folder or not name:
        raise typer.BadParameter(f"{text!r} is not DIR:SPLIT", param_hint=option)
    return Path(folder), name
