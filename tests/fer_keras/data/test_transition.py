import numpy as np
import pytest

from fer_keras.data.transition import TransitionError, default_transition, read_transition
from fer_keras.emotions import EMOTIONS, EMOTIONS_7, UnknownEmotionError

CLASSES = ("neutral", "sadness", "fear")


@pytest.mark.parametrize("class_names", [EMOTIONS, EMOTIONS_7])
def test_default_moves_every_class_to_one_other(class_names):
    matrix = default_transition(class_names)
    assert np.diag(matrix).sum() == 0
    assert matrix.sum(axis=1).tolist() == [1] * len(class_names)
    assert matrix[class_names.index("anger"), class_names.index("disgust")] == 1


def test_default_keeps_a_class_whose_partner_is_absent():
    assert default_transition(["neutral", "sadness", "fear"]).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_csv_in_another_order_with_aliases(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("true,Sad,afraid,neutral\nafraid,0.25,0.5,0.25\nSad,1,0,0\n\n")
    np.testing.assert_allclose(read_transition(file, CLASSES), [[1, 0, 0], [0, 1, 0], [0.25, 0.25, 0.5]])


def test_yaml_lists_only_what_moves(tmp_path):
    file = tmp_path / "t.yaml"
    file.write_text("fear: {sadness: 0.3, neutral: 0.1}\nsad: {neutral: 1}\n")
    np.testing.assert_allclose(read_transition(file, CLASSES), [[1, 0, 0], [1, 0, 0], [0.1, 0.3, 0.6]])


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("t.txt", "", "is a .csv, .yaml or .yml file"),
        ("t.csv", "", "expected a header"),
        ("t.csv", "true,fear\nfear,1,2\n", "row 'fear' has 3 fields, the header has 2"),
        ("t.csv", "true,fear,sad\nfear,0.5,x\n", "row 'fear', column 'sad': 'x' is not a probability"),
        ("t.csv", "true,fear,sad\nfear,0.5,0.4\n", "row 'fear' sums to 0.9"),
        ("t.csv", "true,sad,neutral\nfear,0.7,0.4\n", "row 'fear' sums to 1.1"),
        ("t.csv", "true,sad,sadness\nfear,0.5,0.5\n", "class 'sadness' is given twice"),
        ("t.yaml", "fear: {sad: -1}\n", "-1 is not a probability"),
        ("t.yaml", "fear: 0.3\n", "expected lines such as"),
        ("t.yaml", "fear: {sad\n", "not a YAML file"),
    ],
)
def test_bad_files_name_the_row(tmp_path, file, text, message):
    (tmp_path / file).write_text(text)
    with pytest.raises(TransitionError, match=message) as error:
        read_transition(tmp_path / file, CLASSES)
    assert file in str(error.value)


def test_a_class_that_the_set_lacks(tmp_path):
    (tmp_path / "t.yaml").write_text("fear: {anger: 0.3}\n")
    with pytest.raises(UnknownEmotionError, match="this set has only"):
        read_transition(tmp_path / "t.yaml", CLASSES)
