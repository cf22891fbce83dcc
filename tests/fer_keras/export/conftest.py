"""A small network that has learnt an easy task, and records of that task."""

import hashlib

import pytest

from fer_keras.data.records import RecordSet, Shard, Split, encode_record, shard_name

SIZE = (24, 20)
CLASSES = ("neutral", "happiness", "sadness", "surprise")


@pytest.fixture(scope="session")
def draw():
    """Noisy images in which one quarter is brighter: the class."""
    import numpy as np

    def images(count: int, seed: int, size=SIZE):
        random = np.random.default_rng(seed)
        labels = random.integers(0, len(CLASSES), count)
        pixels = random.integers(0, 120, (count, *size, 3))
        for image, label in zip(pixels, labels):
            top, left = (label // 2) * size[0] // 2, (label % 2) * size[1] // 2
            image[top : top + size[0] // 2, left : left + size[1] // 2] += random.integers(40, 130)
        return pixels.astype(np.uint8), labels.astype(np.int64)

    return images


@pytest.fixture(scope="session")
def network(draw):
    """Trained functional inference model, with the layers that exports stumble over (BatchNorm, dropout)."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((*SIZE, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.5)(x))
    x = layers.SeparableConv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    features = layers.Flatten(name="features")(x)
    logits = layers.Dense(len(CLASSES))(layers.Dropout(0.2)(features))
    model = keras.Model(image, {"probs": layers.Softmax(name="probs")(logits), "features": features}, name="tiny")
    pixels, labels = draw(512, 0)
    trainer = keras.Model(image, model.output["probs"])
    trainer.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    trainer.fit(pixels, labels, batch_size=32, epochs=6, verbose=0)
    return model


@pytest.fixture
def record_set(tmp_path, draw):
    """Writes records of the task; ``record_set(classes)`` -> folder with the splits train and validation."""
    import tensorflow as tf

    def write(classes=CLASSES, unlabelled: int = 0, grey: bool = False):
        folder = tmp_path / "records"
        folder.mkdir()
        splits = {}
        for seed, name in enumerate(("train", "validation"), 1):
            pixels, labels = draw(120, seed)
            labels[:unlabelled] = -1
            if grey:
                pixels = pixels[..., :1].repeat(3, axis=-1)
            file = folder / shard_name("quarters", name, 0, 1)
            with tf.io.TFRecordWriter(str(file)) as writer:
                for index, (image, label) in enumerate(zip(pixels, labels)):
                    png = tf.io.encode_png(image).numpy()
                    writer.write(encode_record(png, int(label), index, [0.0] * len(classes), 0.0, 0.0, str(index)))
            content = file.read_bytes()
            shard = Shard(file.name, len(pixels), len(content), hashlib.sha256(content).hexdigest())
            splits[name] = Split(name, (shard,))
        RecordSet(folder, "quarters", tuple(classes), splits).save()
        return folder

    return write


@pytest.fixture
def keras_file(tmp_path, network):
    """The trained network saved with its class list."""
    file = tmp_path / "trained" / "tiny.keras"
    file.parent.mkdir()
    network.save(file)
    file.with_name("labels.txt").write_text("\n".join(CLASSES))
    return file


@pytest.fixture(autouse=True)
def quick_times(monkeypatch):
    """The exporter takes times from a table: two processes an export would make these tests slow (`test_latency`)."""
    from fer_keras.export import exporter

    monkeypatch.setattr(
        exporter, "measure_latencies", lambda files, images, threads: [(2.0 / threads, 3.0 / threads) for _ in files]
    )
