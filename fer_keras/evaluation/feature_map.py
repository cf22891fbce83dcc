"""Features of images in the plane, by t-SNE: how well a network separates the classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fer_keras.data.records import RecordSet
from fer_keras.emotions import UNLABELLED
from fer_keras.evaluation.evaluation import EvaluationError
from fer_keras.evaluation.evaluator import ImageClassifier
from fer_keras.evaluation.figures import INK, save, title_axes

FEATURES_FILE = "features.png"
"""Name of the figure in the folder of an evaluation or a comparison."""

SAMPLES = 1000
"""Images drawn at random from a split; t-SNE takes some seconds for so many."""

_COLOURS = ("#8a939b", "#e0a800", "#2f6db3", "#e07b39", "#7a4fb5", "#3f8f4f", "#c23b3b", "#444444")


def read_features(
    classifier: ImageClassifier, record_set: RecordSet, split: str, samples: int = SAMPLES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Features of labelled images of a split.

    Args:
        classifier: of a run or a ``.keras`` file, as `fer_keras.inference.loading.load_classifier` gives it.
        record_set, split: whose images.
        samples: how many are drawn at random; all if there are fewer.
        seed: of the draw.

    Returns:
        (M, V) float32 features and (M,) int64 labels.

    Raises:
        EvaluationError: the model has no features, or no image has a label.
    """
    from fer_keras.data.pipeline import evaluation_dataset
    from fer_keras.data.records import read_columns

    labels = read_columns(record_set, split, ["label"])["label"]
    drawn = np.flatnonzero(labels != UNLABELLED)
    if not len(drawn):
        raise EvaluationError(f"{record_set.directory}, split {split!r}: no image has a label")
    if len(drawn) > samples:
        drawn = np.sort(np.random.default_rng(seed).choice(drawn, samples, replace=False))
    network = getattr(classifier, "model", None)
    if network is None or "features" not in network.output:
        raise EvaluationError(f"{classifier.path}: features are read from a run or a .keras file")
    wanted, found = np.zeros(len(labels), bool), []
    wanted[drawn] = True
    for x, _ in evaluation_dataset(record_set, split, classifier.image_size, 256):
        chosen = x["image"].numpy()[wanted[x["sample_id"].numpy()]]
        if len(chosen):
            found.append(network.predict_on_batch(chosen)["features"])
    return np.concatenate(found).astype(np.float32), labels[drawn]


def to_plane(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton, 2008) of features, started from their principal components.

    Args:
        features: (M, V), M at least 3.
        seed: of the optimisation.

    Returns:
        (M, 2) float32; neither axis has a unit.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features)


def feature_maps(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]], class_names: Sequence[str], subtitle: str = ""
) -> Figure:
    """Features in the plane, one panel a network.

    Args:
        panels: name of the network -> (M, 2) of `to_plane` and (M,) labels.
        class_names: C names.
        subtitle: which images are shown.
    """
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(4.4 * columns + 1.3, 4.4 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, (name, (points, labels)) in zip(grid.flat, panels.items()):
        for index, class_name in enumerate(class_names):
            chosen = points[labels == index]
            axes.scatter(*chosen.T, s=7, lw=0, alpha=0.75, color=_COLOURS[index % len(_COLOURS)], label=class_name)
        title_axes(axes, name, subtitle)
        axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        axes.spines[:].set_color("#dfe5ea")
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    handles, names = grid.flat[0].get_legend_handles_labels()
    legend = figure.legend(
        handles, names, loc="outside right center", frameon=False, fontsize=9, labelcolor=INK, markerscale=2.5
    )
    for handle in legend.legend_handles:
        handle.set_alpha(1.0)
    return figure


def write_feature_map(
    classifiers: Mapping[str, ImageClassifier], record_set: RecordSet, split: str, folder: str | Path
) -> None:
    """Writes ``features.png``: the features of the same images by several networks, one panel each.

    Args:
        classifiers: by the name to show.
        record_set, split: whose images.
        folder: where the figure goes.

    Raises:
        EvaluationError: as `read_features`.
    """
    panels = {}
    for name, classifier in classifiers.items():
        features, labels = read_features(classifier, record_set, split)
        panels[name] = (to_plane(features), labels)
    shown = len(next(iter(panels.values()))[1])
    figure = feature_maps(panels, record_set.class_names, f"{shown:,} images of {split}")
    save(figure, Path(folder) / FEATURES_FILE)
