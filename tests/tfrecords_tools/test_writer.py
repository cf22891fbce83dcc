"""Record sets on disk: readable, complete, resumable, never mixed."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fer_keras.data.records import RecordSet, read_columns
from fer_keras.emotions import EMOTIONS
from tfrecords_tools.images import ImageError
from tfrecords_tools.importers.base import Importer, LeftOut, Rejected, Sample
from tfrecords_tools.importers.csv_table import CsvTable
from tfrecords_tools.importers.fer2013 import Fer2013
from tfrecords_tools.plan import StrictError
from tfrecords_tools.shards import InputChangedError
from tfrecords_tools.writer import UNFINISHED, WriteError, WriteOptions, write_record_set


def checksums(directory):
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


def broken():
    raise ImageError("broken on purpose")


class Mixed(Importer):
    """Twenty rows in two splits: every 5th is rejected, every 7th has a broken image, every 9th is left out."""

    name = "mixed"
    class_names = EMOTIONS

    def __init__(self, png: bytes):
        self.png = png

    def inputs(self):
        return {"rows": "20"}

    def rows(self):
        for index in range(1, 21):
            split, source = ("even", "odd")[index % 2], f"row:{index}"
            if index % 5 == 0:
                yield Rejected(source, "malformed", split if index != 20 else None)
            elif index % 9 == 0:
                yield LeftOut(split, "no majority")
            else:
                yield Sample(split, broken if index % 7 == 0 else lambda: self.png, index % 8, source)


@pytest.fixture
def png(tiny_csv):
    return (tiny_csv.parent / "00.png").read_bytes()


def test_sample_ids_stay_dense_when_rows_are_rejected_or_left_out(png, tmp_path):
    written = write_record_set(Mixed(png), tmp_path / "set", WriteOptions(num_shards=3, workers=2))
    columns = read_columns(written, "odd", ["sample_id", "source", "label", "votes", "image", "valence"])
    assert columns["source"].tolist() == [f"row:{i}".encode() for i in (1, 3, 11, 13, 17, 19)]
    np.testing.assert_array_equal(columns["sample_id"], np.arange(6))
    np.testing.assert_array_equal(columns["label"], [1, 3, 3, 5, 1, 3])
    assert columns["votes"].shape == (6, 8) and not columns["votes"].any()
    assert np.isnan(columns["valence"]).all()
    assert set(columns["image"]) == {png}, "images are kept as encoded"
    assert [shard.num_examples for shard in written.split("odd").shards] == [2, 2, 2]


def test_quarantine_lists_source_and_reason_in_row_order(png, tmp_path):
    written = write_record_set(Mixed(png), tmp_path / "set")
    assert (tmp_path / "set" / "quarantine.csv").read_text().splitlines() == [
        "source,reason",
        "row:5,malformed",
        "row:7,broken on purpose",
        "row:10,malformed",
        "row:14,broken on purpose",
        "row:15,malformed",
        "row:20,malformed",
    ]
    assert written.provenance["quarantined"] == {"odd": 3, "even": 2, "": 1}
    assert written.provenance["left_out"] == {"odd": {"no majority": 1}, "even": {"no majority": 1}}


def test_strict_stops_at_the_first_row_and_says_why(png, tmp_path):
    with pytest.raises(StrictError, match=r"^row:5: malformed$"):
        write_record_set(Mixed(png), tmp_path / "set", WriteOptions(strict=True))
    with pytest.raises(ValueError, match="no record set here"):
        RecordSet.load(tmp_path / "set")


def test_number_of_threads_does_not_change_a_byte(png, tmp_path):
    for workers in (1, 4):
        write_record_set(Mixed(png), tmp_path / str(workers), WriteOptions(num_shards=2, workers=workers))
    assert checksums(tmp_path / "1") == checksums(tmp_path / "4")


def test_tfds_reads_it(tiny_record_set, tiny_csv):
    import tensorflow_datasets as tfds
    from PIL import Image

    builder = tfds.builder_from_directory(str(tiny_record_set))
    assert builder.info.features["label"].names == list(EMOTIONS)
    assert {name: info.num_examples for name, info in builder.info.splits.items()} == {
        "train": 32,
        "validation": 16,
        "test": 16,
    }
    examples = list(builder.as_dataset(split="validation").as_numpy_iterator())
    assert sorted(example["sample_id"] for example in examples) == list(range(16))
    for example in examples:
        expected = np.asarray(Image.open(tiny_csv.parent / example["source"].decode()))
        np.testing.assert_array_equal(example["image"], expected)
        assert example["votes"].sum() == 10 and example["votes"].argmax() == example["label"]
        assert -1 <= example["valence"] <= 1 and example["arousal"].dtype == np.float32


def test_a_finished_set_is_left_alone_unless_overwritten(tiny_csv, tiny_record_set):
    before = checksums(tiny_record_set)
    write_record_set(CsvTable(tiny_csv), tiny_record_set, WriteOptions(num_shards=2))
    with pytest.raises(WriteError, match="--overwrite replaces it"):
        write_record_set(CsvTable(tiny_csv), tiny_record_set, WriteOptions(num_shards=1))
    assert checksums(tiny_record_set) == before


def test_overwrite_leaves_nothing_of_the_old_set(png, tiny_csv, tmp_path):
    write_record_set(CsvTable(tiny_csv), tmp_path / "set", WriteOptions(num_shards=3))
    write_record_set(Mixed(png), tmp_path / "set", WriteOptions(overwrite=True))
    write_record_set(Mixed(png), tmp_path / "fresh")
    assert checksums(tmp_path / "set") == checksums(tmp_path / "fresh")


def test_a_foreign_folder_is_not_touched(png, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(WriteError, match="not empty, and no record set"):
            write_record_set(Mixed(png), tmp_path, WriteOptions(overwrite=overwrite))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_to_write_is_an_error_that_points_to_the_quarantine(tmp_path, write_fer2013_csv):
    path = write_fer2013_csv(["Elsewhere"])
    with pytest.raises(WriteError, match=r"no image to write: 1 rejected .*quarantine.csv"):
        write_record_set(Fer2013(path), tmp_path / "set")


class Interrupted(Mixed):
    """Fails while the second shard is written."""

    def __init__(self, png, fail):
        super().__init__(png)
        self.fail, self.calls = fail, 0

    def rows(self):
        self.calls += 1
        for row in super().rows():
            if self.fail and self.calls == 2 and row == Rejected("row:15", "malformed", "odd"):
                raise OSError("disk gone")
            yield row


def test_unfinished_work_is_refused_with_other_options_or_input(png, tmp_path):
    options = WriteOptions(num_shards=4, workers=1)
    with pytest.raises(OSError, match="disk gone"):
        write_record_set(Interrupted(png, True), tmp_path / "set", options)
    with pytest.raises(WriteError, match=r"other options or input \(num_shards\)"):
        write_record_set(Mixed(png), tmp_path / "set", WriteOptions(num_shards=3))
    changed = Mixed(png)
    changed.inputs = lambda: {"rows": "21"}
    with pytest.raises(WriteError, match=r"other options or input \(inputs\)"):
        write_record_set(changed, tmp_path / "set", options)
    finished = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").glob("*.tfrecord-*")}
    assert finished, "some shards were finished before the interruption"
    write_record_set(Mixed(png), tmp_path / "set", options)
    assert {name: (tmp_path / "set" / name).stat().st_mtime_ns for name in finished} == finished
    write_record_set(Mixed(png), tmp_path / "fresh", options)
    assert checksums(tmp_path / "set") == checksums(tmp_path / "fresh")


def test_an_image_that_vanishes_between_the_passes_is_an_error(png, tmp_path):
    answers = iter([png])

    def vanishing():
        for answer in answers:
            return answer
        raise ImageError("cannot be read: gone")

    class OneRow(Mixed):
        def rows(self):
            yield Sample("train", vanishing, 0, "row:3")

    with pytest.raises(InputChangedError, match="row:3: cannot be read: gone, but was sound"):
        write_record_set(OneRow(png), tmp_path / "set")


CONVERT = """
import sys, time
from tfrecords_tools import shards
from tfrecords_tools.importers.fer2013 import Fer2013
from tfrecords_tools.writer import WriteOptions, write_record_set
write = shards._write_shard
def slowly(*arguments):
    time.sleep(0.3)
    return write(*arguments)
shards._write_shard = slowly
write_record_set(Fer2013(sys.argv[1]), sys.argv[2], WriteOptions(num_shards=6, workers=2))
"""


def test_kill_and_resume_gives_identical_bytes_and_rewrites_no_finished_shard(tiny_fer2013_csv, tmp_path):
    directory = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", CONVERT, str(tiny_fer2013_csv), str(directory)])
    journal = directory / UNFINISHED
    deadline = time.monotonic() + 240
    while len(list(journal.glob("*.tfrecord-*.json"))) < 3 and time.monotonic() < deadline:
        assert process.poll() is None, "finished before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = [path.name.removesuffix(".json") for path in journal.glob("*.tfrecord-*.json")]
    times = {name: (directory / name).stat().st_mtime_ns for name in finished}
    assert 3 <= len(finished) < 14 and not (directory / "records.json").exists()

    write_record_set(Fer2013(tiny_fer2013_csv), directory, WriteOptions(num_shards=6))
    write_record_set(Fer2013(tiny_fer2013_csv), tmp_path / "whole", WriteOptions(num_shards=6, workers=1))
    assert checksums(directory) == checksums(tmp_path / "whole")
    assert {name: (directory / name).stat().st_mtime_ns for name in finished} == times
