"""Figures of an evaluation and of a training run (Matplotlib's Agg backend, no global state).

Every function returns a `matplotlib.figure.Figure` of its own; `save` writes it. Nothing goes through ``pyplot``, so
that figures can be drawn in any thread and leave the settings of the calling program alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fer_keras.emotions import CIRCUMPLEX
from fer_keras.files import replacing
from fer_keras.metrics.calibration import ReliabilityBins

INK, MUTED, FAINT, GRID = "#22303c", "#6b7a88", "#b8c2cc", "#dfe5ea"
BLUE, LIGHT_BLUE, ORANGE = "#2f6db3", "#9db9d8", "#e07b39"

VALENCE_AROUSAL_FILE = "valence_arousal.png"
"""Name of the file of `valence_arousal_scatter` in the folder of an evaluation."""


def confusion_matrix(matrix: np.ndarray, class_names: Sequence[str], title: str = "") -> Figure:
    """A confusion matrix: colour and percentage are shares of the true class, counts stand below.

    Args:
        matrix: (C, C) counts, row = true class, column = predicted class. A row without a sample says so.
        class_names: C names.
        title: what was evaluated.
    """
    matrix = np.asarray(matrix)
    support = matrix.sum(axis=1, keepdims=True)
    share = np.where(support > 0, matrix / np.maximum(support, 1), np.nan)
    size = 2.2 + 0.72 * len(class_names)
    figure = Figure(figsize=(size + 0.7, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), value in np.ndenumerate(share):
        if not np.isnan(value):
            colour = "white" if value > 0.55 else INK if matrix[row, column] else FAINT
            text = f"{value:.0%}\n{matrix[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour, linespacing=1.3)
    for row in np.flatnonzero(support == 0):
        axes.text((len(class_names) - 1) / 2, row, "no samples", ha="center", va="center", fontsize=8, color=MUTED)
    axes.set_xticks(range(len(class_names)), class_names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(class_names)), class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    accuracy = f"accuracy {np.trace(matrix) / matrix.sum():.2%}, {matrix.sum():,} samples" if matrix.sum() else ""
    title_axes(axes, title, accuracy)
    style_axes(axes, grid=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1.0, decimals=0))
    bar.set_label("share of the labelled class", color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelsize=8, length=0)
    return figure


def reliability_diagram(bins: ReliabilityBins, title: str = "") -> Figure:
    """A reliability diagram: accuracy against confidence in each bin, above a histogram of the confidence.

    Args:
        bins: of `fer_keras.metrics.calibration.reliability_bins`.
        title: what was evaluated.
    """
    figure = Figure(figsize=(5.4, 6.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    filled = bins.count > 0
    left, width = bins.edges[:-1], np.diff(bins.edges)
    bar = {"align": "edge", "edgecolor": "white", "linewidth": 0.8}
    upper.bar(left[filled], bins.accuracy[filled], width[filled], color=LIGHT_BLUE, label="accuracy", **bar)
    gap = (bins.confidence - bins.accuracy)[filled]
    outline = {"align": "edge", "facecolor": "none", "edgecolor": ORANGE, "hatch": "////", "linewidth": 0.9}
    upper.bar(left[filled], gap, width[filled], bottom=bins.accuracy[filled], label="gap to mean confidence", **outline)
    upper.plot([0, 1], [0, 1], color=INK, linewidth=1.2, linestyle="--", label="perfectly calibrated")
    upper.set_ylim(0, 1)
    upper.set_ylabel("accuracy")
    upper.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    upper.legend(loc="upper left", frameon=False, fontsize=9, labelcolor=INK)
    measures = f"ECE {bins.expected_calibration_error:.3f}, MCE {bins.maximum_calibration_error:.3f}"
    title_axes(upper, title, f"{measures}, {bins.count.sum():,} samples")
    lower.bar(left, bins.count / bins.count.sum(), width, color=MUTED, **bar)
    lower.set_ylabel("samples")
    lower.set_xlabel("confidence")
    lower.set_xlim(0, 1)
    for axis in (lower.yaxis, lower.xaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axes in (upper, lower):
        style_axes(axes)
    return figure


def results_curves(results: Mapping[str, np.ndarray], title: str = "") -> Figure:
    """Loss against epochs, accuracy where labels are learnt, and concordance where valence and arousal are.

    Args:
        results: columns of a ``results.csv``: ``epoch``, and of ``loss``, ``accuracy``, ``ccc`` and the same with
            ``val_`` those that the run has, (E,) float; NaN where a value is missing.
        title: the name of the run.
    """
    best_of = {"loss": np.nanargmin}
    for measure in ("accuracy", "ccc"):
        if measure in results or f"val_{measure}" in results:
            best_of[measure] = np.nanargmax
    figure = Figure(figsize=(5.0 * len(best_of), 4.0), layout="constrained")
    panels = figure.subplots(1, len(best_of), squeeze=False)[0]
    for axes, (measure, best) in zip(panels, best_of.items(), strict=True):
        for column, name, colour in ((measure, "training", MUTED), (f"val_{measure}", "validation", BLUE)):
            values = results.get(column)
            if values is None or np.isnan(values).all():
                continue
            shown = ~np.isnan(values)
            marker = "o" if shown.sum() == 1 else None
            axes.plot(results["epoch"][shown], values[shown], color=colour, linewidth=1.8, marker=marker, label=name)
            if name == "validation":
                epoch = best(values)
                value = f"{values[epoch]:.2%}" if measure == "accuracy" else f"{values[epoch]:.4f}"
                text = f"{'least' if measure == 'loss' else 'best'}: {value}"
                axes.plot(
                    results["epoch"][epoch], values[epoch], "o", color=ORANGE, markersize=7, zorder=3,
                    label=f"{text}, epoch {results['epoch'][epoch]:g}",
                )  # fmt: skip
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        title_axes(axes, measure)
        style_axes(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9, labelcolor=INK)
        if measure == "accuracy":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    figure.suptitle(title, color=INK, fontsize=12, fontweight="bold", x=0.01, ha="left")
    return figure


def valence_arousal_scatter(
    true: np.ndarray, pred: np.ndarray, metrics: Mapping[str, float | None], title: str = ""
) -> Figure:
    """Predicted against annotated valence and arousal, and where the predictions lie in the plane.

    Args:
        true, pred: (N, 2) valence and arousal.
        metrics: of `fer_keras.metrics.valence_arousal.valence_arousal_measures`, shown above the panels.
        title: what was evaluated.
    """
    figure = Figure(figsize=(13.5, 4.7), layout="constrained")
    panels = figure.subplots(1, 3)
    # Many points are drawn small and faint, so that density shows.
    dots = {"s": float(np.clip(2e4 / len(true), 3, 24)), "alpha": float(np.clip(200 / len(true), 0.12, 0.7)), "lw": 0}
    for column, (axes, dimension) in enumerate(zip(panels, ("valence", "arousal"))):
        axes.scatter(true[:, column], pred[:, column], color=BLUE, **dots)
        axes.plot([-1, 1], [-1, 1], color=INK, linewidth=1.2, linestyle="--")
        axes.set_xlabel(f"annotated {dimension}")
        axes.set_ylabel(f"predicted {dimension}")
        shown = [(name.upper(), metrics[f"{name}_{dimension}"]) for name in ("ccc", "pcc", "rmse", "sagr")]
        measures = ", ".join(f"{name} {'-' if value is None else format(value, '.3f')}" for name, value in shown)
        title_axes(axes, dimension, measures)
    plane = panels[2]
    plane.scatter(*true.T, color=MUTED, label="annotated", **dots)
    plane.scatter(*pred.T, color=ORANGE, label="predicted", **dots)
    for name, (valence, arousal) in CIRCUMPLEX.items():
        side = {"fear": "right", "anger": "left"}.get(name, "center")  # these two lie close together
        plane.text(valence, arousal, name, ha=side, va="center", fontsize=8, color=INK)
    plane.set_xlabel("valence")
    plane.set_ylabel("arousal")
    legend = plane.legend(loc="lower right", frameon=False, fontsize=9, labelcolor=INK)
    for handle in legend.legend_handles:
        handle.set(alpha=1.0, sizes=[24])
    samples = f"{len(true):,} samples"
    title_axes(plane, "valence-arousal plane", f"{title}, {samples}" if title else samples)
    for axes in panels:
        ticks = np.linspace(-1, 1, 5)
        axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal", xticks=ticks, yticks=ticks)
        style_axes(axes)
    return figure


def save(figure: Figure, path: str | Path, dpi: int = 130) -> None:
    """Writes a figure as PNG, to a temporary name first.

    Args:
        figure: one of this module's.
        path: the file.
        dpi: dots an inch.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, facecolor="white", bbox_inches="tight", pad_inches=0.15)


def title_axes(axes: Axes, title: str, subtitle: str = "") -> None:
    """Writes a bold title and a quiet line below it, both at the left."""
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold", pad=22 if subtitle else 8)
    axes.text(0, 1, subtitle, transform=axes.transAxes, va="bottom", color=MUTED, fontsize=9.5, linespacing=2)


def style_axes(axes: Axes, grid: bool = True) -> None:
    """Gives axes the look of all figures: quiet lines, and a grid of horizontal ones if wanted."""
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
    axes.xaxis.label.set_color(MUTED)
    axes.yaxis.label.set_color(MUTED)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    if grid:
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
