"""The Python script of the README is run as it stands, on a tiny record set in the place it names."""

import re
import runpy
import shutil
from pathlib import Path

import keras
import numpy as np

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_script_runs(tiny_record_set, tmp_path, monkeypatch):
    from fer_keras.data.neighbors import nearest_neighbors
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import write_sidecar

    (script,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(script.splitlines()) < 30
    shutil.copytree(tiny_record_set, tmp_path / "data" / "ferplus")
    record_set = RecordSet.load(tmp_path / "data" / "ferplus")
    columns = read_columns(record_set, "train", ["valence", "arousal"])
    ids, differences = nearest_neighbors(np.stack([columns["valence"], columns["arousal"]], -1), 8)
    write_sidecar(record_set, "train", "neighbors-pseudo_expression-k8", ids)
    write_sidecar(record_set, "train", "neighbor_differences-pseudo_expression-k8", differences)
    monkeypatch.chdir(tmp_path)
    # The tiny set holds 32 images: half the batch size of the script, and nothing else, is changed.
    assert script.count("    64,\n") == 1
    Path("script.py").write_text(script.replace("    64,\n", "    16,\n"))
    names = runpy.run_path("script.py")
    assert len(names["doubtful"]) == 20
    assert keras.models.load_model("best.keras").name == names["model"].name
    probs = keras.models.load_model("classifier.keras").predict(np.zeros((1, 48, 48, 3), "uint8"), verbose=0)["probs"]
    np.testing.assert_allclose(probs.sum(), 1.0, rtol=1e-5)
