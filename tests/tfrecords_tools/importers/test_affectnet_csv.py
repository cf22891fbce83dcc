"""AffectNet's csv lists, sound and broken."""

import gc
import io
import math
import shutil
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from fer_keras.emotions import EMOTIONS, EMOTIONS_7, UNLABELLED
from tfrecords_tools.importers.affectnet_csv import AffectNetCsv, AffectNetLayoutError

IN_AFFECTNETS_ORDER = (
    "neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt",
)  # fmt: skip
REST = "0,0,9,9,1;2"


@pytest.fixture
def root(layouts):
    return layouts.affectnet_csv()


def list_file(root, name="training.csv"):
    return root / "Manually_Annotated_file_lists" / name


def test_a_list_with_and_a_list_without_a_header(root, outcome):
    importer = AffectNetCsv(root)
    samples, rejected, left_out = outcome(importer)
    assert importer.num_rows == 13 and not rejected and importer.class_names == EMOTIONS
    assert [EMOTIONS[sample.label] for sample in samples[:8]] == list(IN_AFFECTNETS_ORDER)
    assert [(sample.split, sample.source) for sample in samples[8:]] == [
        ("validation", "9/0.jpg"),
        ("validation", "9/1.jpg"),
    ]
    assert left_out == [f"train: expression {number} ({name})" for number, name in
                        ((8, "None"), (9, "Uncertain"), (10, "Non-Face"))]  # fmt: skip
    assert (samples[2].valence, samples[2].arousal) == (0.1, -0.1)
    assert samples[2].image() == (root / "Manually_Annotated_Images" / "2" / "2.jpg").read_bytes()
    assert importer.notes() == ["whole photographs are written; --crop cuts the faces out"]


def test_seven_classes_and_unlabelled(root, outcome):
    importer = AffectNetCsv(root, num_classes=7, keep_unlabelled=True, validation_name="test")
    samples, _, left_out = outcome(importer)
    assert importer.class_names == EMOTIONS_7
    assert left_out == ["train: contempt is not one of the 7 classes"]
    unlabelled = [sample for sample in samples if sample.label == UNLABELLED]
    assert [sample.source for sample in unlabelled] == ["2/8.jpg", "0/9.jpg", "1/10.jpg"]
    assert all(math.isnan(sample.valence) and math.isnan(sample.arousal) for sample in unlabelled), "-2 is unknown"
    assert {sample.split for sample in samples} == {"train", "test"}


def test_crops_are_the_face_boxes(root, outcome):
    samples = outcome(AffectNetCsv(root, crop=True))[0]
    for index, sample in enumerate(samples[:8]):
        face = Image.open(io.BytesIO(sample.image()))
        assert face.size == (30, 40 - index) and face.format == "JPEG"
        assert np.abs(np.asarray(face).astype(int)[4:-4, 4:-4] - (20 * index, 10, 255 - 20 * index)).max() <= 12
    assert outcome(AffectNetCsv(root, crop=True, margin=0.1))[0][0].check() == 36 * 48


@pytest.mark.parametrize(
    "folder", ["Manually_Annotated_compressed/Manually_Annotated_Images", "Manually_Annotated", "elsewhere"]
)
def test_the_images_are_found_where_archives_put_them(layouts, tmp_path, outcome, folder):
    root = layouts.affectnet_csv(images=folder)
    if folder == "elsewhere":
        with pytest.raises(AffectNetLayoutError, match=r"none of the first 13 images is in .*name their folder with"):
            AffectNetCsv(root)
        shutil.move(root / folder, tmp_path / "photos")
        assert len(outcome(AffectNetCsv(root, images=tmp_path / "photos"))[0]) == 10
    else:
        (root / "Manually_Annotated_Images").mkdir()  # an empty folder of a likelier name does not mislead
        assert len(outcome(AffectNetCsv(root))[0]) == 10


def test_null_and_undefined_positions_are_unknown(layouts, outcome):
    positions = ["NULL,NULL", "-2,0.5", ",0.5", "-2.0,-2.0"]
    root = layouts.affectnet_csv([f"0/{index}.jpg,{REST},0,{text}" for index, text in enumerate(positions, 11)])
    for index in range(11, 15):
        layouts.photo(root / "Manually_Annotated_Images" / "0" / f"{index}.jpg", {})
    samples, rejected, _ = outcome(AffectNetCsv(root))
    assert not rejected
    found = [(sample.valence, sample.arousal) for sample in samples[8:12]]
    np.testing.assert_array_equal(found, [(math.nan, math.nan), (math.nan, 0.5), (math.nan, 0.5), (math.nan,) * 2])


