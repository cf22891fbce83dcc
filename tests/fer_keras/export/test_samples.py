import numpy as np
import pytest

from fer_keras.data.records import RecordSet, RecordSetError
from fer_keras.export.samples import read_samples


def test_whole_split_in_order(record_set, draw):
    records = RecordSet.load(record_set())
    images, labels = read_samples(records, "validation", (24, 20), 1000)
    expected_images, expected_labels = draw(120, 2)
    np.testing.assert_array_equal(images, expected_images)
    np.testing.assert_array_equal(labels, expected_labels)


def test_spread_over_the_split_and_resized(record_set, draw):
    records = RecordSet.load(record_set())
    images, labels = read_samples(records, "train", (12, 10), 3)
    assert images.shape == (3, 12, 10, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(labels, draw(120, 1)[1][[0, 60, 119]])


def test_unlabelled_records_are_left_out_on_request(record_set):
    records = RecordSet.load(record_set(unlabelled=50))
    assert len(read_samples(records, "train", (24, 20), 120)[0]) == 120
    images, labels = read_samples(records, "train", (24, 20), 120, labelled=True)
    assert len(images) == len(labels) == 70 and labels.min() >= 0


def test_errors(record_set):
    records = RecordSet.load(record_set(unlabelled=120))
    with pytest.raises(RecordSetError, match="'train' has no labelled records"):
        read_samples(records, "train", (24, 20), 10, labelled=True)
    with pytest.raises(RecordSetError, match="no split 'test'"):
        read_samples(records, "test", (24, 20), 10)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        read_samples(records, "train", (24, 20), 0)
