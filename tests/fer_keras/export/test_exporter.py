import io
import json
import sys
import types

import numpy as np
import pytest
from rich.console import Console

from fer_keras.emotions import ClassListMismatchError
from fer_keras.evaluation.run_folder import read_pretraining
from fer_keras.export import exporter
from fer_keras.export.exporter import ExportData, export_data, export_model
from fer_keras.export.litert import export_litert
from fer_keras.export.precision import ExportError
from fer_keras.extras import ExtraError
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, GEOMETRY_FILE, find_geometry
from fer_keras.inference.loading import load_classifier

CLASSES = ("neutral", "happiness", "sadness", "surprise")


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def out(tmp_path):
    return tmp_path / "exported"


@pytest.fixture
def data(record_set):
    return ExportData(record_set(), "validation", "train", samples=100, calibration_samples=50)


def test_everything_is_written_and_agrees(keras_file, data, out, network, draw):
    console = Console(file=io.StringIO(), width=200)
    rows = export_model(keras_file, out, data, console=console)
    assert [(row.file, row.precision, row.rejected) for row in rows] == [
        ("model.keras", "float32", None),
        ("1", "float32", None),
        ("model.tflite", "float32", None),
        ("model_float16.tflite", "float16", None),
        ("model_int8.tflite", "int8", None),
    ]
    documents = ["MODEL_CARD.md", "export.json", "labels.txt"]
    assert _names(out) == sorted([*documents, *(row.file for row in rows)])
    images, _ = draw(20, 8)
    expected = network(images)["probs"].numpy()
    for name in ("1", "model.keras", "model.tflite"):
        np.testing.assert_allclose(load_classifier(out / name).predict_proba(images), expected, atol=1e-5)
    assert load_classifier(out).class_names == CLASSES

    report = json.loads((out / "export.json").read_text())
    assert report["data"]["records"] == 100 and report["calibration"] == {"split": "train", "records": 50}
    assert report["reference_accuracy"] > 0.95
    assert [export["file"] for export in report["exports"]] == [row.file for row in rows]
    card = (out / "MODEL_CARD.md").read_text()
    assert "# exported" in card and "neutral, happiness, sadness, surprise" in card
    assert "On 100 labelled records of split `validation` of `quarters`" in card and "calibrated on 50" in card
    assert f"| model_int8.tflite | int8 | {rows[4].accuracy:.4f} |" in card and "Rejected" not in card
    assert "`model_int8.tflite` has" in card and "of the size of `model.tflite`" in card
    assert "Not recorded: `tiny.keras` was exported without its run." in card and "Training again" not in card
    assert "model_int8.tflite" in console.file.getvalue()


def test_a_model_of_grey_crops_takes_the_colour_out(keras_file, record_set, out, network, draw):
    folder = record_set(grey=True)
    data = ExportData(folder, "validation", "train", samples=100, calibration_samples=50, test=(folder, "validation"))
    geometry = DEFAULT_GEOMETRY.model_copy(update={"grey": True})
    geometry.write(keras_file.parent / GEOMETRY_FILE)
    assert not any(row.rejected for row in export_model(keras_file, out, data, precisions=["float32"]))
    assert find_geometry(out) == geometry
    coloured, _ = draw(12, 8)
    coloured[..., 0] //= 2
    brightness = (coloured @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=-1)
    expected = network(brightness)["probs"].numpy()
    for name in ("1", "model.keras", "model.tflite"):
        np.testing.assert_allclose(load_classifier(out / name).predict_proba(coloured), expected, atol=1e-4)
    card = (out / "MODEL_CARD.md").read_text()
    assert "Trained on grey images" in card
    judged = json.loads((out / "export.json").read_text())["test"]
    assert f"{judged['n']} labelled images: accuracy {100 * judged['accuracy']:.2f}" in card
    for scores in judged["per_class"]:
        assert f"| {scores['name']} | {scores['support']} |" in card