def test_broken_rows_are_rejected_by_name(layouts, outcome):
    root = layouts.affectnet_csv(
        [
            f"0/0.jpg,{REST},0,0.0,0.0",
            f"1/1.jpg,{REST},3,0.05,-0.05",
            f"0/11.jpg,{REST},11,0,0",
            f"0/12.jpg,{REST},NULL,0,0",
            f"0/13.jpg,{REST},1,1.5,0",
            f"0/14.jpg,{REST},1,0",
            f"../15.jpg,{REST},1,0,0",
            f'"0/16.jpg,{REST},1,0,0',
            f"0/17\0.jpg,{REST},1,0,0",
            f",{REST},1,0,0",
            "",
        ]
    )
    samples, rejected, left_out = outcome(AffectNetCsv(root))
    assert len(samples) == 10 and "train: listed twice" in left_out
    where = "of training.csv)"
    assert rejected == {
        "1/1.jpg": f"line 3 has the same image with another annotation; delete one of them (line 14 {where}",
        "0/11.jpg": f"expression is 11; known: 0..10 (line 15 {where}",
        "0/12.jpg": f"expression: 'NULL' is not a number (line 16 {where}",
        "0/13.jpg": f"valence is 1.5, outside of [-1, 1] (line 17 {where}",
        "training.csv:18": f"8 columns instead of 9 (line 18 {where}",
        "../15.jpg": f"no path inside the root folder (line 19 {where}",
        "0/16.jpg": "cannot be read: No such file or directory",
        "training.csv:22": f"no path inside the root folder (line 22 {where}",
        "0/17\0.jpg": f"no path inside the root folder (line 21 {where}",
    }


def test_broken_boxes_matter_only_to_crops(layouts, outcome):
    root = layouts.affectnet_csv(
        [
            "0/11.jpg,NULL,NULL,NULL,NULL,1;2,0,0,0",
            "0/12.jpg,5,5,0,9,1;2,0,0,0",
            "0/13.jpg,500,5,9,9,1;2,0,0,0",
            "0/14.jpg,NULL,NULL,NULL,NULL,NULL,10,-2,-2",
        ]
    )
    for index in range(11, 15):
        layouts.photo(root / "Manually_Annotated_Images" / "0" / f"{index}.jpg", {})
    assert len(outcome(AffectNetCsv(root))[0]) == 13
    samples, rejected, left_out = outcome(AffectNetCsv(root, crop=True))
    assert len(samples) == 10 and len(left_out) == 4
    assert rejected == {
        "0/11.jpg": "face_x: 'NULL' is not a number (line 13 of training.csv)",
        "0/12.jpg": "the face box (5, 5, 5, 14) has no area (line 14 of training.csv)",
        "0/13.jpg": "the face box (500, 5, 509, 14) is outside of the 120x80 photograph",
    }


def test_byte_order_mark_line_ends_blanks_and_column_order_do_not_matter(root, outcome):
    before = outcome(AffectNetCsv(root))[0]
    for name in ("training.csv", "validation.csv"):
        text = list_file(root, name).read_text().replace(",", " , ").replace("\n", " \r\n")
        list_file(root, name).write_bytes(("\ufeff" + text).encode())
    assert_same(outcome(AffectNetCsv(root))[0], before)
    lines = [line.strip().split(",") for line in list_file(root).read_text(encoding="utf-8-sig").splitlines()]
    turned = [",".join(["index" if not row else str(row), *fields[::-1]]) for row, fields in enumerate(lines)]
    list_file(root).write_text("\n".join(turned))
    assert_same(outcome(AffectNetCsv(root))[0], before)


def assert_same(samples, before):
    key = ("split", "source", "label", "valence", "arousal")
    assert [[getattr(sample, name) for name in key] for sample in samples] == [
        [getattr(sample, name) for name in key] for sample in before
    ]


def test_a_missing_list_is_mentioned(root, outcome):
    list_file(root).unlink()
    importer = AffectNetCsv(root, crop=True)
    assert len(outcome(importer)[0]) == 2
    assert importer.notes() == ["only validation.csv is there, the other list is missing"]


def test_lists_in_another_layout(root):
    list_file(root).write_text("path,label\na.jpg,1\n")
    with pytest.raises(AffectNetLayoutError, match=r"training.csv: neither a header nor a row of AffectNet"):
        AffectNetCsv(root)
    list_file(root).write_text("subDirectory_filePath,expression\na.jpg,1\n")
    with pytest.raises(AffectNetLayoutError, match="no column face_x, face_y, face_width, face_height, valence, arous"):
        AffectNetCsv(root)
    list_file(root).write_text("")
    with pytest.raises(AffectNetLayoutError, match="neither a header nor a row"):
        AffectNetCsv(root)
    with pytest.raises(AffectNetLayoutError, match=r"no training.csv or validation.csv here or in Manually_Annotated_"):
        AffectNetCsv(root / "Manually_Annotated_Images")
    with pytest.raises(ValueError, match="two parts of the data set would become the split 'train'"):
        AffectNetCsv(root, validation_name="train")


def test_reading_is_linear_and_keeps_no_rows(layouts):
    root = layouts.affectnet_csv()
    landmarks = ";".join("123.25;456.75" for _ in range(68))
    with open(list_file(root), "a") as file:
        file.writelines(f"5/{index}.jpg,0,0,9,9,{landmarks},1,0.5,0.5\n" for index in range(20_000))
    importer = AffectNetCsv(root)
    gc.collect()
    gc.freeze()  # with all that other tests have loaded, cycles would be collected too seldom
    tracemalloc.start()
    rows = sum(1 for _ in importer.rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gc.unfreeze()
    assert rows == importer.num_rows == 20_013
    assert peak < 450 * rows, "rows of 1000 bytes are forgotten, but for what finds repeated ones"
