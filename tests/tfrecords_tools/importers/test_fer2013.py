"""FER2013's csv: pixels without loss, labels by name, malformed rows named."""

import gzip
import io

import numpy as np
import pytest
from PIL import Image

from fer_keras.data.records import read_columns
from tfrecords_tools.images import ImageError
from tfrecords_tools.importers.base import Rejected, Sample
from tfrecords_tools.importers.fer2013 import Fer2013, Fer2013FormatError, parse_pixels, pixels_to_png
from tfrecords_tools.writer import write_record_set

PIXELS = " ".join(["7"] * 2304)


def test_pixels_survive_unchanged():
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    png = pixels_to_png(" ".join(map(str, pixels.ravel())).encode())
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), pixels)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "0 pixel values instead of 2304"),
        (b"1 2 3", "3 pixel values instead of 2304"),
        (PIXELS.encode() + b" 1", "2305 pixel values"),
        (PIXELS.encode()[:-1] + b"256", "found 256"),
        (PIXELS.encode()[:-1] + b"99999999999999999999999", "found 9223372036854775807"),
        (PIXELS.encode()[:-1] + b"-1", "found '-'"),
        (PIXELS.encode()[:-1] + b"1.5", r"found '\.'"),
        (PIXELS.encode()[:-1] + b"abc", "found 'abc'"),
    ],
)
def test_bad_pixels_are_refused_with_the_reason(text, reason):
    with pytest.raises(ImageError, match=reason):
        parse_pixels(text)


def test_labels_and_splits(tiny_fer2013_csv):
    rows = list(Fer2013(tiny_fer2013_csv).rows())
    assert [row.split for row in rows] == ["Training"] * 12 + ["PublicTest"] * 4 + ["PrivateTest"] * 4
    assert rows[3].source == "fer2013.csv:3"
    names = [Fer2013.class_names[row.label] for row in rows[:7]]
    assert names == ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]


def test_gzip_is_recognised_by_content_and_gives_the_same_rows(tiny_fer2013_csv, tmp_path):
    zipped = tmp_path / "zipped.csv"
    zipped.write_bytes(gzip.compress(tiny_fer2013_csv.read_bytes()))
    for plain, packed in zip(Fer2013(tiny_fer2013_csv).rows(), Fer2013(zipped).rows(), strict=True):
        assert (plain.split, plain.label, plain.image()) == (packed.split, packed.label, packed.image())


def test_truncated_gzip_names_the_file(tiny_fer2013_csv, tmp_path):
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(tiny_fer2013_csv.read_bytes())[:-500])
    with pytest.raises(Fer2013FormatError, match=r"cut.csv.gz: damaged gzip file"):
        list(Fer2013(cut).rows())


def test_missing_column_names_it(tmp_path):
    (tmp_path / "other.csv").write_text("path,label\n")
    with pytest.raises(Fer2013FormatError, match=r"other.csv: no column pixels, usage"):
        list(Fer2013(tmp_path / "other.csv").rows())


def test_columns_are_found_by_name(tmp_path):
    (tmp_path / "kaggle.csv").write_text(
        f'\ufeffemotion, Usage, pixels\r\n3,PublicTest,"{PIXELS}"\r\n', encoding="utf-8"
    )
    (row,) = Fer2013(tmp_path / "kaggle.csv").rows()
    assert isinstance(row, Sample) and row.split == "PublicTest" and row.check() == 2304


def test_malformed_rows_are_rejected_one_by_one(tmp_path):
    lines = [
        f"0,{PIXELS},Training",
        f"7,{PIXELS},Training",
        "0,1 2,Training",
        f"0,{PIXELS}",
        f"0,{PIXELS},Test",
        '"',
        "",
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n" + "\n".join(lines) + f"\n1,{PIXELS},Training\n")
    rows = list(Fer2013(path).rows())
    assert [row for row in rows if isinstance(row, Rejected)] == [
        Rejected("fer2013.csv:1", "emotion is '7'; known: 0..6", "Training"),
        Rejected("fer2013.csv:3", "2 columns instead of 3"),
        Rejected("fer2013.csv:4", "Usage is 'Test'; known: Training, PublicTest, PrivateTest"),
        Rejected("fer2013.csv:5", "1 columns instead of 3"),
        Rejected("fer2013.csv:6", "1 columns instead of 3"),
    ]
    written = write_record_set(Fer2013(path), tmp_path / "set")
    assert read_columns(written, "Training", ["source"])["source"].tolist() == [b"fer2013.csv:0", b"fer2013.csv:7"]
    assert "fer2013.csv:2,2 pixel values instead of 2304" in (tmp_path / "set" / "quarantine.csv").read_text()
