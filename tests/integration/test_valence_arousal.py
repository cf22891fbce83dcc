"""From annotated valence and arousal to a model, to pseudo values of another set, to LDLVA's neighbours."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from fer_keras.cli.main import app as fer_keras_app
from fer_keras.config import load_config
from fer_keras.data.records import RecordSet
from fer_keras.data.sidecars import read_sidecar
from fer_keras.training.inputs import build_inputs
from fer_keras.training.trainer import build_method
from tfrecords_tools.cli.main import app as tools_app


@pytest.fixture
def write_config(tmp_path):
    def write(name: str, directory, method: dict, **sections):
        content = {
            "name": name,
            "output_dir": str(tmp_path / "runs"),
            "data": {"directory": str(directory), "image_size": [24, 24], "batch_size": 8, **sections.pop("data", {})},
            "backbone": {"name": "fer_mini", "options": {"widths": [4, 8], "blocks": [1, 1]}},
            "method": method,
            "schedule": {"epochs": 1},
            **sections,
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
        return tmp_path / f"{name}.yaml"

    return write


def run(app, *arguments) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_pseudo_values_from_a_trained_head_feed_ldlva(tiny_csv, tiny_record_set, write_config, tmp_path):
    head = write_config("head", tiny_record_set, {"name": "valence_arousal"}, training={"monitor": "val_ccc"})
    run(fer_keras_app, "train", "--config", head)
    # Another set: the same images in another order, without values of its own.
    root, records = tmp_path / "other", tmp_path / "records"
    shutil.copytree(tiny_csv.parent, root)
    rows = [line.split(",") for line in (root / "tiny.csv").read_text().splitlines()]
    (root / "tiny.csv").write_text("\n".join(",".join(row[:3]) for row in [rows[0], *rows[:0:-1]]) + "\n")
    run(tools_app, "csv", root / "tiny.csv", "--out", records)
    output = run(tools_app, "add-valence-arousal", records, "--model", tmp_path / "runs" / "head")
    assert "its valence-arousal head" in output and "warning" not in output
    run(tools_app, "add-neighbors", records, "--valence-arousal", "head", "--k", "3")

    method, data = {"name": "ldlva", "neighbor_mode": "bank"}, {"neighbors": "neighbors-head-k3"}
    config = load_config(write_config("ldlva", records, method, data=data))
    x, y = next(iter(build_inputs(config).training))
    model = build_method(config, RecordSet.load(records))
    assert np.isfinite(model.training_loss(x, y).loss)
    positions = read_sidecar(RecordSet.load(records), "train", "valence_arousal-head")
    ids, neighbors = x["sample_id"].numpy(), x["neighbor_ids"].numpy()
    np.testing.assert_allclose(x["neighbor_differences"], positions[neighbors] - positions[ids][:, None], atol=1e-6)

    # A student of the pseudo values: they are the only positions that the other set has.
    method, data = {"name": "valence_arousal"}, {"valence_arousal": "valence_arousal-head", "validation_split": None}
    _, y = next(iter(build_inputs(load_config(write_config("student", records, method, data=data))).training))
    assert np.isin(y["valence_arousal"], positions).all()


REPLICAS = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from fer_keras.config import load_config
from fer_keras.training import train
print(train(load_config(sys.argv[1])))
"""


@pytest.mark.slow
def test_two_replicas_train(tiny_record_set, write_config, tmp_path):
    """Each replica has the concordance of its own share, so weights differ from those of one; it must learn alike."""
    config = write_config(
        "replicas", tiny_record_set, {"name": "valence_arousal"}, training={"devices": 2, "monitor": "val_ccc"}
    )
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", REPLICAS, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    names, values = (tmp_path / "runs" / "replicas" / "results.csv").read_text().splitlines()
    row = dict(zip(names.split(","), map(float, values.split(","))))
    metrics = yaml.safe_load((tmp_path / "runs" / "replicas" / "metrics.json").read_text())
    # What was summed up on two replicas is the coefficient of the whole split.
    assert row["val_ccc"] == pytest.approx(metrics["splits"]["validation"]["last"]["ccc"], abs=1e-4)
