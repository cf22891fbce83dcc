"""The finished cells as one table: means over seeds, standard errors, differences from the baseline."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from fer_keras.comparison.plan import Cell
from fer_keras.comparison.runner import seconds_of
from fer_keras.evaluation.results import read_results

MEASURES = ("accuracy", "balanced_accuracy", "macro_f1", "ece", "nll", "kl")


@dataclasses.dataclass(frozen=True)
class Row:
    """What one cell came to.

    Args:
        label, seed: the cell.
        best_epoch: chosen on the validation split.
        measures: ``<split>_<best or last>_<measure>``, a share each but ``nll`` and ``kl`` (nats).
        val_accuracy: (E,) after each epoch.
        seconds: of training and judging; None if it was not run here.
    """

    label: str
    seed: int
    best_epoch: int
    measures: dict[str, float]
    val_accuracy: list[float]
    seconds: float | None

    @classmethod
    def load(cls, cell: Cell, seconds: float | None) -> Self:
        """Reads a finished run folder."""
        content = json.loads((cell.folder / "metrics.json").read_text(encoding="utf-8"))
        data = cell.config.data
        roles = {data.validation_split: "validation", data.test_split: "test"}
        for source in data.joint:
            roles[f"{source.name}-{source.validation_split}"] = f"{source.name}_validation"
            roles[f"{source.name}-{source.test_split}"] = f"{source.name}_test"
        measures = {
            f"{roles[split]}_{which}_{name}": metrics[name]
            for split, both in content["splits"].items()
            for which, metrics in both.items()
            for name in MEASURES
            if metrics.get(name) is not None
        }
        curve = read_results(cell.folder / "results.csv").get("val_accuracy", np.array([]))
        return cls(cell.label, cell.seed, content["best_epoch"], measures, curve.tolist(), seconds)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A mean over seeds with its standard error, None for a single seed."""

    mean: float
    standard_error: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Mean and standard error of some values.

        Example:
            >>> Figure.of([0.5, 0.75])
            Figure(mean=0.625, standard_error=0.125)
        """
        values = np.asarray(values, np.float64)
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        return cls(float(values.mean()), error)

    def percent(self, signed: bool = False) -> str:
        """As text, in percent or, with a sign, in points."""
        sign = "+" if signed else ""
        error = "" if self.standard_error is None else f" ± {100 * self.standard_error:.2f}"
        return f"{100 * self.mean:{sign}.2f}{error}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """All finished cells.

    Args:
        rows: one a cell.
        labels: the experiments in their order; the first is the baseline.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...]

    @classmethod
    def load(cls, cells: Sequence[Cell], out: str | Path) -> Self:
        """Reads those cells of a comparison that are finished."""
        seconds = seconds_of(cells, out)
        rows = [Row.load(cell, seconds[cell]) for cell in cells if (cell.folder / "metrics.json").is_file()]
        return cls(tuple(rows), tuple(dict.fromkeys(cell.label for cell in cells)))

    def of(self, label: str) -> list[Row]:
        """The cells of an experiment."""
        return [row for row in self.rows if row.label == label]

    def figure(self, label: str, measure: str) -> Figure | None:
        """A measure over the seeds of an experiment; None if it has none."""
        values = [row.measures[measure] for row in self.of(label) if measure in row.measures]
        return Figure.of(values) if values else None

    def gain(self, label: str, measure: str) -> Figure | None:
        """How far an experiment is above the baseline, seed by seed: seeds share noise and order, so that the
        differences vary less than the figures."""
        baseline = {row.seed: row.measures.get(measure) for row in self.of(self.labels[0])}
        pairs = [(row.measures.get(measure), baseline.get(row.seed)) for row in self.of(label)]
        differences = [own - other for own, other in pairs if own is not None and other is not None]
        return Figure.of(differences) if differences and label != self.labels[0] else None

    @property
    def judged_on(self) -> str:
        """``test`` if any run has a test split, otherwise ``validation``."""
        return "test" if any("test_best_accuracy" in row.measures for row in self.rows) else "validation"

    @property
    def header(self) -> list[str]:
        """Heads of the columns of `table`."""
        split, baseline = self.judged_on, self.labels[0]
        return ["", "seeds", f"{split}, best epoch, %", f"above {baseline}", f"{split}, last epoch, %",
                f"above {baseline}", "ECE, best, %", "minutes"]  # fmt: skip

    def table(self) -> list[list[str]]:
        """One line an experiment: mean ± standard error over the seeds."""
        split, lines = self.judged_on, []
        for label in self.labels:
            rows = self.of(label)
            minutes = [row.seconds / 60 for row in rows if row.seconds is not None]
            cells = [label, str(len(rows))]
            for which in ("best", "last"):
                measure = f"{split}_{which}_accuracy"
                cells += [_percent(self.figure(label, measure)), _percent(self.gain(label, measure), signed=True)]
            cells += [_percent(self.figure(label, f"{split}_best_ece")), f"{np.mean(minutes):.1f}" if minutes else "-"]
            lines.append(cells)
        return lines

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.table()]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def summary(self) -> dict:
        """Every measure of every experiment, with its gain over the baseline, as JSON values."""
        names = list(dict.fromkeys(name for row in self.rows for name in row.measures))
        content: dict = {}
        for label in self.labels:
            content[label] = {}
            for name in names:
                figure, gain = self.figure(label, name), self.gain(label, name)
                if figure is not None:
                    content[label][name] = dataclasses.asdict(figure)
                if gain is not None:
                    content[label][name]["above_baseline"] = dataclasses.asdict(gain)
        return content


def _percent(figure: Figure | None, signed: bool = False) -> str:
    return "" if figure is None else figure.percent(signed)
