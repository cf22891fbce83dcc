import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.importing import import_weights
from fer_keras.backbones.weights.provenance import describe_pretraining, pretraining_record
from fer_keras.config import Config
from fer_keras.files import write_csv
from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.loading import load_classifier
from fer_keras.pretraining import pretrain
from fer_keras.training import TrainingError, train
from fer_keras.training.run_folder import RunFolder
from tfrecords_tools.importers.csv_table import CsvTable
from tfrecords_tools.writer import WriteOptions, write_record_set

VIT = {"name": "vit_tiny", "options": {"patch_size": 6, "width": 16, "depth": 2, "heads": 2}}
SMALL_DECODER = {"decoder_width": 12, "decoder_depth": 1, "decoder_heads": 2}


@pytest.fixture
def pretraining_config(make_config):
    """A function (name, **sections) -> a configuration that pre-trains in seconds."""

    def make(name="mae", **sections):
        sections = {"backbone": VIT, "pretraining": SMALL_DECODER, **sections}
        sections["data"] = {"neighbors": None, "test_split": None, **sections.get("data", {})}
        sections["schedule"] = {"optimizer": "adamw", "weight_decay": 0.05, **sections.get("schedule", {})}
        return make_config(
            name, method={"name": "cross_entropy"}, training={"monitor": "val_loss"},
            **{"data": {}, "schedule": {}, **sections},
        )  # fmt: skip

    return make


class StopAfter(keras.callbacks.Callback):
    """Ctrl-C in the middle of the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.stop = epoch == 2

    def on_train_batch_end(self, batch, logs=None):
        if self.stop and batch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_resumed_run_equals_the_uninterrupted_one(pretraining_config):
    data = {"augmentation": {"random_erasing": {"probability": 0.5}}}
    backbone = {**VIT, "options": {**VIT["options"], "drop_path": 0.2}}
    whole = RunFolder(pretrain(pretraining_config("whole", data=data, backbone=backbone)))
    config = pretraining_config("parts", data=data, backbone=backbone)
    with pytest.raises(KeyboardInterrupt):
        pretrain(config, callbacks=[StopAfter()])
    assert not (RunFolder(f"{config.output_dir}/parts").path / "backbone.weights.h5").exists()
    parts = RunFolder(pretrain(config))
    assert whole.results.read_text() == parts.results.read_text()
    for one, two in zip(whole.load_variables(3), parts.load_variables(3), strict=True):
        np.testing.assert_array_equal(one, two)
    stored = [
        build_backbone("vit_tiny", (24, 24), weights=str(run.path / "backbone.weights.h5"), **VIT["options"])
        for run in (whole, parts)
    ]
    last = keras.models.load_model(whole.weights("last"), compile=False).backbone
    for one, two, three in zip(*(network.get_weights() for network in (*stored, last)), strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(one, three)


@pytest.fixture(scope="module")
def finished(tiny_csv, tmp_path_factory):
    """The folder of a run of one epoch on records without labels."""
    root = tmp_path_factory.mktemp("unlabelled")
    shutil.copytree(tiny_csv.parent, root / "faces")
    with open(tiny_csv, newline="") as stream:
        rows = [{"path": row["path"], "label": "", "split": row["split"]} for row in csv.DictReader(stream)]
    write_csv(root / "faces" / "tiny.csv", ["path", "label", "split"], [list(row.values()) for row in rows])
    write_record_set(CsvTable(root / "faces" / "tiny.csv"), root / "tiny", WriteOptions())
    return pretrain(
        Config.model_validate(
            {
                "name": "mae",
                "output_dir": str(root / "runs"),
                "data": {"directory": str(root / "tiny"), "image_size": [24, 24], "batch_size": 8},
                "backbone": VIT,
                "schedule": {"epochs": 1},
                "training": {"monitor": "val_loss"},
                "pretraining": SMALL_DECODER,
            }
        )
    )


def test_images_without_labels_become_weights_and_pictures(finished):
    for name in ("config.yaml", "results.csv", "results.png", "weights/best.keras", "weights/last.keras"):
        assert (finished / name).stat().st_size > 0, name
    with Image.open(finished / "reconstructions.png") as picture:
        assert picture.width > picture.height > 300
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["epochs"] == 1 and {"loss", "val_loss"} <= metrics["last"].keys()
    record = pretraining_record("vit_tiny", str(finished / "backbone.weights.h5"))
    assert record["sha256"] == metrics["backbone"]["sha256"]
    told = describe_pretraining(record)
    assert told.endswith("masked autoencoding of run mae: 1 epochs on 32 images of tiny, without labels")


def test_training_starts_from_the_weights_and_names_them(finished, make_config):
    weights = finished / "backbone.weights.h5"
    # Another size and another drop path: neither has weights.
    backbone = {**VIT, "weights": str(weights), "options": {**VIT["options"], "drop_path": 0.1}}
    data = {"image_size": [24, 30], "neighbors": None, "test_split": None}
    started = []

    class Start(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            started.extend(self.model.backbone.get_weights())

    config = make_config("tuned", {"name": "cross_entropy"}, {"epochs": 1}, data=data, backbone=backbone)
    tuned = train(config, callbacks=[Start()])
    last = keras.models.load_model(finished / "weights" / "last.keras", compile=False).backbone
    for one, two in zip(started, last.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert json.loads((tuned / "pretraining.json").read_text()) == pretraining_record("vit_tiny", str(weights))
    assert "masked autoencoding of run mae" in (tuned / "report.html").read_text()


def test_weights_of_the_best_epoch_can_be_taken_out(finished, tmp_path):
    best, out = finished / "weights" / "best.keras", tmp_path / "best.weights.h5"
    report = import_weights(best, "vit_tiny", out, options=VIT["options"])
    assert report.note["prefix"].endswith("backbone/")
    network = build_backbone("vit_tiny", (24, 24), weights=str(out), **VIT["options"])
    expected = keras.models.load_model(best, compile=False).backbone
    for one, two in zip(network.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_run_without_a_classifier_says_so(finished):
    with pytest.raises(ModelLoadError, match=r"best\.keras: not a classifier of this library"):
        load_classifier(finished)


def test_without_a_validation_split_the_training_images_are_shown(pretraining_config):
    config = pretraining_config(data={"validation_split": None}, schedule={"epochs": 1})
    assert "val_loss" not in json.loads((pretrain(config) / "metrics.json").read_text())["last"]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"backbone": {"name": "fer_mini"}}, "backbone fer_mini: masked autoencoding hides patches"),
        ({"pretraining": {**SMALL_DECODER, "mask_ratio": 0.99}}, "keeps 0 of 16 patches"),
        ({"pretraining": {**SMALL_DECODER, "decoder_heads": 5}}, "cannot be shared by 5 attention heads"),
        ({"data": {"image_size": [24, 25]}}, "should be multiples of patch_size"),
    ],
)
def test_mistakes_are_named(pretraining_config, sections, message):
    with pytest.raises(ValueError, match=message):
        pretrain(pretraining_config(**sections))


def test_each_command_refuses_the_configurations_of_the_other(pretraining_config, make_config):
    with pytest.raises(TrainingError, match="this is a configuration for fer-keras pretrain"):
        train(pretraining_config())
    with pytest.raises(TrainingError, match="no such section, so it is one for fer-keras train"):
        pretrain(make_config())
