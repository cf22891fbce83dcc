"""FER+: votes in canonical order, the majority protocol, the join by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_keras.data.records import read_columns
from fer_keras.emotions import EMOTIONS, UNLABELLED
from tfrecords_tools.importers.base import LeftOut, Rejected, Sample
from tfrecords_tools.importers.fer2013 import Fer2013FormatError
from tfrecords_tools.importers.ferplus import FerPlus, majority_label, plurality_label
from tfrecords_tools.writer import write_record_set

# neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF
HAPPY = [1, 8, 1, 0, 0, 0, 0, 0, 0, 0]
ANGRY = [0, 0, 0, 1, 7, 2, 0, 0, 0, 0]
TIED = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
UNKNOWN = [0, 1, 0, 0, 0, 1, 0, 0, 8, 0]
NO_FACE = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_majority_agrees_with_the_rule_spelt_out(votes):
    remaining = [vote for vote in votes if vote > 1]
    expected = None
    for index in range(8):
        if votes[index] > 1 and votes[index] > sum(remaining) / 2:
            expected = index
    assert majority_label(votes[:8], votes[8:]) == expected


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_a_majority_is_also_the_plurality(votes):
    label = majority_label(votes[:8], votes[8:])
    if label is not None:
        assert plurality_label(votes[:8], votes[8:]) == label


def test_majority_counts_single_votes_as_mistakes():
    # 5 of 10 votes are no majority, but 5 of the 7 that remain without the single votes are.
    assert majority_label([5, 1, 1, 1, 0, 0, 0, 0], [2, 0]) == 0
    assert majority_label([5, 2, 1, 0, 0, 0, 0, 0], [2, 0]) == 0
    assert majority_label([5, 2, 0, 0, 0, 0, 0, 0], [3, 0]) is None
    assert majority_label([1] * 8, [1, 1]) is None


def test_votes_are_kept_raw_and_in_canonical_order(write_fer2013_csv, write_votes_csv):
    importer = FerPlus(
        write_fer2013_csv(["Training"] * 4), write_votes_csv([("Training", v) for v in (ANGRY, TIED, UNKNOWN, HAPPY)])
    )
    angry, tied, unknown, happy = importer.rows()
    assert EMOTIONS[angry.label] == "anger" and EMOTIONS[happy.label] == "happiness"
    assert dict(zip(EMOTIONS, angry.votes)) == dict.fromkeys(EMOTIONS, 0) | {"sadness": 1, "anger": 7, "disgust": 2}
    assert dict(zip(EMOTIONS, happy.votes))["neutral"] == 1, "single votes are not cleaned away"
    assert tied == unknown == LeftOut("Training", "no majority for an emotion")


def test_protocol_all_keeps_every_row_with_a_face(write_fer2013_csv, write_votes_csv):
    votes = [("Training", v) for v in (ANGRY, TIED, UNKNOWN, NO_FACE)]
    rows = list(FerPlus(write_fer2013_csv(["Training"] * 4), write_votes_csv(votes), "all").rows())
    assert [row.label for row in rows[:3]] == [EMOTIONS.index("anger"), 0, UNLABELLED]
    assert rows[3] == LeftOut("Training", "no face")
    with pytest.raises(ValueError, match="unknown protocol 'most'; known: majority, all"):
        FerPlus("a", "b", "most")


def test_rows_are_joined_within_each_usage(write_fer2013_csv, write_votes_csv):
    images = write_fer2013_csv(["PublicTest", "Training", "PublicTest"])
    votes = write_votes_csv([("Training", HAPPY), ("PublicTest", ANGRY), ("PublicTest", HAPPY), ("PrivateTest", TIED)])
    rows = list(FerPlus(images, votes).rows())
    assert [(row.split, EMOTIONS[row.label], row.source) for row in rows] == [
        ("PublicTest", "anger", "fer2013.csv:0"),
        ("Training", "happiness", "fer2013.csv:1"),
        ("PublicTest", "happiness", "fer2013.csv:2"),
    ]


def test_a_file_of_private_test_rows_gives_that_one_split(write_fer2013_csv, write_votes_csv, tmp_path):
    images = write_fer2013_csv(["PrivateTest"] * 3, "private.csv")
    votes = write_votes_csv([("Training", TIED)] * 5 + [("PrivateTest", v) for v in (HAPPY, TIED, ANGRY)])
    written = write_record_set(FerPlus(images, votes), tmp_path / "set")
    assert list(written.splits) == ["PrivateTest"] and written.class_names == EMOTIONS
    columns = read_columns(written, "PrivateTest", ["sample_id", "label", "source"])
    np.testing.assert_array_equal(columns["label"], [EMOTIONS.index("happiness"), EMOTIONS.index("anger")])
    assert columns["source"].tolist() == [b"private.csv:0", b"private.csv:2"]
    assert written.provenance["left_out"] == {"PrivateTest": {"no majority for an emotion": 1}}
    only = write_votes_csv([("PrivateTest", v) for v in (HAPPY, TIED, ANGRY)], "private_votes.csv")
    assert write_record_set(FerPlus(images, only), tmp_path / "only").splits == written.splits


def test_different_counts_print_both(write_fer2013_csv, write_votes_csv):
    images, votes = write_fer2013_csv(["Training"] * 3), write_votes_csv([("Training", HAPPY)] * 4)
    with pytest.raises(Fer2013FormatError, match=r"Training: 3 rows in .*fer2013.csv, but 4 in .*fer2013new.csv"):
        FerPlus(images, votes)


def test_votes_that_are_no_numbers_are_quarantined(write_fer2013_csv, write_votes_csv):
    votes = write_votes_csv([("Training", ["x", *HAPPY[1:]]), ("Training", [-1, *HAPPY[1:]]), ("Training", HAPPY)])
    first, second, third = FerPlus(write_fer2013_csv(["Training"] * 3), votes).rows()
    assert first == Rejected("fer2013.csv:0", "votes are not whole numbers in fer2013new.csv", "Training")
    assert second == Rejected("fer2013.csv:1", "negative votes in fer2013new.csv", "Training")
    assert isinstance(third, Sample)


def test_a_votes_file_of_another_layout_names_the_columns(write_fer2013_csv, tmp_path):
    (tmp_path / "votes.csv").write_text("Usage,neutral\n")
    with pytest.raises(Fer2013FormatError, match=r"votes.csv: no column Image name, NF, anger"):
        FerPlus(write_fer2013_csv(["Training"]), tmp_path / "votes.csv")


@pytest.mark.realdata
def test_real_files_keep_the_published_numbers_of_rows(real_data):
    folder = real_data / "fer2013"
    counts = {}
    for row in FerPlus(folder / "fer2013.csv.gz", folder / "fer2013new.csv").rows():
        counts[row.split, type(row)] = counts.get((row.split, type(row)), 0) + 1
    assert counts[("Training", Sample)] == 25_060 and counts[("PublicTest", Sample)] == 3_199
    assert sum(counts.values()) == 32_298
