import collections
import dataclasses

import numpy as np
import pytest

from fer_keras.data.records import RecordSet, RecordSetError, read_columns
from tfrecords_tools.importers.base import Importer, Sample
from tfrecords_tools.pixels import identical_groups
from tfrecords_tools.reading import hash_split
from tfrecords_tools.selection import SelectionError
from tfrecords_tools.splitting import SplitRecordSet
from tfrecords_tools.writer import WriteOptions, write_record_set

COLUMNS = ["image", "label", "votes", "valence", "arousal", "source"]


@dataclasses.dataclass
class Drawn(Importer):
    """Faces of three classes in a split ``Training`` (most images twice) and a split ``test``."""

    make_face: object
    name: str = "drawn"
    class_names: tuple[str, ...] = ("neutral", "happiness", "sadness")

    def inputs(self):
        return {}

    def rows(self):
        import tensorflow as tf

        for index in range(72):
            # An odd one shows the same as the third before it, which has the same class.
            seed = index - 3 if index % 2 and index > 2 else index
            image = tf.io.encode_png(self.make_face(index % 3, seed, side=12)).numpy()
            split = "test" if index >= 60 else "Training"
            yield Sample(split, lambda image=image: image, index % 3, f"row:{index}", [1.0, 0, 2], 0.5, -0.5)


@pytest.fixture(scope="module")
def parent(make_face, tmp_path_factory):
    return write_record_set(Drawn(make_face), tmp_path_factory.mktemp("parent") / "set")


def by_source(record_set, split):
    columns = read_columns(record_set, split, COLUMNS)
    rows = zip(*(columns[name] for name in COLUMNS))
    return {row[-1]: (row[0], row[1], tuple(row[2]), row[3], row[4]) for row in rows}


def test_every_record_is_on_one_side_and_unchanged(parent, tmp_path):
    divided = write_record_set(SplitRecordSet(parent, "Training", 0.2), tmp_path / "out", WriteOptions(num_shards=2))
    assert set(divided.splits) == {"train", "validation", "test"}
    train, validation = by_source(divided, "train"), by_source(divided, "validation")
    assert not train.keys() & validation.keys()
    assert {**train, **validation} == by_source(parent, "Training")
    assert by_source(divided, "test") == by_source(parent, "test")
    for split in divided.splits:
        ids = read_columns(divided, split, ["sample_id"])["sample_id"]
        np.testing.assert_array_equal(ids, np.arange(divided.split(split).num_examples))
    counts = collections.Counter(row[1] for row in validation.values())
    # 20 samples a class, taken in twos, with a few single ones.
    assert all(3 <= counts[label] <= 5 for label in range(3))
    assert divided.provenance["seed"] == 0 and divided.provenance["parent"] == parent.provenance


def test_identical_images_stay_together(parent, tmp_path):
    training = hash_split(parent, "Training")
    assert identical_groups(enumerate(training)), "the drawn set has identical images"
    for seed in range(3):
        divided = write_record_set(SplitRecordSet(parent, "Training", 0.4, seed=seed), tmp_path / str(seed))
        assert not set(hash_split(divided, "train")) & set(hash_split(divided, "validation"))


def test_train_size_leaves_the_validation_split_as_it_is(parent, tmp_path):
    whole = write_record_set(SplitRecordSet(parent, "Training", 0.2), tmp_path / "whole")
    small = write_record_set(SplitRecordSet(parent, "Training", 0.2, train_size=15), tmp_path / "small")
    assert by_source(small, "validation") == by_source(whole, "validation")
    kept = by_source(small, "train")
    assert kept.items() <= by_source(whole, "train").items()
    assert collections.Counter(row[1] for row in kept.values()) == {0: 5, 1: 5, 2: 5}


def test_read_by_tfds(parent, tmp_path):
    import tensorflow_datasets as tfds

    divided = write_record_set(SplitRecordSet(parent, "Training", 0.2), tmp_path / "out")
    sources = by_source(divided, "validation").keys()
    dataset = tfds.builder_from_directory(tmp_path / "out").as_dataset(split="validation")
    assert {example["source"] for example in dataset.as_numpy_iterator()} == sources


def test_what_cannot_be_divided(parent, tmp_path):
    with pytest.raises(RecordSetError, match="no split 'train'; it has: Training, test"):
        SplitRecordSet(parent, "train", 0.1)
    with pytest.raises(SelectionError, match="one side empty"):
        SplitRecordSet(parent, "Training", 0.001)
    with pytest.raises(SelectionError, match="of 60 samples: there are 4"):
        SplitRecordSet(parent, "Training", 0.2, train_size=60)
    divided = write_record_set(SplitRecordSet(parent, "Training", 0.2), tmp_path / "out")
    with pytest.raises(SelectionError, match="already has a split 'validation' beside 'train'"):
        SplitRecordSet(RecordSet.load(divided.directory), "train", 0.2)
