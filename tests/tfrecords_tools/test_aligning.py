"""Faces measured and aligned: ``fer-tfrecords crop-geometry`` and ``fer-tfrecords align``."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from fer_keras.data.preprocessing import decode_and_resize
from fer_keras.data.records import RecordSet, read_columns
from fer_keras.faces.alignment import crop_face
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, CropGeometry, find_geometry
from fer_keras.faces.detectors import build_detector
from fer_keras.inference.classifier import Classifier
from fer_keras.inference.predictor import Predictor
from tfrecords_tools.aligning import AlignedRecordSet
from tfrecords_tools.geometry import GeometryError, measure_geometry
from tfrecords_tools.importers.fer2013 import Fer2013
from tfrecords_tools.importers.folder import Folder
from tfrecords_tools.writer import write_record_set


@pytest.fixture(scope="module")
def detector():
    return build_detector("mtcnn-runtime", min_confidence=0.6)


@pytest.fixture(scope="module")
def faces():
    from fer_keras.data.synthetic import SyntheticFaces

    return SyntheticFaces(seed=0, size=224).sample("train", range(8)).images


@pytest.fixture(scope="module")
def folder(faces, tmp_path_factory):
    """Eight drawn faces in a class folder each second, on a background, and a picture without a face."""
    root = tmp_path_factory.mktemp("pictures")
    for index, face in enumerate(faces):
        picture = np.full((300, 340, 3), 120, np.uint8)
        picture[40:264, 60:284] = face
        name = root / ("happiness" if index % 2 else "neutral") / f"{index}.png"
        name.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(name)
    Image.fromarray(np.full((300, 340, 3), 120, np.uint8)).save(root / "neutral" / "wall.png")
    return root


@pytest.fixture(scope="module")
def record_set(folder, tmp_path_factory, run_tool):
    out = tmp_path_factory.mktemp("sets") / "pictures"
    finished = run_tool("folder", folder, "--out", out)
    assert finished.returncode == 0, finished.stderr
    return RecordSet.load(out)


def test_points_of_a_small_crop_are_those_of_the_large_one(detector, faces):
    for face in faces[:3]:
        small = np.asarray(Image.fromarray(face).resize((64, 64), Image.Resampling.BICUBIC))
        # not the corners of the mouth: those of an open one depend on the sharpness
        points, expected = (detector.detect(image)[0].landmarks[:3] for image in (small, face))
        np.testing.assert_allclose((points + 0.5) / 64, (expected + 0.5) / 224, atol=0.04)
    assert detector.detect(np.full((64, 64, 3), 100, np.uint8)) == []


def test_aligned_faces_measure_as_the_geometry_says(record_set, detector, tmp_path, run_tool):
    target = CropGeometry(points=DEFAULT_GEOMETRY.points, origin="a test")
    target.write(tmp_path / "wanted.json")
    arguments = ("align", record_set.directory, "--out", tmp_path / "aligned", "--size", 96)
    finished = run_tool(*arguments, "--geometry", tmp_path / "wanted.json")
    assert finished.returncode == 0, finished.stderr
    aligned = RecordSet.load(tmp_path / "aligned")
    stored = target.model_copy(update={"size": 96})
    assert find_geometry(aligned.directory) == stored
    split = next(iter(aligned.splits))
    columns = read_columns(aligned, split, ["image", "label", "source"])
    sources = [source.decode() for source in columns["source"]]
    assert len(sources) == 8 and not any("wall" in source for source in sources)
    assert "no face found" in (tmp_path / "aligned" / "quarantine.csv").read_text()
    assert {aligned.class_names[label] for label in columns["label"]} == {"neutral", "happiness"}

    parent = read_columns(record_set, split, ["image", "source"])
    by_source = dict(zip((source.decode() for source in parent["source"]), parent["image"], strict=True))
    for encoded, source in zip(columns["image"], sources, strict=True):
        picture = np.asarray(Image.open(io.BytesIO(by_source[source])))
        expected = crop_face(picture, detector.detect(picture)[0].landmarks, target, 96)
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), expected)

    measured = measure_geometry(aligned, split, detector)
    np.testing.assert_allclose(measured.points, target.points, atol=0.05)
    assert (measured.grey, measured.size) == (False, 96) and "8 of 8 images" in measured.origin
    again = run_tool(*arguments, "--geometry", tmp_path / "wanted.json")
    assert "complete already" in " ".join(again.stdout.split())


class _Seen(Classifier):
    """Keeps the images that it is given."""

    def __init__(self, size):
        super().__init__("seen", ("neutral", "happiness"), size, 64)
        self.images = []

    def _predict_batch(self, images):
        self.images.extend(images)
        return {"probs": np.full((len(images), 2), 0.5, np.float32)}


@pytest.mark.parametrize("size", [(48, 48), (80, 80), (70, 60)])
def test_prediction_sees_the_crops_of_training(size, faces, detector, tmp_path):
    photographs = tmp_path / "photographs" / "neutral"
    photographs.mkdir(parents=True)
    large = Image.new("RGB", (500, 420), (120, 130, 140))
    large.paste(Image.fromarray(faces[0]).rotate(8, fillcolor=(120, 130, 140)), (120, 90))
    large.save(photographs / "large.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    large.rotate(90, expand=True).save(photographs / "turned.jpg", exif=turned)
    Image.fromarray(faces[1]).resize((120, 120)).save(photographs / "small.png")
    Image.fromarray(faces[2]).convert("L").save(photographs / "grey.png")
    parent = write_record_set(Folder(tmp_path / "photographs"), tmp_path / "set")
    source = AlignedRecordSet(parent, detector, "mtcnn-runtime", DEFAULT_GEOMETRY, 64)
    aligned = write_record_set(source, tmp_path / "aligned")
    columns = read_columns(aligned, "train", ["image", "source"])
    assert len(columns["source"]) == 4

    classifier = _Seen(size)
    predictor = Predictor(classifier, detector=detector, geometry=find_geometry(aligned.directory))
    predictor.predict([tmp_path / "photographs" / name.decode() for name in columns["source"]])
    for encoded, seen in zip(columns["image"], classifier.images, strict=True):
        np.testing.assert_array_equal(seen, decode_and_resize(encoded, size))


def test_the_stored_geometry_says_whether_its_own_images_are_grey(tiny_record_set, tiny_fer2013_csv, tmp_path):
    coloured, grey = RecordSet.load(tiny_record_set), write_record_set(Fer2013(tiny_fer2013_csv), tmp_path / "grey")
    for parent in (coloured, grey):
        for claimed in (False, True):
            target = DEFAULT_GEOMETRY.model_copy(update={"grey": claimed})
            source = AlignedRecordSet(parent, build_detector("mtcnn-runtime"), "mtcnn-runtime", target, 64)
            assert source.crop_geometry == target.model_copy(update={"grey": parent is grey, "size": 64})
    before = source.options()["geometry"]
    source.crop_geometry = source.crop_geometry.model_copy(update={"grey": False})
    assert source.options()["geometry"] != before


def test_a_divided_set_keeps_its_geometry_and_a_run_gets_it(record_set, tmp_path, run_tool):
    assert run_tool("crop-geometry", record_set.directory, "--split", next(iter(record_set.splits))).returncode == 0
    geometry = find_geometry(record_set.directory)
    finished = run_tool(
        "split", record_set.directory, "--out", tmp_path / "divided", "--split", next(iter(record_set.splits)),
        "--validation", 0.3,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert find_geometry(tmp_path / "divided") == geometry
    assert json.loads((tmp_path / "divided" / "crop_geometry.json").read_text())["grey"] is False


def test_pictures_without_faces_are_no_crops(detector, tmp_path, run_tool):
    for index in range(3):
        (tmp_path / "walls" / "neutral").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 40, 3), 60 * index, np.uint8)).save(
            tmp_path / "walls" / "neutral" / f"{index}.png"
        )
    assert run_tool("folder", tmp_path / "walls", "--out", tmp_path / "set").returncode == 0
    record_set = RecordSet.load(tmp_path / "set")
    with pytest.raises(GeometryError, match="faces found in 0 of 3 images only"):
        measure_geometry(record_set, next(iter(record_set.splits)), detector)


def test_bad_options(record_set, tmp_path, run_tool):
    for options, message in (
        (("--out", record_set.directory), "another folder"),
        (("--out", tmp_path / "a", "--detector", "none"), "without a detector there are no landmarks"),
        (("--out", tmp_path / "a", "--geometry", tmp_path / "none.json"), "none.json: not a crop geometry"),
    ):
        finished = run_tool("align", record_set.directory, *options)
        assert finished.returncode != 0 and message in finished.stderr
