"""A training process is killed and started again; nothing is lost and nothing differs."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml

COMMAND = [sys.executable, "-c", "from fer_keras.cli.main import main; main()", "train", "--config"]


@pytest.fixture
def write_config(tiny_record_set, tmp_path):
    def write(name: str, **schedule):
        content = {
            "name": name,
            "output_dir": str(tmp_path / "runs"),
            "data": {"directory": str(tiny_record_set), "image_size": [24, 24], "batch_size": 8},
            "backbone": {"name": "fer_mini", "options": {"widths": [4, 8], "blocks": [1, 1]}},
            "method": {"name": "cross_entropy", "dropout": 0.3, "prediction_momentum": 0.9},
            "schedule": {"epochs": 10, **schedule},
        }
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content))
        return file, tmp_path / "runs" / name

    return write


@pytest.fixture
def start():
    """Starts a training process; none outlives the test."""
    processes = []

    def run(config) -> subprocess.Popen:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        processes.append(
            subprocess.Popen(
                [*COMMAND, str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def wait_for_epoch(process: subprocess.Popen, run, epoch: int) -> None:
    state = run / "checkpoints" / "state.json"
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        if state.is_file() and json.loads(state.read_text())["epoch"] >= epoch:
            return
        time.sleep(0.01)
    process.kill()
    raise AssertionError(f"epoch {epoch} was not reached: {process.communicate()[0]}")


def variables(run) -> dict:
    with np.load(next((run / "checkpoints").glob("*.npz"))) as stored:
        return dict(stored)


def test_kill_and_resume_bit_for_bit(write_config, start):
    whole_config, whole = write_config("whole")
    parts_config, parts = write_config("parts")
    reference = start(whole_config)
    killed = start(parts_config)
    wait_for_epoch(killed, parts, 3)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (parts / "metrics.json").exists()
    resumed = start(parts_config)
    output = resumed.communicate(timeout=300)[0]
    assert resumed.returncode == 0, output
    assert "continuing after epoch" in output
    assert reference.wait(timeout=300) == 0
    assert (whole / "results.csv").read_text() == (parts / "results.csv").read_text()
    expected, found = variables(whole), variables(parts)
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(write_config, start):
    config, run = write_config("stopped", epochs=2000)
    process = start(config)
    wait_for_epoch(process, run, 1)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 130, output
    assert "the same command continues" in output.replace("\n", " ")
    assert "Traceback" not in output
