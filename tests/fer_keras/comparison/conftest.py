"""Experiment files, and a trainer that finishes a run at once."""

import json

import pytest

TRAINER = """
import json, os, pathlib, sys
from fer_keras.config import load_config
from fer_keras.files import write_text
assert sys.argv[1:3] == ["train", "--config"]
file = pathlib.Path(sys.argv[3])
config = load_config(file)
run = pathlib.Path(config.output_dir) / config.name
label = run.parent.name
with open(os.environ["RAN"], "a") as ran:
    ran.write(f"{label}/{config.seed}/{os.environ.get('TF_NUM_INTRAOP_THREADS', '-')}\\n")
if label == os.environ.get("INTERRUPTED"):
    sys.exit(130)
if label == os.environ.get("FAILS"):
    print("error: the loss is NaN")
    sys.exit(1)
write_text(run / "config.yaml", file.read_text())
write_text(run / "results.csv", "epoch,val_accuracy\\n1,0.4\\n2,0.5\\n")
value = {"cross_entropy": 0.6, "scn": 0.7}.get(label, 0.5) + config.seed / 100 * (2 if label == "scn" else 1)
both = {"best": {"accuracy": value, "ece": 0.1, "kl": None}, "last": {"accuracy": value - 0.1, "ece": 0.2, "kl": None}}
splits = {config.data.validation_split: both, config.data.test_split: both}
write_text(run / "metrics.json", json.dumps({"best_epoch": 2, "splits": splits}))
"""


@pytest.fixture
def experiments(tmp_path):
    """A function (*methods, **sections) -> experiment files that differ in their method."""

    def write(*methods: str, **sections) -> list:
        files = []
        for number, method in enumerate(methods):
            content = {
                "name": f"{method}{number}", "data": {"test_split": "test"}, "schedule": {"epochs": 2},
                "method": {"name": method}, **sections,
            }  # fmt: skip
            files.append(tmp_path / f"{method}{number}.yaml")
            files[-1].write_text(json.dumps(content))
        return files

    return write


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Puts `TRAINER` in the place of ``fer-keras``; a function () -> [label, seed, threads] of each call."""
    from fer_keras.comparison import runner

    (tmp_path / "standin.py").write_text(TRAINER)
    log = tmp_path / "ran"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RAN", str(log))
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)  # the tests' own
    monkeypatch.setattr(runner, "MODULE", "standin")
    monkeypatch.setattr(runner, "_POLL_SECONDS", 0.02)
    return lambda: [line.split("/") for line in log.read_text().split()] if log.is_file() else []
