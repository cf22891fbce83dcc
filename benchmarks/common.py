"""What every benchmark stores beside its figures, so that a figure can be traced and repeated."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
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


def run_command(*words: str) -> None:
    """Runs a command of ``fer-keras``; its output is shown."""
    subprocess.run([sys.executable, "-m", "fer_keras.cli.main", *words], check=True)


def comparison_parser(description: str, runs: str) -> argparse.ArgumentParser:
    """The options of the programs that call `compare`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path(runs))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--jobs", default="1", help="runs at the same time")
    return parser


def compare(
    configs: Iterable[Path], out: Path, settings: Iterable[str], arguments: argparse.Namespace, *options: str
) -> dict:
    """``fer-keras compare``.

    Args:
        configs: experiment files, the baseline first.
        out: folder of the comparison.
        settings: ``KEY=VALUE`` for all experiments.
        arguments: of `comparison_parser`.
        options: further options of the command.

    Returns:
        What the comparison stored.
    """
    words = [*map(str, configs), "--out", str(out), "--seeds", arguments.seeds, "--jobs", arguments.jobs]
    run_command("compare", *words, *options, *(f"--set={setting}" for setting in settings))
    return json.loads((out / "comparison.json").read_text())
