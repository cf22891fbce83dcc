import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrecords_tools.selection import SelectionError, choose_subset, choose_validation

samples = st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 3)), min_size=1, max_size=80)


def _columns(drawn):
    return [b"image %d" % image for image, _ in drawn], np.array([label for _, label in drawn])


@settings(deadline=None)
@given(samples, st.floats(0.05, 0.95), st.integers(0, 5))
def test_identical_images_are_on_one_side(drawn, fraction, seed):
    hashes, labels = _columns(drawn)
    chosen = choose_validation(hashes, labels, fraction, seed)
    sides = {}
    for value, side in zip(hashes, chosen):
        assert sides.setdefault(value, side) == side


@settings(deadline=None)
@given(samples, st.floats(0.05, 0.95), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_records(drawn, fraction, random):
    # One label per image, as the stratum of a group is that of its first sample.
    drawn = [(image, image % 4) for image, _ in drawn]
    shuffled = random.sample(drawn, len(drawn))
    first = choose_validation(*_columns(drawn), fraction, 0)
    second = choose_validation(*_columns(shuffled), fraction, 0)
    assert {image for (image, _), side in zip(drawn, first) if side} == {
        image for (image, _), side in zip(shuffled, second) if side
    }


def test_validation_is_stratified_and_seeded():
    labels = np.repeat([-1, 0, 1, 2], [100, 1000, 50, 10])
    hashes = [b"%d" % index for index in range(len(labels))]
    chosen = choose_validation(hashes, labels, 0.1, seed=0)
    assert [int(chosen[labels == label].sum()) for label in (-1, 0, 1, 2)] == [10, 100, 5, 1]
    assert (chosen == choose_validation(hashes, labels, 0.1, seed=0)).all()
    assert (chosen != choose_validation(hashes, labels, 0.1, seed=1)).any()


@settings(deadline=None)
@given(samples, st.integers(0, 5), st.data())
def test_subset_has_the_size_asked_for_and_keeps_the_shares(drawn, seed, data):
    hashes, labels = _columns(drawn)
    size = data.draw(st.integers(1, len(labels)))
    kept = choose_subset(hashes, labels, size, seed)
    assert len(kept) == size
    assert (np.diff(kept) > 0).all()
    for label in np.unique(labels):
        share = (labels == label).sum() * size / len(labels)
        assert abs((labels[kept] == label).sum() - share) < 1


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_fraction_out_of_range(fraction):
    with pytest.raises(SelectionError, match="outside"):
        choose_validation([b"a"], np.zeros(1, int), fraction, 0)


@pytest.mark.parametrize("size", [0, 3])
def test_subset_size_out_of_range(size):
    with pytest.raises(SelectionError, match="there are 2"):
        choose_subset([b"a", b"b"], np.zeros(2, int), size, 0)
