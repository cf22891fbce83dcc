"""How the command lines end: one clear line for a mistake of the user's, an exit code that scripts can rely on.

Both command lines (``fer-keras`` and ``fer-tfrecords``) start their typer app through `run`.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from fer_keras.quiet import quiet_tensorflow

if TYPE_CHECKING:
    import typer

TRACEBACK_VARIABLE = "FER_KERAS_TRACEBACK"
"""Environment variable: when set (and not empty), errors keep their traceback."""


def error_line(error: Exception) -> str:
    """The one line that tells a user what went wrong.

    Args:
        error: the exception. Its message should name the file, row or key, and the fix.

    Returns:
        The message on a single line. An `OSError` that names its file reads ``file: reason``, without the number.

    Example:
        >>> error_line(FileNotFoundError(2, "No such file or directory", "a.yaml"))
        'a.yaml: No such file or directory'
        >>> error_line(ValueError("first\\n  second"))
        'first second'
    """
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        message = f"{os.fsdecode(error.filename)}: {error.strerror}"
    else:
        message = str(error) or type(error).__name__
    return " ".join(line.strip() for line in message.splitlines() if line.strip())


def print_error(message: str) -> None:
    """Prints ``error: <message>`` to stderr, red where stderr is a terminal, never wrapped."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True).print(f"error: {message}", style="red", markup=False, highlight=False)


def run(app: "typer.Typer", args: Sequence[str] | None = None) -> NoReturn:
    """Runs a typer app, TensorFlow kept quiet, and exits: 0 done, 1 bad input, 2 wrong usage, 130 interrupted.

    A `ValueError` or an `OSError` is taken as a mistake in the input and becomes one line on stderr; any other
    exception is a fault of the program and keeps its traceback. Set ``FER_KERAS_TRACEBACK=1`` to see all tracebacks.

    Args:
        app: the app; its name is the program's name in the help.
        args: the command line without the program's name; None takes ``sys.argv[1:]``.

    Raises:
        SystemExit: always.
    """
    quiet_tensorflow()
    name = app.info.name if isinstance(app.info.name, str) else None  # typer holds a placeholder where none is given
    try:
        app(args=args, prog_name=name)
    except (ValueError, OSError) as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        print_error(error_line(error))
        sys.exit(1)
    sys.exit(0)
