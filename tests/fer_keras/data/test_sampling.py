import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.data.pipeline import PipelineError, training_dataset
from fer_keras.data.records import RecordSet
from fer_keras.data.sampling import (
    SamplingError,
    balanced_order,
    class_aware_batches,
    classes_to_sample,
    rarest_class,
)


@st.composite
def label_sets(draw):
    counts = draw(st.lists(st.integers(2, 40), min_size=1, max_size=6))
    classes = draw(st.permutations(range(7)))[: len(counts)]
    labels = np.repeat([*classes, -1], [*counts, draw(st.integers(0, 9))])
    batch = draw(st.integers(2 * len(counts), max(2 * len(counts), len(labels))))
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels), batch


@settings(max_examples=60, deadline=None)
@given(label_sets())
def test_every_batch_holds_every_class_twice_and_no_sample_twice(drawn):
    labels, batch = drawn
    classes = classes_to_sample(labels, batch)
    order = np.arange(len(labels)) + 100
    found = class_aware_batches(tf.constant(order), tf.constant(labels), classes, batch).numpy()
    steps = len(labels) // batch
    assert found.shape == (steps, batch)
    for row in found:
        assert len(set(row)) == batch
        counts = np.bincount(labels[row - 100][labels[row - 100] >= 0], minlength=7)
        assert (counts[classes] >= 2).all()
    # A class that fills its places from its own samples repeats none of them within the epoch.
    for index in classes:
        if (labels == index).sum() >= 2 * steps:
            shown = found[np.isin(found, order[labels == index])]
            assert len(set(shown)) == len(shown)


def test_a_rare_class_comes_round_evenly():
    labels = np.array([0] * 94 + [1] * 3 + [2] * 3)
    found = class_aware_batches(tf.range(100), tf.constant(labels), [0, 1, 2], 10).numpy()
    visits = np.bincount(found.ravel(), minlength=100)
    assert sorted(visits[94:97]) == sorted(visits[97:]) == [6, 7, 7]
    assert visits[:94].max() == 1 and visits[:94].sum() == 60


@pytest.mark.parametrize(
    ("labels", "batch", "message"),
    [
        ([0, 0, 1, -1], 4, "2 samples of every class, class 1 has 1; use data.sampler: shuffle"),
        ([0, 0, 1, 1, 2, 2], 5, "batches of 5 cannot hold 2 samples of each of 3 classes; .* to at least 6"),
    ],
)
def test_refuses_what_it_cannot_do(labels, batch, message):
    with pytest.raises(SamplingError, match=message):
        classes_to_sample(np.array(labels), batch)


class TestPipeline:
    @pytest.fixture
    def records(self, tiny_record_set):
        return RecordSet.load(tiny_record_set)

    def ids(self, records, first=0, **options):
        dataset, steps = training_dataset(
            records, "train", (24, 24), 16, epochs=3, seed=5, initial_epoch=first, sampler="class_aware", **options
        )
        assert steps == 2 and len(dataset) == 2 * (3 - first)
        return [(x["sample_id"], y["label"]) for x, y in dataset.as_numpy_iterator()]

    def test_every_epoch_is_another_and_a_resumed_run_gets_the_same(self, records):
        whole = self.ids(records)
        for _, labels in whole:
            assert (np.bincount(labels, minlength=8) == 2).all()
        assert any((whole[0][0] != whole[step][0]).any() for step in (2, 4))
        resumed = self.ids(records, first=1)
        for (found, _), (expected, _) in zip(resumed, whole[2:], strict=True):
            np.testing.assert_array_equal(found, expected)

    def test_replaced_labels_and_subsets_count(self, records):
        labels = np.arange(32) % 2
        for found, shown in self.ids(records, labels=labels, subset=np.arange(32)):
            np.testing.assert_array_equal(shown, labels[found])

    def test_refuses_partial_batches_and_unknown_samplers(self, records):
        with pytest.raises(PipelineError, match="drop_remainder must be true"):
            self.ids(records, drop_remainder=False)
        with pytest.raises(PipelineError, match="sampler: 'fair'; wanted one of: shuffle, class_aware"):
            training_dataset(records, "train", (24, 24), 16, epochs=1, seed=0, sampler="fair")


