"""Figures of what only one method has, for the report of its run."""

import keras
import numpy as np

from fer_keras import methods
from fer_keras.config.schema import Config
from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet
from fer_keras.emotions import UNLABELLED
from fer_keras.evaluation.figures import save
from fer_keras.evaluation.fusion_figures import (
    CLASS_DISTRIBUTIONS_FILE,
    FUSION_FILE,
    adaptive_fusion,
    class_distributions,
)
from fer_keras.training.run_folder import RunFolder

IMAGES_SHOWN = 6


def write_method_figures(config: Config, folder: RunFolder, record_set: RecordSet) -> None:
    """Writes Ada-DF's class distributions and examples of its fusion; nothing for other methods.

    The examples are of the validation split (without one: the training split), from the image that the network
    attends to least to the one that it attends to most, and between them in even steps.

    Args:
        config: the run's configuration.
        folder: the run folder with ``weights/best.keras``.
        record_set: the data.
    """
    if not issubclass(methods.get(config.method.name), methods.AdaDF):
        return
    model = keras.models.load_model(folder.weights("best"), compile=False)
    heat_map = class_distributions(model.class_distribution_table(), model.class_names)
    save(heat_map, folder.path / CLASS_DISTRIBUTIONS_FILE)
    split = config.data.validation_split or config.data.train_split
    x, y = next(iter(evaluation_dataset(record_set, split, config.data.image_size, 256)))
    labelled = y["label"].numpy() != UNLABELLED
    images, labels = x["image"].numpy()[labelled], y["label"].numpy()[labelled]
    if not len(images):
        return
    fusion = model.adaptive_fusion(images, labels)
    by_weight = np.argsort(fusion["weight"], kind="stable")
    shown = by_weight[np.linspace(0, len(images) - 1, min(IMAGES_SHOWN, len(images))).round().astype(int)]
    examples = adaptive_fusion(
        images[shown], labels[shown], {name: values[shown] for name, values in fusion.items()}, model.class_names
    )
    save(examples, folder.path / FUSION_FILE)
