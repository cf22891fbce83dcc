"""What a stored figure needs beside it to be traced and repeated: command, versions, machine."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "ai-edge-litert", "fer-keras")


def environment(command: str | None = None) -> dict:
    """The command, the versions of the libraries, and the shape of the machine.

    Args:
        command: the command as it is typed; None takes ``python`` and this process's words.

    Returns:
        ``command``, ``versions`` by package, ``machine`` with ``cpu``, ``cores``, ``memory_gib``.

    Example:
        >>> list(environment("fer-keras compare a.yaml b.yaml"))
        ['command', 'versions', 'machine']
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "command": command or " ".join(["python", *sys.argv]),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "memory_gib": round(memory, 1), "accelerators": 0},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
