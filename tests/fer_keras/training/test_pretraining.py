"""Which weights a run started from: noted when it starts, and kept when they are gone."""

import json

import keras
import numpy as np
import pytest

from fer_keras.backbones import BackboneError, build_backbone
from fer_keras.backbones.weights.provenance import pretraining_record, write_note
from fer_keras.training import train
from fer_keras.training.run_folder import RunFolder

OPTIONS = {"widths": [4, 8], "blocks": [1, 1]}


class StopAfterFirstEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture
def weights(tmp_path):
    """Weights of the tests' backbone, with a note."""
    file = tmp_path / "pretrained.weights.h5"
    keras.utils.set_random_seed(99)
    build_backbone("fer_mini", (24, 24), **OPTIONS).save_weights(file)
    write_note(file, {"source": "face.pth", "sha256": "0f" * 32})
    return file


@pytest.fixture
def config_with(make_config):
    """A function (name, weights) -> a configuration whose backbone starts from them."""

    def make(name, weights, epochs=2):
        backbone = {"name": "fer_mini", "options": OPTIONS, "weights": weights and str(weights)}
        return make_config(name, method={"name": "cross_entropy"}, schedule={"epochs": epochs}, backbone=backbone)

    return make


@pytest.mark.slow
def test_a_run_without_its_weights_file_continues_to_the_same_end(config_with, weights):
    whole = RunFolder(train(config_with("whole", weights)))
    config, record = config_with("parts", weights), pretraining_record("fer_mini", str(weights))
    with pytest.raises(KeyboardInterrupt):
        train(config, callbacks=[StopAfterFirstEpoch()])
    weights.unlink()
    parts = RunFolder(train(config))
    assert parts.results.read_text() == whole.results.read_text()
    ends = [keras.models.load_model(run.weights("last"), compile=False).get_weights() for run in (whole, parts)]
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)
    for folder in (whole, parts):
        for file in ("pretraining.json", "metrics.json", "evaluation-test/metrics.json"):
            content = json.loads((folder.path / file).read_text())
            assert (content if file == "pretraining.json" else content["pretraining"]) == record, file
        report = (folder.path / "report.html").read_text()
        assert record["sha256"] in report and "imported from face.pth" in report


def test_a_run_that_has_no_epoch_yet_still_needs_its_weights(config_with, weights):
    config = config_with("early", weights)

    class StopAtOnce(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, callbacks=[StopAtOnce()])
    weights.unlink()
    with pytest.raises(BackboneError, match=r"pretrained\.weights\.h5: no such file"):
        train(config)


def test_random_weights_are_noted_in_place_of_an_earlier_run(config_with):
    config = config_with("same", None, epochs=1)
    folder = RunFolder(f"{config.output_dir}/{config.name}")
    folder.create("an earlier configuration")
    folder.pretraining.write_text('{"kind": "imagenet", "network": "resnet50", "keras": "3.0.0"}')
    train(config, overwrite=True)
    assert json.loads(folder.pretraining.read_text()) == {"kind": "none"}
    assert json.loads(folder.metrics.read_text())["pretraining"] == {"kind": "none"}
    assert "pre-training: none (random initial weights)" in (folder.path / "report.html").read_text()
