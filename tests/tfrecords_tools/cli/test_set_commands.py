"""split, verify and inspect on the command line."""

import csv
import shutil

import pytest
from PIL import Image

from fer_keras.data.records import RecordSet
from fer_keras.emotions import EMOTIONS


def test_a_split_that_is_in_the_way(tool, own_set, tmp_path):
    # The tiny set has a validation split of its own, which would be in the way.
    result = tool("split", own_set, "--out", tmp_path / "out", "--validation", "0.25")
    assert result.code == 1
    assert "already has a split 'validation' beside 'train'" in result.err
    result = tool("split", own_set, "--out", own_set, "--validation", "0.25")
    assert result.code == 2
    assert "another folder" in result.err


def test_verify_a_sound_set(tool, own_set):
    result = tool("verify", own_set)
    assert result.code == 0, result.out + result.err
    assert "64 records are sound" in result.out
    assert not (own_set / "leakage.csv").exists()


def test_verify_a_broken_set(tool, own_set):
    shard = next(own_set.glob("*-train.tfrecord-00000-*"))
    shard.write_bytes(shard.read_bytes()[:-5])
    result = tool("verify", own_set)
    assert result.code == 1
    assert f"broken: {shard.name}, record 15: damaged" in result.out
    assert "2 problems found" in result.err


@pytest.fixture
def write_table(tiny_csv, tmp_path):
    """A function (rows of path, label, split) -> a csv beside copies of the tiny set's images."""

    def write(rows):
        folder = shutil.copytree(tiny_csv.parent, tmp_path / "images")
        with open(folder / "table.csv", "w", newline="") as file:
            csv.writer(file).writerows([("path", "label", "split"), *rows])
        return folder / "table.csv"

    return write


def test_identical_images_are_a_warning_and_with_strict_an_error(tool, write_table, tmp_path):
    out = tmp_path / "out"
    table = write_table([("00.png", "neutral", "train"), ("01.png", "happiness", "train"), ("00.png", "fear", "test")])
    result = tool("csv", table, "--out", out)
    assert result.code == 0, result.err
    result = tool("verify", out)
    assert result.code == 0, result.out + result.err
    assert "1 records of test show an image that is also in train (1 records)" in result.out
    assert "1 repeated images have more than one label" in result.out
    assert len((out / "leakage.csv").read_text().splitlines()) == 3
    result = tool("verify", out, "--strict", "--leakage", tmp_path / "elsewhere.csv")
    assert result.code == 1
    assert "1 images occur more than once" in result.err
    assert (tmp_path / "elsewhere.csv").read_text() == (out / "leakage.csv").read_text()


def test_inspect(tool, own_set, tmp_path):
    tool("add-noise", own_set, "--rate", "0.5")
    sheet = tmp_path / "sheet.png"
    result = tool("inspect", own_set, "--contact-sheet", sheet, "--split", "test", "--per-class", "2")
    assert result.code == 0, result.err
    for text in ("surprise", "4 (12.5%)", "48x48: 32", "PNG: 16", "100.0%", "noisy_labels-symmetric-0.5-seed0"):
        assert text in result.out
    assert Image.open(sheet).size == (110 + 200, 8 * 100 + 4)
    assert tool("inspect", own_set, "--split", "dev").code == 1


def test_split_writes_a_set_that_verifies(tool, write_table, tmp_path):
    table = write_table([(f"{index:02d}.png", EMOTIONS[index % 8], "all") for index in range(64)])
    assert tool("csv", table, "--out", tmp_path / "whole").code == 0
    arguments = ["--split", "all", "--validation", "0.25", "--train-size", "24", "--seed", "1"]
    result = tool("split", tmp_path / "whole", "--out", tmp_path / "divided", *arguments)
    assert result.code == 0, result.err
    divided = RecordSet.load(tmp_path / "divided")
    assert {name: split.num_examples for name, split in divided.splits.items()} == {"train": 24, "validation": 16}
    assert tool("verify", tmp_path / "divided").code == 0


@pytest.mark.parametrize("command", ["split", "verify", "inspect", "add-noise", "add-valence-arousal", "add-neighbors"])
def test_help_teaches_with_an_example(tool, command):
    result = tool(command, "--help")
    assert result.code == 0
    assert f"Example: fer-tfrecords {command} " in result.out