def test_a_failing_export_is_set_aside_and_replaces_nothing(keras_file, data, out, monkeypatch):
    export_model(keras_file, out, data, ["litert"], ["float32", "int8"], console=Console(file=io.StringIO()))
    kept = {name: (out / name).read_bytes() for name in ("model.tflite", "model_int8.tflite")}

    def badly_calibrated(network, file, class_names, precision, images):
        if precision == "int8":  # ranges from near-black pictures clip every real one
            images = images // 64
        return export_litert(network, file, class_names, precision, images)

    monkeypatch.setitem(exporter.FILE_FORMATS, "litert", (".tflite", badly_calibrated))
    rows = export_model(keras_file, out, data, ["litert"], ["float32", "int8"], console=Console(file=io.StringIO()))
    assert rows[0].rejected is None and "accuracy falls by" in rows[1].rejected
    assert "model_int8.tflite.rejected" in _names(out)
    assert {name: (out / name).read_bytes() for name in kept} == kept
    card = (out / "MODEL_CARD.md").read_text()
    assert "Rejected:" in card and "- `model_int8.tflite` (int8): accuracy falls by" in card
    assert card.count("| model_int8.tflite | int8 |") == 1  # the earlier file stays, and so do its figures


def test_a_rejected_saved_model_is_never_served(keras_file, data, out, monkeypatch):
    monkeypatch.setattr(exporter, "MAX_DIFFERENCE", -1.0)
    for _ in range(2):
        rows = export_model(keras_file, out, data, ["saved_model"], console=Console(file=io.StringIO()))
        assert "a probability changes" in rows[0].rejected
    assert _names(out) == ["1.rejected", "MODEL_CARD.md.rejected", "export.json.rejected"]
    monkeypatch.undo()
    export_model(keras_file, out, data, ["saved_model"], console=Console(file=io.StringIO()))
    export_model(keras_file, out, data, ["saved_model"], console=Console(file=io.StringIO()))
    assert [name for name in _names(out) if name.isdecimal()] == ["1", "2"]


def test_onnx_and_openvino_are_kept_and_timed_on_one_and_two_threads(keras_file, data, out):
    pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    console = Console(file=io.StringIO(), width=80)
    rows = export_model(keras_file, out, data, ["keras", "onnx", "openvino"], ["float32"], console=console)
    assert [(row.file, row.rejected) for row in rows] == [
        ("model.keras", None),
        ("model.onnx", None),
        ("model.xml", None),
    ]
    assert [(row.latency_p50, row.two_threads_p50) for row in rows] == [(2.0, 1.0)] * 3
    assert rows[2].size == sum((out / name).stat().st_size for name in ("model.xml", "model.bin"))
    assert load_classifier(out / "model.xml").class_names == load_classifier(out / "model.onnx").class_names == CLASSES
    rows = export_model(keras_file, out, data, ["openvino"], ["float32"], max_drop=-100, console=console)
    assert "accuracy falls" in rows[0].rejected
    assert {"model.xml.rejected", "model.bin.rejected", "model.xml", "model.bin"} <= set(_names(out))


@pytest.mark.parametrize("format, package", [("onnx", "tf2onnx"), ("openvino", "openvino")])
def test_a_missing_package_is_named_before_any_work(keras_file, data, out, monkeypatch, format, package):
    monkeypatch.setitem(sys.modules, "onnx", types.ModuleType("onnx"))
    monkeypatch.setitem(sys.modules, "onnxruntime", types.ModuleType("onnxruntime"))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraError, match=rf"export needs {package}: pip install 'fer-keras\[{format}\]'"):
        export_model(keras_file, out, data, [format])
    assert not out.exists()


def test_other_classes_than_the_records(keras_file, record_set, out):
    data = ExportData(record_set((*CLASSES[:3], "fear")), "validation", "train")
    with pytest.raises(ClassListMismatchError, match=r"sadness, surprise\].*sadness, fear\]"):
        export_model(keras_file, out, data)
    assert not out.exists()


@pytest.mark.parametrize(
    "formats, precisions, message",
    [
        (["coreml"], ["float32"], "unknown format coreml; known: keras, saved_model, litert, onnx, openvino"),
        (["litert"], ["int4"], "unknown precision int4; known: float32, float16, dynamic, int8"),
        ([], ["float32"], r"unknown format \(none given\)"),
    ],
)
def test_bad_choices(keras_file, data, out, formats, precisions, message):
    with pytest.raises(ExportError, match=message):
        export_model(keras_file, out, data, formats, precisions)


def test_only_keras_models_are_exported(network, data, tmp_path, out):
    file = export_litert(network, tmp_path / "model.tflite", CLASSES)
    with pytest.raises(ExportError, match="only a Keras model can be exported"):
        export_model(file, out, data)


