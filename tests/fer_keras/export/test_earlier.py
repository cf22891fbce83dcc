"""Exports into a folder that holds some already, and what an export is measured against."""

import io
import json

import pytest
from rich.console import Console

from fer_keras import methods
from fer_keras.config import Config, dump_config
from fer_keras.export import exporter
from fer_keras.export.earlier import require_same_labels
from fer_keras.export.exporter import ExportData, export_model
from fer_keras.export.precision import ExportError
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, GEOMETRY_FILE

CLASSES = ("neutral", "happiness", "sadness", "surprise")
GREY = DEFAULT_GEOMETRY.model_copy(update={"grey": True})


@pytest.fixture
def export(record_set, tmp_path):
    """A function (source, formats, **options) -> rows and what was said; it exports to ``tmp_path / "out"``."""
    data = ExportData(record_set(grey=True), "validation", "train", samples=30)

    def run(source, *formats, **options):
        console = Console(file=io.StringIO(), width=300)
        rows = export_model(source, tmp_path / "out", data, formats, ["float32"], console=console, **options)
        return rows, console.file.getvalue()

    return run


@pytest.fixture
def other_file(tmp_path, flat_backbone):
    """Another model with the same classes, in a folder of its own."""
    file = tmp_path / "other" / "other.keras"
    file.parent.mkdir()
    methods.get("cross_entropy")(flat_backbone(6), CLASSES).save(file)
    return file


def _contents(folder, *names):
    return {name: (folder / name).read_bytes() for name in names}


def test_rows_of_files_that_stay_are_kept(export, keras_file, tmp_path):
    (first,), _ = export(keras_file, "keras")
    rows, said = export(keras_file, "litert")
    assert [row.file for row in rows] == ["model.tflite"] and "stay from earlier" not in said
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    assert [row["file"] for row in report["exports"]] == ["model.keras", "model.tflite"]
    assert report["exports"][0]["latency_p50"] == first.latency_p50 and report["not_described"] == []
    card = (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert "| model.keras |" in card and "| model.tflite |" in card and "Not described" not in card
    (tmp_path / "out" / "model.keras").write_bytes(b"changed by hand")
    export(keras_file, "litert")
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    assert [row["file"] for row in report["exports"]] == ["model.tflite"]
    assert report["not_described"] == ["model.keras"]


def test_what_stays_of_another_model_is_named_and_its_companions_go(export, keras_file, other_file, tmp_path):
    DEFAULT_GEOMETRY.write(keras_file.parent / GEOMETRY_FILE)
    export(keras_file, "keras")
    out = tmp_path / "out"
    (out / "config.yaml").write_text("name: of_the_first\n")
    assert (out / GEOMETRY_FILE).is_file()
    _, said = export(other_file, "litert")
    assert "model.keras stay from earlier exports of another model" in said
    assert not (out / GEOMETRY_FILE).exists() and not (out / "config.yaml").exists()
    report = json.loads((out / "export.json").read_text())
    assert [row["file"] for row in report["exports"]] == ["model.tflite"]
    assert "Not described here: `model.keras`, from earlier" in (out / "MODEL_CARD.md").read_text()


def test_if_everything_is_rejected_nothing_changes(export, keras_file, other_file, tmp_path):
    DEFAULT_GEOMETRY.write(keras_file.parent / GEOMETRY_FILE)
    export(keras_file, "keras")
    out, names = tmp_path / "out", ("model.keras", "labels.txt", "export.json", "MODEL_CARD.md", GEOMETRY_FILE)
    before = _contents(out, *names)
    (row,), _ = export(other_file, "keras", max_drop=-100)
    assert row.rejected and _contents(out, *names) == before
    assert sorted(path.name for path in out.iterdir() if path.suffix == ".rejected") == [
        "MODEL_CARD.md.rejected",
        "export.json.rejected",
        "model.keras.rejected",
    ]


def test_one_class_list_in_a_folder(tmp_path):
    (tmp_path / "labels.txt").write_text("neutral\nfear\n")
    require_same_labels(tmp_path, CLASSES, "run")  # no model that reads it
    (tmp_path / "model.tflite").touch()
    require_same_labels(tmp_path, ("neutral", "fear"), "run")
    with pytest.raises(ExportError, match=r"labels\.txt: .*\[neutral, fear\], run has \[neutral, happ.*another folder"):
        require_same_labels(tmp_path, CLASSES, "run")


@pytest.mark.parametrize("trained_on_grey", [False, True])
def test_geometry_comes_from_the_records_trained_on_only(export, record_set, tmp_path, flat_backbone, trained_on_grey):
    run, trained_on, measured_on = tmp_path / "runs" / "a", tmp_path / "sets" / "own", tmp_path / "records"
    (run / "weights").mkdir(parents=True)
    config = Config.model_validate({"data": {"directory": str(trained_on)}})
    (run / "config.yaml").write_text(dump_config(config))
    methods.get("cross_entropy")(flat_backbone(6), CLASSES).save(run / "weights" / "best.keras")
    GREY.write((trained_on if trained_on_grey else measured_on) / GEOMETRY_FILE)
    export(run, "keras")
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    assert report["grey"] is trained_on_grey and (tmp_path / "out" / GEOMETRY_FILE).exists() is trained_on_grey


def test_a_wrong_mirror_image_is_noticed(export, keras_file, monkeypatch):
    def upside_down(model):
        import keras
        from keras import ops

        image = keras.Input(model.inputs[0].shape[1:], dtype="uint8", name="image")
        pixels = ops.cast(image, "float32")
        plain, turned = model(pixels)["probs"], model(ops.flip(pixels, axis=1))["probs"]
        return keras.Model(image, {"probs": (plain + turned) / 2})

    monkeypatch.setattr(exporter, "averaged_with_mirror", upside_down)
    (row,), _ = export(keras_file, "keras", mirror=True)
    assert "a probability changes by" in row.rejected
