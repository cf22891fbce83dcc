import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_keras.emotions import EMOTIONS
from fer_keras.inference.class_list import embedded_labels, format_labels, labels_beside, parse_labels
from fer_keras.inference.classifier import ModelLoadError


@given(st.lists(st.sampled_from(EMOTIONS), min_size=1, unique=True))
def test_round_trip(names):
    assert parse_labels(format_labels(names), "labels.txt") == tuple(names)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no class names in it"),
        ("neutral\nbored\n", "unknown emotion 'bored'"),
        ("happy\njoy\n", "twice: happiness"),
    ],
)
def test_bad_lists_name_the_file(text, message):
    with pytest.raises(ModelLoadError, match=rf"some/labels\.txt: .*{message}"):
        parse_labels(text, "some/labels.txt")


def test_not_text(tmp_path):
    (tmp_path / "labels.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelLoadError, match="not a text file in UTF-8"):
        labels_beside(tmp_path / "model.keras")


def test_nothing_to_find(tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(b"\x00" * 64)
    assert labels_beside(file) is None
    assert embedded_labels(file) is None


def test_damaged_list_inside_a_file(tmp_path):
    import zipfile

    file = tmp_path / "model.tflite"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("labels.txt", "neutral\nfear\n")
    assert embedded_labels(file) == ("neutral", "fear")
    file.write_bytes(file.read_bytes().replace(b"fear", b"gear"))
    with pytest.raises(ModelLoadError, match="damaged class list inside"):
        embedded_labels(file)
