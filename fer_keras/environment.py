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


def has_byte_dot_products() -> bool | None:
    """Whether the processor has instructions for dot products of 8-bit integers (VNNI); None where it does not say."""
    flags = _cpu_field("flags").split()
    return any("vnni" in flag for flag in flags) if flags else None


def _cpu() -> str:
    return _cpu_field("model name") or platform.processor() or "unknown"


def _cpu_field(name: str) -> str:
    """A field of the first processor; empty where there is none, as outside Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
