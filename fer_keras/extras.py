"""Optional packages: imported late, each in one place, with one clear line if they are not there."""

import importlib
from types import ModuleType


class ExtraError(ValueError):
    """A package of an extra is asked for, and cannot be imported."""


def load_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Imports a module of an optional package.

    Args:
        module: its dotted name.
        extra: the extra of fer_keras that installs the package.
        purpose: what needs it; the beginning of the error's message.

    Returns:
        The module.

    Raises:
        ExtraError: it is not installed, or cannot be imported.

    Example:
        >>> load_extra("no_such_package.part", "some", "an example")
        Traceback (most recent call last):
        ...
        fer_keras.extras.ExtraError: an example needs no_such_package: pip install 'fer-keras[some]'
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == package:
            raise ExtraError(f"{purpose} needs {package}: pip install 'fer-keras[{extra}]'") from error
        raise ExtraError(f"{purpose} needs {package}, which cannot be imported: {error}") from error