def test_defaults_come_from_the_run(tmp_path):
    from fer_keras.config import Config, dump_config

    run = tmp_path / "run"
    (run / "weights").mkdir(parents=True)
    config = Config.model_validate({"data": {"directory": "some/records", "validation_split": "minival"}})
    (run / "config.yaml").write_text(dump_config(config))
    for source in (run, run / "weights" / "last.keras"):
        found = export_data(source, None, None, None, samples=7)
        assert (str(found.directory), found.split, found.calibration_split) == ("some/records", "minival", "train")
        assert found.samples == 7
    given = export_data(run, tmp_path, "test", "extra")
    assert (given.directory, given.split, given.calibration_split) == (tmp_path, "test", "extra")
    with pytest.raises(ExportError, match="give --split"):
        export_data(tmp_path, tmp_path, None, None)


def test_run_folder_puts_its_training_on_the_card(tmp_path, data, out, flat_backbone):
    import fer_keras.methods as methods
    from fer_keras.config import Config, dump_config, load_config

    run = tmp_path / "run"
    (run / "weights").mkdir(parents=True)
    config = Config.model_validate(
        {
            "name": "quarters_test",
            "seed": 41,
            "data": {"directory": str(data.directory), "targets": "votes", "test_split": "test"},
        }
    )
    (run / "config.yaml").write_text(dump_config(config))
    record = {"kind": "file", "file": "face.weights.h5", "sha256": "5a" * 32, "provenance": None}
    (run / "pretraining.json").write_text(json.dumps(record))
    stamps = {"train": "of other records"}
    (run / "metrics.json").write_text(json.dumps({"best_epoch": 7, "epochs": 9, "fingerprint": stamps}))
    methods.get("cross_entropy")(flat_backbone(6), CLASSES).save(run / "weights" / "best.keras")
    rows = export_model(run, out, data, ["keras", "litert"], ["float32"], console=Console(file=io.StringIO()))
    assert [row.rejected for row in rows] == [None, None]
    card = (out / "MODEL_CARD.md").read_text()
    assert card.startswith("# quarters_test\n") and "`fer-keras train --config config.yaml`" in card
    assert load_config(out / "config.yaml") == config and "seed:" not in card
    assert "split `train` (number of records not known, learnt from)" in card  # other records than the run has seen
    assert "split `validation` (120 records, validation)" in card and "How it was made: not noted." in card
    assert "Learnt from the annotators' votes as distributions." in card
    assert "epoch 7 of 9, chosen by `val_accuracy` on validation split `validation`." in card
    assert f"started from: face.weights.h5 (SHA-256 {'5a' * 32}); origin not recorded." in card
    assert json.loads((out / "export.json").read_text())["pretraining"] == record
    assert read_pretraining(out / "model.tflite") == record


def test_valence_and_arousal_are_exported_and_compared(tmp_path, data, out, flat_backbone):
    import fer_keras.methods as methods

    file = tmp_path / "va.keras"
    methods.get("valence_arousal")(flat_backbone(6), CLASSES).save(file)
    rows = export_model(file, out, data, precisions=["float32"], console=Console(file=io.StringIO()))
    assert [row.rejected for row in rows] == [None, None, None]
    assert all(row.position_difference < 1e-5 for row in rows)
    card = (out / "MODEL_CARD.md").read_text()
    assert "- `valence_arousal`: float32 (N, 2)" in card
    assert "Valence and arousal change on average by" in card and "(`model.tflite`)." in card
    assert load_classifier(out).has_valence_arousal and load_classifier(out / "model.tflite").has_valence_arousal


def test_mean_over_image_and_mirror_image(keras_file, data, out, network, draw):
    rows = export_model(keras_file, out, data, precisions=["float32", "int8"], mirror=True)
    assert not any(row.rejected for row in rows)
    images, _ = draw(20, 8)
    expected = (network(images)["probs"].numpy() + network(images[:, :, ::-1])["probs"].numpy()) / 2
    for name in ("1", "model.keras", "model.tflite"):
        probs = load_classifier(out / name).predict_proba(images)
        np.testing.assert_allclose(probs, expected, atol=1e-5)
        np.testing.assert_allclose(load_classifier(out / name).predict_proba(images[:, :, ::-1]), probs, atol=1e-5)
    report = json.loads((out / "export.json").read_text())
    assert report["accuracy_without_mirror"] > report["reference_accuracy"]  # the task tells left from right
    card = (out / "MODEL_CARD.md").read_text()
    assert "the mean of those for the image and for its mirror image" in card
