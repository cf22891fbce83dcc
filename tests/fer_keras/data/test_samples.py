import numpy as np
import pytest

from fer_keras.data.pipeline import evaluation_dataset
from fer_keras.data.records import RecordSet, RecordSetError, Shard, Split, encode_record, shard_name
from fer_keras.data.samples import read_samples

SIZE = (24, 20)


@pytest.fixture(scope="module")
def whole(tiny_record_set):
    """The 32 training images and labels, as the pipeline for evaluation reads them."""
    batch = next(iter(evaluation_dataset(RecordSet.load(tiny_record_set), "train", SIZE, 32)))
    return batch[0]["image"].numpy(), batch[1]["label"].numpy()


@pytest.fixture
def partly_labelled(tmp_path):
    """A function (number with a label) -> a set of six grey images."""
    import tensorflow as tf

    def write(labelled: int) -> RecordSet:
        name = shard_name("few", "train", 0, 1)
        with tf.io.TFRecordWriter(str(tmp_path / name)) as writer:
            for index in range(6):
                png = tf.io.encode_png(np.full((*SIZE, 3), 40 * index, np.uint8)).numpy()
                label = index if index < labelled else -1
                writer.write(encode_record(png, label, index, [0.0] * 6, 0.0, 0.0, str(index)))
        splits = {"train": Split("train", (Shard(name, 6, (tmp_path / name).stat().st_size, ""),))}
        return RecordSet(tmp_path, "few", tuple("abcdef"), splits)

    return write


def test_whole_split_in_order(tiny_record_set, whole):
    images, labels = read_samples(RecordSet.load(tiny_record_set), "train", SIZE, 1000)
    np.testing.assert_array_equal(images, whole[0])
    np.testing.assert_array_equal(labels, whole[1])


def test_spread_over_the_split(tiny_record_set, whole):
    images, labels = read_samples(RecordSet.load(tiny_record_set), "train", SIZE, 3)
    assert images.shape == (3, *SIZE, 3) and images.dtype == np.uint8
    np.testing.assert_array_equal(images, whole[0][[0, 16, 31]])
    np.testing.assert_array_equal(labels, whole[1][[0, 16, 31]])


def test_unlabelled_records_are_left_out_on_request(partly_labelled):
    records = partly_labelled(4)
    assert len(read_samples(records, "train", SIZE, 6)[0]) == 6
    images, labels = read_samples(records, "train", SIZE, 6, labelled=True)
    assert labels.tolist() == [0, 1, 2, 3] and images[:, 0, 0, 0].tolist() == [0, 40, 80, 120]


def test_errors(partly_labelled):
    records = partly_labelled(0)
    with pytest.raises(RecordSetError, match="'train' has no labelled records"):
        read_samples(records, "train", SIZE, 10, labelled=True)
    with pytest.raises(RecordSetError, match="no split 'test'"):
        read_samples(records, "test", SIZE, 10)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        read_samples(records, "train", SIZE, 0)
