"""``fer-keras compare`` as a user runs it, on a tiny record set."""

import json
import os
import subprocess
import sys

import pytest
import yaml

SECTIONS = {
    "data": {"image_size": [24, 24], "batch_size": 8, "test_split": "test"},
    "backbone": {"name": "fer_mini", "options": {"widths": [4], "blocks": [1]}},
    "schedule": {"epochs": 2},
}


@pytest.fixture
def compare(tiny_record_set, tmp_path):
    """A function (*further arguments) -> finished process."""
    files = []
    for method in ("cross_entropy", "eac"):
        files.append(tmp_path / f"{method}.yaml")
        content = {**SECTIONS, "data": {**SECTIONS["data"], "directory": str(tiny_record_set)}}
        files[-1].write_text(yaml.safe_dump({**content, "method": {"name": method}}))
    command = [sys.executable, "-m", "fer_keras.cli.main", "compare", *map(str, files), "--out", "out"]

    def run(*arguments: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "COLUMNS": "200"}
        return subprocess.run(
            [*command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment
        )

    return run


def test_compares_and_never_runs_a_finished_cell_again(compare, tmp_path):
    finished = compare("--seeds", "0", "--jobs", "2")
    assert finished.returncode == 0, finished.stderr
    assert "cross_entropy" in finished.stdout
    content = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [(row["label"], row["seed"]) for row in content["rows"]] == [("cross_entropy", 0), ("eac", 0)]
    for row in content["rows"]:
        stored = json.loads((tmp_path / "out" / "runs" / row["label"] / "seed0" / "metrics.json").read_text())
        assert row["measures"]["test_best_accuracy"] == stored["splits"]["test"]["best"]["accuracy"]
    assert (tmp_path / "out" / "curves.png").is_file()

    weights = tmp_path / "out" / "runs" / "eac" / "seed0" / "weights" / "last.keras"
    before = weights.stat().st_mtime_ns
    again = compare("--seeds", "0")
    assert again.returncode == 0, again.stderr
    assert "2 of 2 runs are finished already" in again.stdout
    assert weights.stat().st_mtime_ns == before
