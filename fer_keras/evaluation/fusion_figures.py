"""Figures of what Ada-DF learned: its class distributions, and how it fuses them with each image's own."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_keras.evaluation.figures import BLUE, FAINT, INK, MUTED, ORANGE, style_axes, title_axes

CLASS_DISTRIBUTIONS_FILE = "class_distributions.png"
FUSION_FILE = "adaptive_fusion.png"
"""Names of the files in a run folder."""


def class_distributions(table: np.ndarray, class_names: Sequence[str], title: str = "") -> Figure:
    """The class distributions as a heat map (Ada-DF's figure 4).

    Args:
        table: (C, C), row c is the distribution of class c.
        class_names: C names.
        title: whose they are.
    """
    table = np.asarray(table)
    size = 2.2 + 0.66 * len(class_names)
    figure = Figure(figsize=(size + 0.7, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(table, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), value in np.ndenumerate(table):
        axes.text(
            column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if value > 0.55 else INK
        )
    axes.set_xticks(range(len(class_names)), class_names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(class_names)), class_names)
    axes.set_ylabel("class")
    title_axes(
        axes, title or "class distributions", "what the auxiliary branch sees in the images of a class, on average"
    )
    style_axes(axes, grid=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelsize=8, length=0)
    return figure


def adaptive_fusion(
    images: np.ndarray, labels: np.ndarray, fusion: Mapping[str, np.ndarray], class_names: Sequence[str]
) -> Figure:
    """How the target of some images came about (Ada-DF's figure 5), one image a column.

    Args:
        images: (M, H, W, 3) uint8.
        labels: (M,) class indices.
        fusion: ``label_distribution``, ``class_distribution``, ``target``, ``probs`` (M, C) and ``weight`` (M,), as of
            `fer_keras.methods.ada_df.AdaDF.adaptive_fusion`.
        class_names: C names.
    """
    rows = {
        "label_distribution": ("the image's own distribution", MUTED),
        "class_distribution": ("distribution of its class", FAINT),
        "target": ("fused: what the target branch learns", ORANGE),
        "probs": ("prediction of the target branch", BLUE),
    }
    count = len(images)
    figure = Figure(figsize=(1.0 + 2.0 * count, 8.4), layout="constrained")
    panels = figure.subplots(1 + len(rows), count, squeeze=False, height_ratios=(1.35, *[1] * len(rows)))
    places = np.arange(len(class_names))
    for column in range(count):
        picture = panels[0, column]
        picture.imshow(images[column])
        picture.set_axis_off()
        weight = fusion["weight"][column]
        picture.set_title(f"{class_names[labels[column]]}\nw = {weight:.2f}", fontsize=10, color=INK)
        for row, (name, (text, colour)) in enumerate(rows.items(), start=1):
            axes = panels[row, column]
            axes.barh(places, fusion[name][column], color=colour, height=0.75)
            axes.set_xlim(0, 1)
            axes.invert_yaxis()
            axes.set_yticks(places, class_names if column == 0 else [""] * len(class_names))
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            style_axes(axes, grid=False)
            axes.tick_params(labelsize=8, length=0)
            axes.set_xticks([0, 0.5, 1] if row == len(rows) else [])
            if column == 0:
                axes.set_title(text, loc="left", fontsize=9, color=INK)
    return figure
