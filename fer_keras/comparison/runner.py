"""Runs the cells of a comparison, each as a ``fer-keras train`` of its own."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fer_keras.comparison.plan import Cell, ComparisonError
from fer_keras.config import dump_config, load_config
from fer_keras.evaluation.results import ResultsError, read_results
from fer_keras.files import write_json, write_text

if TYPE_CHECKING:
    from rich.console import Console

MODULE = "fer_keras.cli.main"
"""What ``python -m`` runs as ``fer-keras``: found even where the scripts are not on the path."""

STATE_FILE = "seconds.json"
_POLL_SECONDS = 0.5


def run_cells(cells: Sequence[Cell], out: str | Path, jobs: int, console: "Console") -> dict[str, str]:
    """Trains every cell that is not finished.

    Interrupted, the same call goes on: finished cells are left alone, one that was under way continues after its
    last epoch. A cell that fails does not stop the others.

    Args:
        cells: of `fer_keras.comparison.plan.plan`.
        out: folder of the comparison.
        jobs: cells that run at the same time; each gets its share of the processors.
        console: where progress is shown.

    Returns:
        Name of the cell -> the last line that it printed, for those that failed.

    Raises:
        ComparisonError: a run folder holds a run of another configuration.
    """
    out = Path(out)
    waiting = [cell for cell in cells if not _finished(cell)]
    if len(waiting) < len(cells):
        console.print(f"{len(cells) - len(waiting)} of {len(cells)} runs are finished already", highlight=False)
    seconds, failed, running = _read_seconds(out), {}, {}
    with _progress(console, cells, len(cells) - len(waiting)) as progress, _stopping(running):
        while waiting or running:
            while waiting and len(running) < jobs:
                cell = waiting.pop(0)
                running[cell] = (_start(cell, out, jobs), time.perf_counter())
                progress.started(cell)
            time.sleep(_POLL_SECONDS)
            for cell, (process, started) in list(running.items()):
                progress.advanced(cell)
                if process.poll() is None:
                    continue
                del running[cell]
                key = f"{cell.label}/{cell.seed}"
                seconds[key] = round(seconds.get(key, 0.0) + time.perf_counter() - started, 1)
                write_json(out / STATE_FILE, seconds)
                if process.returncode == 130:
                    raise KeyboardInterrupt
                reason = None if _finished(cell) else _last_line(log_file(cell, out))
                if reason is not None:
                    failed[cell.name] = reason
                progress.ended(cell, reason)
    return failed


def log_file(cell: Cell, out: Path) -> Path:
    """What the cell's training prints."""
    return out / "logs" / f"{cell.label}-seed{cell.seed}.log"


def seconds_of(cells: Sequence[Cell], out: str | Path) -> dict[Cell, float | None]:
    """How long each cell took, all its attempts together; None if it did not run here."""
    seconds = _read_seconds(Path(out))
    return {cell: seconds.get(f"{cell.label}/{cell.seed}") for cell in cells}


def _finished(cell: Cell) -> bool:
    config = cell.folder / "config.yaml"
    if config.is_file() and load_config(config) != cell.config:
        raise ComparisonError(
            f"{cell.folder}: holds a run of another configuration (compare {config}); choose another --out"
        )
    return (cell.folder / "metrics.json").is_file()


def _start(cell: Cell, out: Path, jobs: int) -> subprocess.Popen:
    config, log = out / "configs" / f"{cell.label}-seed{cell.seed}.yaml", log_file(cell, out)
    write_text(config, dump_config(cell.config))
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", MODULE, "train", "--config", str(config)]
    share = str(max(1, (os.cpu_count() or 1) // jobs))
    threads = {} if jobs == 1 else {"TF_NUM_INTRAOP_THREADS": share, "TF_NUM_INTEROP_THREADS": share}
    with open(log, "ab") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **threads})


@contextlib.contextmanager
def _stopping(running: dict) -> Iterator[None]:
    """However the block ends, no training goes on behind it."""
    try:
        yield
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.wait()


def _read_seconds(out: Path) -> dict[str, float]:
    file = out / STATE_FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1].strip() if lines else 'nothing was printed'} ({log})"


@contextlib.contextmanager
def _progress(console: "Console", cells: Sequence[Cell], done: int) -> "Iterator[_Progress]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("{task.fields[note]}"))  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield _Progress(bars, console, len(cells), done)


class _Progress:
    """A bar of all cells and one of the epochs of each that runs; lines where there is no terminal."""

    def __init__(self, bars, console: "Console", total: int, done: int):
        self.bars, self.console = bars, console
        self.all = bars.add_task("runs", total=total, completed=done, note="")
        self.tasks: dict[Cell, int] = {}

    def started(self, cell: Cell) -> None:
        self.tasks[cell] = self.bars.add_task(cell.name, total=cell.config.schedule.epochs, note="")
        if not self.console.is_terminal:
            self.console.print(f"{cell.name}: started", highlight=False)

    def advanced(self, cell: Cell) -> None:
        if not self.console.is_terminal:
            return
        try:
            results = read_results(cell.folder / "results.csv")
        except (ResultsError, OSError):
            return  # no epoch is finished yet
        accuracy = results.get("val_accuracy")
        note = "" if accuracy is None else f"validation {accuracy[-1]:.1%}"
        self.bars.update(self.tasks[cell], completed=int(results["epoch"][-1]), note=note)

    def ended(self, cell: Cell, reason: str | None) -> None:
        self.bars.remove_task(self.tasks.pop(cell))
        self.bars.advance(self.all)
        outcome = "finished" if reason is None else f"failed: {reason}"
        if reason is not None or not self.console.is_terminal:
            self.console.print(f"{cell.name}: {outcome}", highlight=False, markup=False, soft_wrap=True)
