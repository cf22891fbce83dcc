"""A small record set, a classifier that reads its answer from the pixels, and an evaluation made by hand."""

import io
from pathlib import Path

import numpy as np
import pytest

from fer_keras.data.records import RecordSet, Shard, Split, encode_record, shard_name
from fer_keras.emotions import EMOTIONS


def png(value: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.full((6, 5, 3), value, np.uint8)).save(buffer, "png")
    return buffer.getvalue()


@pytest.fixture
def write_record_set(tmp_path):
    def write(labels, votes=None, values=None, split="test", class_names=EMOTIONS, directory="data") -> RecordSet:
        """A set of one split in two shards; sample i is a flat image of grey value values[i] (default: i)."""
        import tensorflow as tf

        folder = tmp_path / directory
        folder.mkdir()
        votes = np.zeros((len(labels), len(class_names))) if votes is None else votes
        values = range(len(labels)) if values is None else values
        records = [
            encode_record(png(values[i]), labels[i], i, votes[i], float("nan"), float("nan"), f"img/{i}.png")
            for i in range(len(labels))
        ]
        shards = []
        for index, part in enumerate((records[: len(records) // 2], records[len(records) // 2 :])):
            file = folder / shard_name("tiny", split, index, 2)
            with tf.io.TFRecordWriter(str(file)) as writer:
                for record in part:
                    writer.write(record)
            shards.append(Shard(file.name, len(part), file.stat().st_size, f"{directory}{index}"))
        record_set = RecordSet(folder, "tiny", tuple(class_names), {split: Split(split, tuple(shards))})
        record_set.save()
        return record_set

    return write


class LookUpClassifier:
    """Predicts row v of its table for an image of grey value v; notes the sizes of its batches."""

    def __init__(self, table, class_names=EMOTIONS):
        self.table = np.asarray(table, np.float32)
        self.class_names = tuple(class_names)
        self.image_size = (6, 5)
        self.path = Path("models/look_up.keras")
        self.batches: list[int] = []

    def predict_proba(self, images):
        assert images.dtype == np.uint8 and images.shape[1:] == (6, 5, 3)
        self.batches.append(len(images))
        return self.table[images[:, 0, 0, 0]]


@pytest.fixture
def look_up_classifier():
    return LookUpClassifier


@pytest.fixture(scope="session")
def softmax_rows():
    def rows(seed: int, samples: int, classes: int = 8, scale: float = 2.0) -> np.ndarray:
        logits = np.random.default_rng(seed).normal(scale=scale, size=(samples, classes))
        exponential = np.exp(logits)
        return exponential / exponential.sum(axis=1, keepdims=True)

    return rows


@pytest.fixture(scope="session")
def make_evaluation(softmax_rows):
    from fer_keras.evaluation import Evaluation

    def make(samples: int = 60, seed: int = 0, **changes) -> Evaluation:
        """Random predictions of labels that are right about half of the time; contempt is absent."""
        generator = np.random.default_rng(seed)
        probs = softmax_rows(seed, samples)
        y_true = np.where(generator.random(samples) < 0.5, probs.argmax(axis=1), generator.integers(7, size=samples))
        values = {
            "class_names": EMOTIONS,
            "sample_id": np.arange(samples),
            "source": tuple(f"img/{i}.png" for i in range(samples)),
            "y_true": np.minimum(y_true, 6),
            "probs": probs,
            "model": "runs/a/weights/best.keras",
            "data": "data/tiny",
            "split": "test",
        }
        return Evaluation(**(values | changes))

    return make
