"""Every kind of damage is found and named; the leakage report counts identical images."""

import csv
import dataclasses
import hashlib
import json
import shutil

import pytest

from fer_keras.data.records import RecordSet, Shard, Split, encode_record
from tfrecords_tools.leakage import COLUMNS, LeakageReport, Occurrence
from tfrecords_tools.verification import verify


@pytest.fixture
def own_set(tiny_record_set, tmp_path):
    return RecordSet.load(shutil.copytree(tiny_record_set, tmp_path / "own"))


def problems_of(record_set):
    return [str(problem) for problem in verify(record_set).problems]


def rewrite_first_shard(record_set, change):
    """Writes the first train shard again after `change` of its list of records, with a matching checksum."""
    import tensorflow as tf

    shard = record_set.splits["train"].shards[0]
    file = record_set.directory / shard.file
    records = change(list(tf.data.TFRecordDataset(str(file)).as_numpy_iterator()))
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)
    written = Shard(shard.file, shard.num_examples, file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())
    split = Split("train", (written, *record_set.splits["train"].shards[1:]))
    changed = dataclasses.replace(record_set, splits={**record_set.splits, "train": split})
    changed.save()
    return changed


def test_a_sound_set(own_set):
    done = []
    found = verify(own_set, done.append)
    assert found.problems == ()
    assert found.records == sum(done) == 64
    assert found.leakage.groups == ()


def test_a_flipped_byte_is_found_by_checksum_and_by_crc(own_set):
    shard = own_set.splits["train"].shards[1]
    file = own_set.directory / shard.file
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    assert problems_of(own_set) == [
        f"{shard.file}: its bytes are not those that were written (SHA-256 differs)",
        f"{shard.file}, record {shard.num_examples - 1}: damaged (CRC or length is wrong); what follows cannot be read",
    ]


def test_a_missing_shard(own_set):
    shard = own_set.splits["test"].shards[0]
    (own_set.directory / shard.file).unlink()
    assert problems_of(own_set) == [f"{shard.file}: missing"]


def test_a_lost_record_also_breaks_the_numbering(own_set):
    found = problems_of(rewrite_first_shard(own_set, lambda records: records[:3] + records[4:]))
    assert any("15 records, records.json says 16" in problem for problem in found)
    assert any("record 3 (and 11 more): sample_id is not its position" in problem for problem in found)
    assert len(found) == 2


def sound_png():
    import tensorflow as tf

    return tf.io.encode_png(tf.zeros([4, 4, 3], tf.uint8)).numpy()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 8}, "label is outside -1..7"),
        ({"votes": [-1.0] + [0.0] * 7}, "votes are negative or not finite"),
        ({"votes": [0.0] * 7}, "does not fit the schema"),
        ({"valence": -2.0}, "valence or arousal is outside"),
        ({"sample_id": 7}, "sample_id is not its position"),
        ({"image": b"no image"}, "image cannot be decoded"),
    ],
)
def test_a_record_with_wrong_content(own_set, changes, message):
    arguments = {
        "image": sound_png(),
        "label": -1,
        "sample_id": 2,
        "votes": [0.0] * 8,
        "valence": float("nan"),
        "arousal": float("nan"),
        "source": "made up",
    }
    record = encode_record(**{**arguments, **changes})
    (problem,) = problems_of(rewrite_first_shard(own_set, lambda records: [*records[:2], record, *records[3:]]))
    assert f"{own_set.splits['train'].shards[0].file}, record 2" in problem
    assert message in problem


def test_metadata_that_disagrees(own_set):
    (own_set.directory / "label.labels.txt").write_text("anger\nneutral\n")
    (own_set.directory / "features.json").write_text("{}")
    info = json.loads((own_set.directory / "dataset_info.json").read_text())
    info["splits"][0]["shardLengths"][0] = "1"
    (own_set.directory / "dataset_info.json").write_text(json.dumps(info))
    found = problems_of(own_set)
    assert found[0].startswith("label.labels.txt: class list differs from records.json (neutral, happiness")
    assert found[1:] == [
        "features.json: damaged: not the JSON that TFDS writes",
        "dataset_info.json: splits or shard lengths differ from records.json",
    ]


def test_missing_metadata_and_unknown_classes(own_set):
    (own_set.directory / "dataset_info.json").unlink()
    renamed = dataclasses.replace(own_set, class_names=("boredom", *own_set.class_names[1:]))
    found = problems_of(renamed)
    assert "records.json: classes that are not in the vocabulary: boredom" in found
    assert "dataset_info.json: missing" in found


def test_leakage_counts_and_file(tmp_path):
    records = [
        (Occurrence("train", 0, "fear", "a"), b"1"),
        (Occurrence("train", 1, "fear", "b"), b"1"),
        (Occurrence("train", 2, "anger", "c"), b"2"),
        (Occurrence("train", 3, "anger", "d"), b"3"),
        (Occurrence("train", 4, "anger", "e"), b"3"),
        (Occurrence("test", 0, "fear", "f"), b"1"),
        (Occurrence("test", 1, "sadness", "g"), b"2"),
        (Occurrence("test", 2, "sadness", "h"), b"4"),
    ]
    report = LeakageReport.of(records)
    assert report.within() == {"train": 2}
    assert report.shared() == {("train", "test"): (3, 2)}
    assert report.conflicting() == 1
    report.write(tmp_path / "leakage.csv")
    with open(tmp_path / "leakage.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert rows == [
        ["0", "1", "train", "0", "fear", "a"],
        ["0", "1", "train", "1", "fear", "b"],
        ["0", "1", "test", "0", "fear", "f"],
        ["1", "1", "train", "2", "anger", "c"],
        ["1", "1", "test", "1", "sadness", "g"],
        ["2", "0", "train", "3", "anger", "d"],
        ["2", "0", "train", "4", "anger", "e"],
    ]
