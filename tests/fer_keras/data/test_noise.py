import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.data.noise import (
    NoiseError,
    class_dependent_noise,
    count_flips,
    measured_rate,
    noise_name,
    symmetric_noise,
)

label_lists = st.lists(st.integers(-1, 4), max_size=60).map(np.array)
rates = st.floats(0, 1)


@settings(deadline=None)
@given(label_lists, rates, st.integers(0, 10))
def test_symmetric_flips_exactly_the_fraction_and_nothing_else(labels, rate, seed):
    noisy = symmetric_noise(labels, rate, 5, seed)
    labelled = labels >= 0
    assert noisy.dtype == np.int64
    assert (noisy != labels).sum() == round(rate * labelled.sum())
    assert (noisy[~labelled] == -1).all()
    assert ((noisy[labelled] >= 0) & (noisy[labelled] < 5)).all()


@settings(deadline=None)
@given(label_lists, rates, st.integers(0, 10))
def test_class_dependent_flips_exactly_the_fraction_of_each_class(labels, rate, seed):
    transition = np.roll(np.eye(5), 1, axis=1)
    transition[3] = np.eye(5)[3]
    noisy = class_dependent_noise(labels, transition, seed, rate)
    assert (noisy[labels == -1] == -1).all()
    for index in range(5):
        given_to = noisy[labels == index]
        expected = 0 if index == 3 else round(rate * len(given_to))
        assert (given_to == (index + 1) % 5).sum() == expected
        assert (given_to == index).sum() == len(given_to) - expected


def test_seeds():
    labels = np.arange(200) % 8
    first = symmetric_noise(labels, 0.3, 8, seed=0)
    np.testing.assert_array_equal(first, symmetric_noise(labels, 0.3, 8, seed=0))
    assert (first != symmetric_noise(labels, 0.3, 8, seed=1)).any()
    assert (labels == np.arange(200) % 8).all(), "the input is left as it was"


def test_symmetric_flips_are_uniform_over_the_other_classes():
    counts = count_flips(labels := np.repeat(np.arange(4), 6000), symmetric_noise(labels, 0.5, 4, 3), 4)
    off_diagonal = counts[~np.eye(4, dtype=bool)]
    # 12 cells of 1,000 expected flips each; the standard deviation of one is about 29.
    assert np.abs(off_diagonal - 1000).max() < 150


def test_the_matrix_gives_fractions_and_targets():
    transition = np.array([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.1, 0.0, 0.9]])
    labels = np.repeat([0, 1, 2], 10_000)
    counts = count_flips(labels, class_dependent_noise(labels, transition, seed=0), 3)
    assert np.diag(counts).tolist() == [5000, 10_000, 9000]
    assert counts[0, 1] / 5000 == pytest.approx(0.6, abs=0.03)
    scaled = count_flips(labels, class_dependent_noise(labels, transition, seed=0, rate=0.1), 3)
    assert np.diag(scaled).tolist() == [9000, 10_000, 9000]


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rate_outside_the_unit_interval(rate):
    with pytest.raises(NoiseError, match="outside"):
        symmetric_noise(np.zeros(4, int), rate, 3, 0)
    with pytest.raises(NoiseError, match="outside"):
        class_dependent_noise(np.zeros(4, int), np.eye(3), 0, rate)


def test_one_class_has_nowhere_to_go():
    with pytest.raises(NoiseError, match="two classes"):
        symmetric_noise(np.zeros(4, int), 0.5, 1, 0)
    assert symmetric_noise(np.zeros(4, int), 0.0, 1, 0).tolist() == [0, 0, 0, 0]


def test_measured_rate_and_name():
    counts = count_flips(np.array([0, 1, 1, -1]), np.array([1, 1, 1, -1]), 2)
    assert counts.tolist() == [[0, 1], [0, 2]]
    assert measured_rate(counts) == pytest.approx(1 / 3)
    assert measured_rate(np.zeros((2, 2), int)) == 0
    assert noise_name("class-dependent", 1.0, 7) == "noisy_labels-class-dependent-1-seed7"
