"""What a comparison leaves: ``comparison.json``, ``comparison.md`` and ``curves.png``."""

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fer_keras.comparison.comparison import Comparison
from fer_keras.environment import environment
from fer_keras.evaluation.figures import save, style_axes, title_axes
from fer_keras.files import write_json, write_text

if TYPE_CHECKING:
    from rich.table import Table


def write_comparison(comparison: Comparison, out: str | Path, command: str) -> dict:
    """Writes table, figures and every cell's row.

    Args:
        comparison: the finished cells; those of an unfinished comparison are shown as far as they are.
        out: folder of the comparison.
        command: how it was called.

    Returns:
        The content of ``comparison.json``.
    """
    out = Path(out)
    content = {
        **environment(command),
        "judged_on": comparison.judged_on,
        "baseline": comparison.labels[0],
        "summary": comparison.summary(),
        "rows": [vars(row) for row in comparison.rows],
    }
    write_json(out / "comparison.json", content)
    write_text(out / "comparison.md", comparison.markdown())
    save(validation_curves(comparison), out / "curves.png")
    return content


def validation_curves(comparison: Comparison, title: str = "") -> Figure:
    """Validation accuracy against epochs: the mean over seeds, and its standard error as a band."""
    figure = Figure(figsize=(7.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    colours = matplotlib.color_sequences["tab10"]
    for number, label in enumerate(comparison.labels):
        curves = [row.val_accuracy for row in comparison.of(label) if row.val_accuracy]
        if not curves:
            continue
        epochs = min(map(len, curves))  # early stopping ends seeds at different epochs
        values = np.array([curve[:epochs] for curve in curves])
        mean, steps = values.mean(axis=0), np.arange(1, epochs + 1)
        colour = "#333333" if number == 0 else colours[(number - 1) % len(colours)]
        axes.plot(steps, mean, color=colour, linewidth=2, label=label, marker="o" if epochs == 1 else None)
        if len(values) > 1:
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    seeds = len({row.seed for row in comparison.rows})
    title_axes(axes, title or "validation accuracy", f"mean of {seeds} seeds; band: standard error")
    style_axes(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def comparison_table(comparison: Comparison, title: str) -> "Table":
    """The table for a terminal."""
    from rich.table import Table

    table = Table(title=title, caption=f"mean ± standard error over seeds; baseline: {comparison.labels[0]}")
    for number, name in enumerate(comparison.header):
        table.add_column(name, justify="right" if number else "left")
    for line in comparison.table():
        table.add_row(*line)
    return table