@settings(max_examples=40, deadline=None)
@given(label_sets())
def test_a_balanced_order_keeps_the_first_of_every_class(drawn):
    labels, _ = drawn
    order = np.random.default_rng(1).permutation(len(labels))
    present, count = rarest_class(labels)
    found = balanced_order(tf.constant(order), tf.constant(labels[order]), 7, count).numpy().tolist()
    taken, expected = dict.fromkeys(range(7), 0), []
    for sample in order:  # one by one
        label = labels[sample]
        if label >= 0 and taken[label] < count:
            taken[label] += 1
            expected.append(sample)
    assert found == expected
    assert len(found) == present * count


def test_balanced_epochs_draw_other_samples_of_frequent_classes(tiny_record_set):
    record_set = RecordSet.load(tiny_record_set)
    labels = np.array([0] * 20 + [1] * 8 + [2] * 4)
    options = {"epochs": 3, "seed": 0, "labels": labels, "sampler": "balanced"}
    dataset, steps = training_dataset(record_set, "train", (8, 8), 4, **options)
    assert steps == 3  # 3 classes, 4 of each
    ids = np.array([x["sample_id"].numpy() for x, _ in dataset]).reshape(3, 12)
    for epoch in ids:
        assert len(set(epoch)) == 12
        assert np.bincount(labels[epoch]).tolist() == [4, 4, 4]
    assert all(set(range(28, 32)) <= set(epoch) for epoch in ids)
    assert len({tuple(sorted(epoch)) for epoch in ids}) == 3
    later, _ = training_dataset(record_set, "train", (8, 8), 4, initial_epoch=2, **options)
    np.testing.assert_array_equal(np.concatenate([x["sample_id"] for x, _ in later]), ids[2])


def test_balanced_epochs_need_labels_and_a_full_batch(tiny_record_set):
    record_set, options = RecordSet.load(tiny_record_set), {"epochs": 1, "seed": 0, "sampler": "balanced"}
    with pytest.raises(SamplingError, match="no sample has one"):
        training_dataset(record_set, "train", (8, 8), 4, labels=np.full(32, -1), **options)
    with pytest.raises(PipelineError, match="2 samples in a balanced epoch, fewer than one batch of 4"):
        training_dataset(record_set, "train", (8, 8), 4, labels=np.array([0] * 31 + [1]), **options)


@pytest.mark.parametrize(("in_epoch", "initial"), [(3, 0), (3, 2), (5, 1), (20, 1), (8, 1)])
def test_epochs_of_any_length_go_on_where_a_resumed_run_left(tiny_record_set, in_epoch, initial):
    record_set, options = RecordSet.load(tiny_record_set), {"epochs": 4, "seed": 0, "steps_per_epoch": in_epoch}
    whole, steps = training_dataset(record_set, "train", (8, 8), 4, **options)
    assert steps == in_epoch
    ids = np.array([x["sample_id"].numpy() for x, _ in whole])
    assert ids.shape == (4 * in_epoch, 4)
    for start in range(0, len(ids) // 8 * 8, 8):  # 32 samples: a cycle is eight batches
        assert sorted(ids[start : start + 8].ravel()) == list(range(32))
    later, _ = training_dataset(record_set, "train", (8, 8), 4, initial_epoch=initial, **options)
    np.testing.assert_array_equal([x["sample_id"] for x, _ in later], ids[initial * in_epoch :])


def test_augmentation_follows_epoch_and_step_of_epochs_of_any_length(tiny_record_set):
    from fer_keras.data.augmentation import Augmentation

    record_set = RecordSet.load(tiny_record_set)
    augmentation = Augmentation(pad_and_crop=2, seed=0)
    options = {"epochs": 3, "seed": 0, "steps_per_epoch": 5}
    plain, _ = training_dataset(record_set, "train", (8, 8), 4, **options)
    changed, _ = training_dataset(record_set, "train", (8, 8), 4, augmentation=augmentation, **options)
    for number, ((x, _), (y, _)) in enumerate(zip(plain, changed, strict=True)):
        np.testing.assert_array_equal(y["image"], augmentation(x["image"], number // 5, number % 5))
