"""What a masked autoencoder makes of a few images, as a picture."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fer_keras.evaluation.figures import INK, save
from fer_keras.pretraining.masked_autoencoder import MaskedAutoencoder


def reconstructions_figure(model: MaskedAutoencoder, images: np.ndarray, title: str = "") -> Figure:
    """Three rows: what the model sees, what it makes of it, and the images.

    Args:
        model: the autoencoder.
        images: (n, H, W, 3) uint8.
        title: of the figure.
    """
    pictures = {name: np.asarray(found) for name, found in model.reconstruct(images).items()}
    rows = {"masked": pictures["masked"], "reconstruction": pictures["reconstruction"], "original": images}
    figure = Figure(figsize=(1.3 * len(images) + 0.4, 1.3 * len(rows) + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=10, color=INK)
    grid = figure.subplots(len(rows), len(images), squeeze=False)
    for line, (name, row) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(line, row, strict=True):
            axes.imshow(np.clip(np.rint(picture), 0, 255).astype(np.uint8))
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, fontsize=8, color=INK)
    return figure


def write_reconstructions(model: MaskedAutoencoder, images: np.ndarray, file: Path, title: str = "") -> None:
    """Writes `reconstructions_figure` as a PNG file."""
    save(reconstructions_figure(model, images, title), file)
