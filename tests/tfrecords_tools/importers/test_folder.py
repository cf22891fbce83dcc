"""Class folders, with and without splits."""

import csv

import pytest
from PIL import Image

from fer_keras.emotions import EMOTIONS, EMOTIONS_7
from tfrecords_tools.importers.base import LeftOut, Rejected, Sample
from tfrecords_tools.importers.folder import Folder, FolderLayoutError, record_set_name
from tfrecords_tools.writer import write_record_set


@pytest.fixture
def root(tmp_path, make_face):
    """A function (paths) -> folder with an image at each path."""

    def build(*paths):
        for path in paths:
            file = tmp_path / "My faces" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(make_face(0, 0)).save(file)
        return tmp_path / "My faces"

    return build


def test_classes_in_one_split(root):
    importer = Folder(root("Happy/b.png", "Happy/a.png", "sad/deep/c.jpg"), split_name="all")
    assert importer.name == "my_faces" and importer.class_names == EMOTIONS_7 and importer.num_rows == 3
    assert [(row.split, EMOTIONS[row.label], row.source) for row in importer.rows()] == [
        ("all", "happiness", "Happy/a.png"),
        ("all", "happiness", "Happy/b.png"),
        ("all", "sadness", "sad/deep/c.jpg"),
    ]


def test_splits_with_classes(root):
    importer = Folder(
        root("train/angry/a.jpg", "train/neutral/b.jpg", "test/fear/c.jpg"), num_classes=7, name="fer2013"
    )
    rows = [(row.split, EMOTIONS[row.label], row.source) for row in importer.rows()]
    assert rows == [
        ("test", "fear", "test/fear/c.jpg"),
        ("train", "anger", "train/angry/a.jpg"),
        ("train", "neutral", "train/neutral/b.jpg"),
    ]


def test_contempt_makes_eight_classes_unless_left_out(root):
    folder = root("contempt/a.png", "happy/b.png")
    assert Folder(folder).class_names == EMOTIONS
    seven = Folder(folder, num_classes=7)
    assert seven.class_names == EMOTIONS_7
    left_out, kept = seven.rows()
    assert left_out == LeftOut("train", "contempt is not one of the 7 classes") and isinstance(kept, Sample)


def test_unknown_class_lists_the_known_ones(root):
    with pytest.raises(FolderLayoutError, match=r"My faces/bored: unknown emotion 'bored'; known: neutral, happiness"):
        Folder(root("happy/a.png", "bored/b.png"))
    with pytest.raises(FolderLayoutError, match=r"1: unknown emotion '1'"):
        Folder(root("train/1/b.png", "happy/a.png").parent / "My faces" / "train")


def test_a_folder_without_folders_is_an_error(tmp_path):
    with pytest.raises(FolderLayoutError, match="no folder in it"):
        Folder(tmp_path)


def test_images_outside_class_folders_and_broken_files_are_quarantined(root, tmp_path):
    folder = root("stray.png", "happy/good.png", "happy/.hidden.png")
    (folder / "README.txt").write_text("no image, and not in a class folder")
    (folder / "happy" / "empty.png").touch()
    (folder / "happy" / "text.jpg").write_text("no image")
    (folder / "happy" / "cut.png").write_bytes((folder / "stray.png").read_bytes()[:200])
    (folder / "happy" / "gone.png").symlink_to("nowhere.png")
    assert next(Folder(folder).rows()) == Rejected("stray.png", "an image that is not in a class folder")
    written = write_record_set(Folder(folder), tmp_path / "set")
    with open(tmp_path / "set" / "quarantine.csv", newline="") as file:
        quarantine = {row["source"]: row["reason"] for row in csv.DictReader(file)}
    assert written.split("train").num_examples == 1
    assert set(quarantine) == {
        "stray.png",
        *(f"happy/{name}" for name in ("empty.png", "text.jpg", "cut.png", "gone.png")),
    }
    assert quarantine["happy/empty.png"] == "empty file"
    assert quarantine["happy/text.jpg"].startswith("unreadable")
    assert quarantine["happy/cut.png"].startswith("truncated or damaged")
    assert quarantine["happy/gone.png"] == "cannot be read: No such file or directory"


def test_changed_file_changes_the_inputs(root):
    folder = root("happy/a.png")
    before = Folder(folder).inputs()
    (folder / "happy" / "a.png").write_bytes(b"other")
    assert Folder(folder).inputs() != before


def test_names_of_record_sets():
    assert [record_set_name(text) for text in ("FER-2013 (faces)", "7", "---")] == ["fer_2013_faces", "set_7", "set"]
