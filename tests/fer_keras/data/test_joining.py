import numpy as np
import pytest

from fer_keras.data.joining import JoiningError, join_neighbors, join_splits, labels_by_set
from fer_keras.data.pipeline import training_dataset
from fer_keras.data.records import RecordSet, read_columns
from fer_keras.emotions import ClassListMismatchError


def test_samples_follow_one_another(tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    joined = join_splits([(record_set, "train"), (record_set, "test")])
    assert joined.split("train").num_examples == 48
    assert joined.split("test").num_examples == 16  # the first set's other splits stay
    columns = read_columns(joined, "train", ["label", "source"])
    for name in columns:
        parts = [read_columns(record_set, split, [name])[name] for split in ("train", "test")]
        np.testing.assert_array_equal(columns[name], np.concatenate(parts))
    assert joined.split("train").fingerprint != record_set.split("train").fingerprint


@pytest.mark.parametrize("cache", [True, False])
def test_ids_keep_the_sets_apart(tiny_record_set, cache):
    record_set = RecordSet.load(tiny_record_set)
    parts = [(record_set, "train"), (record_set, "test")]
    dataset, steps = training_dataset(join_splits(parts), "train", (48, 48), 8, epochs=1, seed=0, cache=cache)
    assert steps == 6
    found = {}
    for x, _ in dataset:
        found |= dict(zip(x["sample_id"].numpy().tolist(), x["image"].numpy()))
    assert sorted(found) == list(range(48))
    for offset, (_, split) in zip((0, 32), parts):
        alone, _ = training_dataset(record_set, split, (48, 48), 1, epochs=1, seed=0)
        for x, _ in alone:
            np.testing.assert_array_equal(x["image"][0], found[offset + int(x["sample_id"][0])])


def test_one_set_is_itself(tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    assert join_splits([(record_set, "train")]) is record_set


def test_refuses_other_classes(tiny_record_set):
    import dataclasses

    record_set = RecordSet.load(tiny_record_set)
    seven = dataclasses.replace(record_set, class_names=record_set.class_names[:7])
    with pytest.raises(ClassListMismatchError):
        join_splits([(record_set, "train"), (seven, "train")])


def test_neighbours_stay_within_their_set():
    parts = [
        {"ids": np.array([[1], [0]], np.int32), "differences": np.zeros((2, 1, 2), np.float32)},
        {"ids": np.array([[2], [0], [1]], np.int32), "differences": np.ones((3, 1, 2), np.float32)},
    ]
    joined = join_neighbors(parts)
    assert joined["ids"].ravel().tolist() == [1, 0, 4, 2, 3]
    assert joined["ids"].dtype == np.int32
    assert joined["differences"][:, 0, 0].tolist() == [0, 0, 1, 1, 1]
    wide = {"ids": np.zeros((1, 2), np.int32), "differences": np.zeros((1, 2, 2), np.float32)}
    with pytest.raises(JoiningError, match="1 neighbours in 2 dimensions, 2 neighbours in 2 dimensions"):
        join_neighbors([parts[0], wide])


def test_each_set_is_a_source_of_its_own_samples():
    assert labels_by_set([np.array([3, -1]), np.array([5])]).tolist() == [[3, -1], [-1, -1], [-1, 5]]
