"""A small untrained classifier, stored in every format."""

import pytest

SIZE = (12, 10)
CLASSES = ("neutral", "happiness", "sadness")


@pytest.fixture(scope="session")
def network():
    """Functional inference model with decisive outputs."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    image = keras.Input((*SIZE, 3), dtype="uint8", name="image")
    x = layers.Conv2D(4, 3, strides=2)(layers.Rescaling(1 / 127.5, -1.0)(image))
    features = layers.Flatten()(layers.ReLU()(x))
    probs = layers.Dense(len(CLASSES), activation="softmax", kernel_initializer="random_normal")(features)
    return keras.Model(image, {"probs": probs, "features": features}, name="tiny")


@pytest.fixture(scope="session")
def stored(network, tmp_path_factory):
    """Format -> path of the stored network; ``labels.txt`` lies beside the Keras file."""
    from fer_keras.export.litert import export_litert
    from fer_keras.export.saved_model import export_saved_model

    folder = tmp_path_factory.mktemp("stored")
    network.save(folder / "model.keras")
    (folder / "labels.txt").write_text("Neutral\nhappy\n\nsadness\n")
    export_saved_model(network, folder, CLASSES)
    export_litert(network, folder / "model.tflite", CLASSES)
    return {"keras": folder / "model.keras", "saved_model": folder, "litert": folder / "model.tflite"}


@pytest.fixture
def images():
    """(7, H, W, 3) uint8."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (7, *SIZE, 3), dtype=np.uint8)
