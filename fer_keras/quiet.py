"""Keeps TensorFlow's start-up messages off stderr, where a command line says one clear line or nothing.

``TF_CPP_MIN_LOG_LEVEL`` alone does not: TensorFlow 2.21 logs from static initialisers of its libraries, before it
has read the variable (https://github.com/tensorflow/tensorflow/issues/100442).
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence

LEVEL_VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
SEVERITIES = "IWEF"
"""First letters of the severities info, warning, error, fatal; level n shows those from position n on."""

_LOG_LINE = re.compile(rb"^(?:\d{4}-\d\d-\d\d \S+ )?(?P<severity>[IWEF])(?:\d{4})? .*\.(?:cc|cpp|h|cu):\d+\] ")
_PREAMBLE = b"WARNING: All log messages before absl::InitializeLog()"


def quiet_tensorflow(level: int = 3) -> None:
    """Drops what TensorFlow logs while it is imported; call it before that. What it logs later it drops itself.

    Args:
        level: messages below this severity are dropped: 1 info, 2 warnings as well, 3 errors as well. It is the
            default of the environment variable ``TF_CPP_MIN_LOG_LEVEL``, which wins where it is set.

    Example:
        >>> quiet_tensorflow()
    """
    os.environ.setdefault(LEVEL_VARIABLE, str(level))
    if "tensorflow" not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def is_dropped(line: bytes, level: int) -> bool:
    """Whether a line on stderr is a log message of TensorFlow below `level`.

    Example:
        >>> is_dropped(b"I0000 00:00:1700000000.000001 42 port.cc:153] oneDNN custom operations are on.", 1)
        True
        >>> is_dropped(b"UserWarning: something else", 3)
        False
    """
    if line.startswith(_PREAMBLE):
        return level > 0
    message = _LOG_LINE.match(line)
    return message is not None and SEVERITIES.index(message["severity"].decode()) < level


@contextlib.contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, by C++ code too, and lets through what is not dropped."""
    level = os.environ.get(LEVEL_VARIABLE, "0")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not is_dropped(line, int(level) if level.isdigit() else 0):
                    os.write(2, line)


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the first import of TensorFlow, wherever it happens, and gets out of the way."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module) -> None:
                with _filtered_stderr():
                    execute(module)

            spec.loader.exec_module = exec_module
        return spec
