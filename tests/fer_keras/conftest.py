"""Shared by the tests of the library: golden vectors, tiny models and configurations."""

import os
import shutil
from pathlib import Path

import pytest

GOLDENS = Path(os.environ.get("FER_KERAS_GOLDENS", Path(__file__).parents[3] / "shared" / "goldens"))


class Golden:
    """One golden file: ``golden["case.array"]``, and ``golden.case("name")`` for a case's arrays by short name."""

    def __init__(self, path: Path):
        import numpy as np

        self._arrays = dict(np.load(path))

    def __getitem__(self, key):
        return self._arrays[key]

    def cases(self, prefix: str) -> list[str]:
        found = {key.rpartition(".")[0] for key in self._arrays if "." in key}
        return sorted(case for case in found if case.startswith(prefix))

    def case(self, name: str) -> dict:
        start = f"{name}."
        return {key[len(start) :]: value for key, value in self._arrays.items() if key.startswith(start)}


@pytest.fixture(scope="session")
def golden():
    """Opens a golden file by component name; skips where the folder is absent."""
    opened: dict[str, Golden] = {}

    def open_golden(component: str) -> Golden:
        if not GOLDENS.is_dir():
            pytest.skip(f"golden vectors: no folder {GOLDENS} (set FER_KERAS_GOLDENS)")
        if component not in opened:
            opened[component] = Golden(GOLDENS / f"{component}.npz")
        return opened[component]

    return open_golden


@pytest.fixture(scope="session")
def flat_backbone():
    """A backbone whose feature width is chosen freely, for tests of what comes after it."""

    def build(width: int, size: int = 8):
        import keras

        image = keras.Input((size, size, 3), name="image")
        x = keras.layers.Rescaling(1 / 127.5, -1.0, name="stage0")(image)
        x = keras.layers.Conv2D(width, 3, strides=2, activation="relu", name="stage1")(x)
        return keras.Model(image, x, name="flat")

    return build


@pytest.fixture(scope="session")
def ready_record_set(tiny_record_set, tmp_path_factory):
    """A copy of the tiny record set; beside its training split neighbours, noisy labels, two sources of labels."""
    import numpy as np

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
    sources = np.stack([columns["label"], np.where(np.arange(32) % 3 == 0, -1, (columns["label"] + 1) % 8)], axis=1)
    write_sidecar(record_set, "train", "label_sources-two", sources)
    candidates = np.eye(8)[columns["label"]] + 0.5 * np.eye(8)[(columns["label"] + np.arange(32) % 3) % 8]
    write_sidecar(record_set, "train", "candidates-test", (candidates / 1.5).astype("float32"))
    return record_set.directory


@pytest.fixture
def make_config(ready_record_set, tmp_path):
    """A function (**sections) -> a configuration that trains in seconds."""

    from fer_keras.config import Config

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
