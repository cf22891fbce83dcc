import shutil

import numpy as np
import pytest

from fer_keras.config import Config


@pytest.fixture(scope="session")
def ready_record_set(tiny_record_set, tmp_path_factory):
    """A copy of the tiny record set with neighbours and noisy labels beside its training split."""
    from fer_keras.data.neighbors import nearest_neighbors
    from fer_keras.data.records import RecordSet, read_columns
    from fer_keras.data.sidecars import write_sidecar

    record_set = RecordSet.load(shutil.copytree(tiny_record_set, tmp_path_factory.mktemp("ready") / "tiny"))
    columns = read_columns(record_set, "train", ["label", "valence", "arousal"])
    ids, differences = nearest_neighbors(np.stack([columns["valence"], columns["arousal"]], -1), 3)
    write_sidecar(record_set, "train", "neighbors-records-k3", ids)
    write_sidecar(record_set, "train", "neighbor_differences-records-k3", differences)
    write_sidecar(record_set, "train", "noisy_labels-test", (columns["label"] + (np.arange(32) % 4 == 0)) % 8)
    write_sidecar(record_set, "train", "noisy_labels-missing", np.where(np.arange(32) < 2, -1, columns["label"]))
    return record_set.directory


@pytest.fixture
def make_config(ready_record_set, tmp_path):
    """A function (**sections) -> a configuration that trains in seconds."""

    def make(name="run", method=None, schedule=None, training=None, data=None, **top) -> Config:
        return Config.model_validate(
            {
                "name": name,
                "output_dir": str(tmp_path / "runs"),
                "data": {
                    "directory": str(ready_record_set), "image_size": [24, 24], "batch_size": 8,
                    "test_split": "test", "neighbors": "neighbors-records-k3", **(data or {}),
                },
                "backbone": {"name": "fer_mini", "options": {"widths": [4, 8], "blocks": [1, 1]}},
                "method": method or {"name": "ldlva", "neighbor_mode": "bank", "dropout": 0.2},
                "schedule": {"epochs": 3, **(schedule or {})},
                "training": training or {},
                **top,
            }
        )  # fmt: skip

    return make
