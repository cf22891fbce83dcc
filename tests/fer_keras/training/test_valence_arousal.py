"""Runs that learn valence and arousal, from the configuration to the judged folder."""

import hashlib
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.data.records import RecordSet, Shard, Split, encode_record, read_columns
from fer_keras.data.sidecars import write_sidecar
from fer_keras.inference.loading import load_classifier
from fer_keras.metrics.valence_arousal import valence_arousal_measures
from fer_keras.training import train
from fer_keras.training.inputs import build_inputs
from fer_keras.training.run_folder import RunFolder

METHOD = {"name": "valence_arousal", "dropout": 0.2}
PLAIN = {"neighbors": None}


@pytest.fixture
def rewrite(tiny_record_set, tmp_path):
    """A function (change) -> a copy of the tiny set whose columns went through ``change(split, columns)``."""

    def write(change):
        original = RecordSet.load(tiny_record_set)
        folder = tmp_path / "rewritten"
        folder.mkdir()
        names = ["image", "label", "sample_id", "votes", "valence", "arousal", "source"]
        splits = {}
        for split in original.splits:
            columns = read_columns(original, split, names)
            change(split, columns)
            file = folder / f"tiny-{split}.tfrecord-00000-of-00001"
            with tf.io.TFRecordWriter(str(file)) as writer:
                for row in zip(*(columns[name] for name in names)):
                    writer.write(encode_record(*row[:6], row[6].decode()))
            content = file.read_bytes()
            shard = Shard(file.name, len(columns["label"]), len(content), hashlib.sha256(content).hexdigest())
            splits[split] = Split(split, (shard,))
        record_set = RecordSet(folder, "tiny", original.class_names, splits)
        record_set.save()
        return record_set

    return write


class StopAfter(keras.callbacks.Callback):
    """Ctrl-C after an epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_resumed_run_equals_the_uninterrupted_one(make_config):
    options = {"method": METHOD, "data": PLAIN, "training": {"monitor": "val_ccc"}}
    whole = RunFolder(train(make_config("whole", **options)))
    parts = make_config("parts", **options)
    with pytest.raises(KeyboardInterrupt):
        train(parts, callbacks=[StopAfter(2)])
    resumed = RunFolder(train(parts))
    assert whole.results.read_text() == resumed.results.read_text()
    for which in ("best", "last"):
        first, second = (keras.models.load_model(run.weights(which), compile=False) for run in (whole, resumed))
        for a, b in zip(first.weights, second.weights, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=a.path)


def test_the_epoch_is_chosen_by_ccc_and_the_figures_agree(make_config):
    folder = RunFolder(train(make_config(method=METHOD, data=PLAIN, training={"monitor": "val_ccc"})))
    history = folder.load_state()["history"]
    metrics = json.loads(folder.metrics.read_text())
    best = max(history, key=lambda row: row["val_ccc"])
    assert metrics["best_epoch"] == best["epoch"]
    found = metrics["splits"]["validation"]["best"]
    assert found["ccc"] == pytest.approx(best["val_ccc"], abs=1e-4) and found["valence_arousal_n"] == 16
    assert found["ccc"] == pytest.approx((found["ccc_valence"] + found["ccc_arousal"]) / 2)
    assert (folder.path / "valence_arousal.png").stat().st_size > 0
    report = (folder.path / "report.html").read_text()
    assert f"<b>{metrics['splits']['test']['best']['ccc']:.4f}</b>" in report
    assert "root mean squared error, arousal" in report and "predicted against annotated" in report


def test_nothing_needs_a_label(make_config, rewrite, capsys):
    from rich.console import Console

    def forget(split, columns):
        columns["label"][:] = -1
        columns["votes"][:] = 0
        columns["valence"][:3] = np.nan

    record_set = rewrite(forget)
    config = make_config(
        method={**METHOD, "expression_weight": 0.0},
        data={**PLAIN, "directory": str(record_set.directory)},
        training={"monitor": "val_ccc"},
        schedule={"epochs": 1},
    )
    folder = RunFolder(train(config, console=Console(width=120)))
    metrics = json.loads(folder.metrics.read_text())["splits"]["test"]["last"]
    assert (metrics["n"], metrics["unlabelled"], metrics["valence_arousal_n"]) == (0, 16, 13)
    assert "accuracy" not in metrics and not (folder.path / "confusion_matrix.png").exists()
    assert f"{metrics['ccc']:.4f}" in capsys.readouterr().out
    classifier = load_classifier(folder.path)
    columns = read_columns(record_set, "test", ["image", "valence", "arousal"])
    images = np.stack(
        [tf.image.resize(tf.io.decode_png(image), (24, 24), antialias=True) for image in columns["image"]]
    )
    positions = classifier.predict_valence_arousal(images.round().astype("uint8"))
    true = np.stack([columns["valence"], columns["arousal"]], 1)[3:]
    assert valence_arousal_measures(true, positions[3:])["rmse_valence"] == pytest.approx(
        json.loads(folder.metrics.read_text())["splits"]["test"]["best"]["rmse_valence"], abs=0.01
    )


def test_samples_without_a_label_are_accepted(make_config, ready_record_set):
    inputs = build_inputs(make_config(method=METHOD, data={**PLAIN, "noisy_labels": "noisy_labels-missing"}))
    _, y = next(iter(inputs.training))
    assert y["valence_arousal"].shape == (8, 2)


def test_a_sidecar_takes_the_place_of_the_records(make_config, ready_record_set, tmp_path):
    record_set = RecordSet.load(shutil.copytree(ready_record_set, tmp_path / "own"))
    pseudo = np.linspace(-1, 1, 64, dtype="float32").reshape(32, 2)
    write_sidecar(record_set, "train", "valence_arousal-model", pseudo)
    data = {**PLAIN, "directory": str(record_set.directory), "valence_arousal": "valence_arousal-model"}
    inputs = build_inputs(make_config(method=METHOD, data=data))
    x, y = next(iter(inputs.training))
    np.testing.assert_array_equal(y["valence_arousal"], pseudo[x["sample_id"]])
    columns = read_columns(record_set, "validation", ["valence"])
    _, y = next(iter(inputs.validation))  # made for the training split alone: validation keeps the records' values
    np.testing.assert_array_equal(y["valence_arousal"][:, 0], columns["valence"])
    write_sidecar(record_set, "validation", "valence_arousal-model", pseudo[:16])
    _, y = next(iter(build_inputs(make_config(method=METHOD, data=data)).validation))
    np.testing.assert_array_equal(y["valence_arousal"], pseudo[:16])


def test_other_methods_are_given_no_positions(make_config):
    inputs = build_inputs(make_config(method={"name": "cross_entropy"}, data=PLAIN))
    for dataset in (inputs.training, inputs.validation):
        assert dataset.element_spec[1].keys() == {"label", "distribution"}


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_without_any_value_is_named(make_config, rewrite, split):
    def forget(name, columns):
        if name == split:
            columns["arousal"][:] = np.nan

    data = {**PLAIN, "directory": str(rewrite(forget).directory)}
    with pytest.raises(ValueError, match=f"no record of split '{split}' has valence and arousal"):
        train(make_config(method=METHOD, data=data))


def test_without_validation_the_training_value_selects(make_config):
    data = {**PLAIN, "validation_split": None}
    config = make_config(method=METHOD, data=data, training={"monitor": "val_ccc"}, schedule={"epochs": 2})
    folder = RunFolder(train(config))
    history = folder.load_state()["history"]
    assert folder.load_state()["best"] == max(row["ccc"] for row in history)
