"""Random problems for property tests, drawn from a seed so that hypothesis can shrink them."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def draw_distributions():
    def draw(seed: int, samples: int, classes: int, zeros: float = 0.3) -> np.ndarray:
        """(samples, classes) distributions; about a share `zeros` of the values is exactly 0."""
        generator = np.random.default_rng(seed)
        values = generator.gamma(0.5, size=(samples, classes)) + 1e-6
        values[generator.random(values.shape) < zeros] = 0.0
        values[np.arange(samples), generator.integers(classes, size=samples)] += 0.1
        return values / values.sum(axis=1, keepdims=True)

    return draw
