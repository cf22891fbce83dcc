"""The quickstart as a user runs it, on a few faces."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

from fer_keras.curation.recovery import Recovery
from fer_keras.quickstart.page import pick

pytestmark = pytest.mark.slow  # two minutes

COMMAND = "quickstart --out q --train 208 --validation 100 --test 100 --epochs 2 --seed 1"


def quickstart(folder) -> subprocess.CompletedProcess:
    """The finished command, run in a folder."""
    command = [sys.executable, "-m", "fer_keras.cli.main", *shlex.split(COMMAND)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=550)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a small quickstart, and what the command printed."""
    out = tmp_path_factory.mktemp("quickstart") / "q"
    done = quickstart(out.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_every_step_is_printed_as_a_command(finished):
    _, printed = finished
    lines = [line[2:] for line in printed.splitlines() if line.startswith("$ ")]
    assert [line.split()[1] for line in lines] == [
        "synthetic", "add-noise", "add-valence-arousal", "add-neighbors",
        "train", "train", "recover", "recover", "export",
    ]  # fmt: skip
    assert "side by side" in printed and "Open q/index.html" in printed


def test_the_page_is_one_file_with_everything(finished):
    out, _ = finished
    page = (out / "index.html").read_text()
    assert page.count("data:image/png;base64,") == 7
    assert '<img src="data:' in page and "http" not in page
    for step in ("fer-tfrecords synthetic --out q/data", "fer-keras export q/runs/ldlva"):
        assert step in page


def test_the_summary_holds_both_runs(finished):
    out, _ = finished
    summary = json.loads((out / "summary.json").read_text())
    assert 0 < summary["cross_entropy"]["test_last"] < 1 and 0 < summary["ldlva"]["test_last"] < 1
    assert summary["ldlva"]["labels"]["flipped"] == pytest.approx(0.3, abs=0.01)
    assert len(summary["seconds"]) == 9
    assert sorted(path.name for path in (out / "exported").iterdir()) == [
        "1", "MODEL_CARD.md", "config.yaml", "export.json", "labels.txt", "model.tflite", "model_float16.tflite",
    ]  # fmt: skip


def test_shown_faces_are_half_flipped(finished):
    out, _ = finished
    recovery = Recovery.load(out / "runs" / "ldlva" / "recovery-last")
    chosen = pick(recovery, 8, seed=0)
    flipped = recovery.given[chosen] != recovery.clean[chosen]
    np.testing.assert_array_equal(flipped, [True] * 4 + [False] * 4)
    assert chosen == pick(recovery, 8, seed=0)


def test_again_there_is_nothing_left_to_do(finished):
    out, _ = finished
    again = quickstart(out.parent)
    assert again.returncode == 0 and again.stdout.count(": done") == 9
    assert "$ " not in again.stdout
