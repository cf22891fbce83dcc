"""csv tables: columns by name, classes by name, LDLVA's own csv."""

import math

import pytest

from fer_keras.emotions import EMOTIONS, EMOTIONS_7, UNLABELLED
from tfrecords_tools.importers.base import LeftOut, Rejected
from tfrecords_tools.importers.csv_table import CsvLayoutError, CsvTable


@pytest.fixture
def table(tmp_path):
    """A function (*lines) -> path of a csv."""

    def write(*lines):
        path = tmp_path / "faces.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_path_and_label(table, tmp_path):
    importer = CsvTable(table("path,label", "a/1.png,Happy", "2.png,sadness", "3.png,"))
    happy, sad, unlabelled = importer.rows()
    assert (importer.name, importer.class_names, importer.num_rows) == ("faces", EMOTIONS_7, 3)
    assert (happy.split, happy.source, happy.label) == ("train", "a/1.png", EMOTIONS.index("happiness"))
    assert (sad.label, unlabelled.label) == (EMOTIONS.index("sadness"), UNLABELLED)
    assert happy.votes is None and math.isnan(happy.valence) and math.isnan(happy.arousal)
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "1.png").write_bytes(b"content")
    assert next(CsvTable(tmp_path / "faces.csv", tmp_path / "root").rows()).image() == b"content"


def test_splits_positions_and_votes(table):
    path = table(
        "path,label,split,valence,arousal,votes_sad,votes_Happy",
        "1.png,happy,test,0.5,-0.25,1,9",
        "2.png,sad,,,,,",
    )
    first, second = CsvTable(path, split_name="rest").rows()
    assert (first.split, first.valence, first.arousal) == ("test", 0.5, -0.25)
    assert list(first.votes) == [0, 9, 1, 0, 0, 0, 0]
    assert second.split == "rest" and math.isnan(second.valence) and not any(second.votes)


def test_votes_as_a_list(table):
    seven, none = CsvTable(table("path,label,votes", "1.png,happy,1;8;0;0;0;0;1", "2.png,sad,")).rows()
    assert list(seven.votes) == [1, 8, 0, 0, 0, 0, 1] and none.votes is None
    eight = CsvTable(table("path,label,votes", "1.png,happy,1;8;0;0;0;0;0;1"))
    assert eight.class_names == EMOTIONS


def test_ldlva_csv_maps_numbers_by_name_and_minus_two_to_unknown(table):
    header = "subDirectory_filePath,expression,valence,arousal,knn"
    rows = [f"{number}.jpg,{number},0.1,0.2,1;2;3" for number in range(7)]
    importer = CsvTable(table(header, *rows, "7.jpg,0,-2,-2,0;1"))
    samples = list(importer.rows())
    names = [EMOTIONS[sample.label] for sample in samples[:7]]
    assert names == ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger"]
    assert [sample.source for sample in samples] == [f"{number}.jpg" for number in range(8)], "row order is kept"
    assert math.isnan(samples[7].valence) and math.isnan(samples[7].arousal) and samples[0].valence == 0.1
    assert "knn is not read" in importer.notes()[0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",happy,0,0", "no path inside the root folder"),
        ("../1.png,happy,0,0", "no path inside the root folder"),
        ("/etc/1.png,happy,0,0", "no path inside the root folder"),
        ("1.png,happy,0", "not 4 columns"),
        ("1.png,happy,0,0,0", "not 4 columns"),
        ("1.png,happy,1.5,0", r"valence is 1.5, outside of \[-1, 1\]"),
        ("1.png,happy,0,-2", r"arousal is -2, outside of \[-1, 1\]"),
        ("1.png,happy,0,inf", "arousal is inf"),
        ("1.png,happy,high,0", "valence: 'high' is not a number"),
    ],
)
def test_malformed_rows_are_rejected_with_row_and_reason(table, row, reason):
    rejected, sound = CsvTable(table("path,label,valence,arousal", row, "2.png,sad,0,0")).rows()
    assert isinstance(rejected, Rejected) and rejected.split == "train" and sound.source == "2.png"
    with pytest.raises(ValueError, match=reason + r".*\(row 2 of faces.csv\)"):
        raise ValueError(rejected.reason)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ("1;2", "2 votes for 7"),
        ("1;2;3;4;5;6;-1", "not negative"),
        ("1;2;3;4;5;6;nan", "not negative"),
        ("1;2;3;4;5;6;x", "'x' is not a number"),
    ],
)
def test_bad_votes_are_rejected(table, votes, reason):
    (row,) = CsvTable(table("path,label,votes", f"1.png,happy,{votes}")).rows()
    assert isinstance(row, Rejected) and reason in row.reason


def test_ldlva_numbers_outside_of_the_list_are_rejected(table):
    (row,) = CsvTable(table("subDirectory_filePath,expression,valence,arousal,knn", "1.jpg,8,0,0,1")).rows()
    assert row.reason == "expression is '8'; known: 0..7 (row 2 of faces.csv)"


def test_unknown_class_names_file_row_and_the_known_ones(table):
    with pytest.raises(CsvLayoutError, match=r"faces.csv: row 3: unknown emotion 'bored'; known: neutral, happiness"):
        CsvTable(table("path,label", "1.png,happy", "2.png,bored"))
    with pytest.raises(CsvLayoutError, match=r"column votes_bored: unknown emotion"):
        CsvTable(table("path,label,votes_bored", "1.png,happy,1"))


def test_missing_columns_are_named(table):
    with pytest.raises(CsvLayoutError, match=r"faces.csv: no column label; expected path,label"):
        CsvTable(table("path,emotion", "1.png,happy"))


def test_seven_classes_leave_contempt_out(table):
    path = table("path,label", "1.png,contempt", "2.png,happy")
    assert CsvTable(path).class_names == EMOTIONS
    assert next(CsvTable(path, num_classes=7).rows()) == LeftOut("train", "contempt is not one of the 7 classes")
    assert CsvTable(table("path,label", "2.png,happy"), num_classes=8).class_names == EMOTIONS


def test_binary_junk_is_no_csv(tmp_path):
    (tmp_path / "junk.csv").write_bytes(bytes(range(256)))
    with pytest.raises(CsvLayoutError, match=r"junk.csv: not a csv in UTF-8"):
        CsvTable(tmp_path / "junk.csv")
