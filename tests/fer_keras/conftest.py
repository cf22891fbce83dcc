"""Shared by the tests of the library: golden vectors and tiny models."""

import os
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
        x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
        x = keras.layers.Conv2D(width, 3, strides=2, activation="relu", name="stage1")(x)
        return keras.Model(image, x, name="flat")

    return build
