import numpy as np
import pytest

from fer_keras.layers.center_bank import CenterBank


def slow_update(centers, features, labels, certainty, rate, fidelity):
    """The update as written down, one row and one pair at a time."""
    classes, width = centers.shape
    moved = centers.copy()
    for j in range(classes):
        rows = [n for n in range(len(labels)) if labels[n] == j]
        total = sum((certainty[n] * (centers[j] - features[n]) for n in rows), np.zeros(width))
        step = total / (1 + len(rows))
        moved[j] -= rate * (step / len(labels) if fidelity == "official" else step)
    divisor, factor = (width, 0.1) if fidelity == "official" else (np.sqrt(width), 2.0)
    pushed = moved.copy()
    for j in range(classes):
        for k in range(classes):
            difference = moved[j] - moved[k]
            pushed[j] += rate * factor * 2 / divisor * difference * np.exp(-(difference @ difference) / divisor)
    return pushed


@pytest.mark.parametrize("fidelity", ["paper", "official"])
def test_update_equals_the_slow_loop(fidelity):
    rng = np.random.default_rng(0)
    centers, features = rng.normal(size=(4, 6)), rng.normal(size=(9, 6))
    labels, certainty = rng.integers(0, 3, 9), rng.uniform(size=9)  # class 3 has no row
    bank = CenterBank(4, 6, rate=0.3, fidelity=fidelity)
    bank.centers.assign(centers)
    bank.update(features.astype("float32"), labels, certainty.astype("float32"))
    expected = slow_update(centers, features, labels, certainty, 0.3, fidelity)
    np.testing.assert_allclose(bank.centers, expected, rtol=1e-5, atol=1e-6)


def test_uncertain_rows_do_not_attract():
    bank = CenterBank(2, 3, fidelity="paper")
    bank.update(np.ones((4, 3), "float32"), np.zeros(4, int), np.zeros(4, "float32"))
    np.testing.assert_array_equal(bank.centers, np.zeros((2, 3)))


def test_config_round_trip():
    bank = CenterBank(3, 5, rate=0.2, fidelity="paper")
    assert CenterBank.from_config(bank.get_config()).get_config() == bank.get_config()
