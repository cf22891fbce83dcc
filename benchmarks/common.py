"""What every benchmark stores beside its figures, so that a figure can be traced and repeated."""

import json
from pathlib import Path

from fer_keras.environment import environment

RESULTS = Path(__file__).parent / "results"


def store(name: str, content: dict) -> Path:
    """Writes ``benchmarks/results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps({**environment(), **content}, indent=1) + "\n")
    temporary.replace(file)
    return file
