"""What every benchmark stores beside its figures, so that a figure can be traced and repeated."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def provenance() -> dict:
    """The command, the versions of the libraries, and the shape of the machine."""
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert", "fer-keras")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "command": " ".join(["python", *sys.argv]),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory, 1), "accelerators": 0},
    }


def store(name: str, content: dict) -> Path:
    """Writes ``benchmarks/results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps({**provenance(), **content}, indent=1) + "\n")
    temporary.replace(file)
    return file
