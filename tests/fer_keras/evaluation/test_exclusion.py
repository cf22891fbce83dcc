import numpy as np
import pytest

from fer_keras.evaluation.exclusion import ExclusionError, excluded_samples


@pytest.fixture
def evaluation(make_evaluation):
    return make_evaluation(samples=10)


@pytest.fixture
def listed(evaluation, tmp_path):
    def run(text: str) -> list[int]:
        file = tmp_path / "leakage.csv"
        file.write_text(text)
        return np.flatnonzero(excluded_samples(file, evaluation)).tolist()

    return run


def test_by_sample_id(listed):
    assert listed("sample_id\n3\n7\n3\n") == [3, 7]


def test_by_source(listed):
    assert listed("note,source\nx,img/2.png\ny,img/9.png\nz,elsewhere.png\n") == [2, 9]


def test_sample_id_goes_before_source(listed):
    assert listed("sample_id,source\n3,img/2.png\n") == [3]


def test_rows_of_other_splits_do_not_count_even_if_out_of_range(listed):
    assert listed("split,sample_id\ntest,4\ntrain,5\ntrain,25000\n") == [4]


def test_a_leakage_report_without_the_images_that_only_repeat_within_their_split(evaluation, tmp_path):
    from tfrecords_tools.leakage import LeakageReport, Occurrence

    across = [Occurrence("train", 7, "fear", "a.png"), Occurrence("test", 2, "anger", "b.png")]
    within = [Occurrence("test", 5, "fear", "c.png"), Occurrence("test", 6, "fear", "d.png")]
    report = LeakageReport.of([(row, b"one") for row in across] + [(row, b"two") for row in within])
    report.write(tmp_path / "leakage.csv")
    assert np.flatnonzero(excluded_samples(tmp_path / "leakage.csv", evaluation)).tolist() == [2]


def test_a_byte_order_mark_is_no_part_of_the_header(listed):
    assert listed("\ufeffsample_id\n0\n") == [0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na,b\n", "no column sample_id or source; it has: image, label"),
        ("", "it has: nothing"),
        ("sample_id\n1\nx\n", "line 3: sample_id is 'x', not a whole number"),
        ("sample_id\n10\n", r"line 2: sample_id is 10, but split 'test' has the samples 0\.\.9"),
        ("sample_id\n-1\n", "line 2: sample_id is -1"),
        ("source\nother.png\n", r"lists no sample of split 'test' \(1 rows read\)"),
        ("split,sample_id\ntrain,1\n", "lists no sample of split 'test'"),
    ],
)
def test_what_cannot_be_used_is_named(listed, text, message):
    with pytest.raises(ExclusionError, match=rf"leakage\.csv.*{message}"):
        listed(text)


def test_a_missing_file_is_named(evaluation, tmp_path):
    with pytest.raises(ExclusionError, match=r"none\.csv: no such file"):
        excluded_samples(tmp_path / "none.csv", evaluation)
