import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.data.labelled_subset import LABELLED, LEFT_OUT, LabelledSubsetError, labelled_subset

NAMES = ("neutral", "happiness", "sadness")


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 60), min_size=3, max_size=3),
    share=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_labels_are_shared_out_in_the_proportions_of_the_classes(counts, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], counts))
    total = 3 + round(share * (sum(counts) - 3))
    subset = labelled_subset(labels, NAMES, total=total, seed=seed)
    drawn = np.bincount(labels[subset == LABELLED], minlength=3)
    assert drawn.sum() == total and drawn.min() >= 1
    exact = total * np.array(counts) / sum(counts)
    assert (drawn - exact <= 1 + 1e-9).all()  # one label is given to a class that would have none
    assert (exact - drawn <= 3).all()


def test_as_many_of_every_class():
    labels = np.array([0] * 9 + [1] * 5 + [-1] * 4)
    subset = labelled_subset(labels, NAMES, per_class=4)
    assert np.bincount(labels[subset == LABELLED]).tolist() == [4, 4]
    assert (subset[-4:] == 0).all()


def test_the_seed_decides():
    labels = np.arange(60) % 3
    first, again, other = (labelled_subset(labels, NAMES, total=12, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(8))
def test_no_image_is_seen_both_with_and_without_its_label(seed):
    labels = np.arange(30) % 3
    twins = [[0, 3, 6], [1, 2]]  # the last two have different labels
    subset = labelled_subset(labels, NAMES, total=24, twins=twins, seed=seed)
    for group in twins:
        values = subset[group].tolist()
        assert values.count(LABELLED) <= 1
        if LABELLED in values:
            assert values.count(LEFT_OUT) == len(group) - 1
        else:
            assert values == [0] * len(group)
    assert (subset == LEFT_OUT).sum() == sum(len(group) - 1 for group in twins if (subset[group] == LABELLED).any())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "in all, or of each class"),
        ({"total": 3, "per_class": 1}, "in all, or of each class"),
        ({"per_class": 3}, "class sadness has 2 different images, 3 labels"),
        ({"total": 2}, "2 labels: wanted 3 .* to 8"),
        ({"total": 9}, "9 labels: wanted 3 .* to 8"),
    ],
)
def test_refuses_what_there_is_not(options, message):
    with pytest.raises(LabelledSubsetError, match=message):
        labelled_subset(np.array([0, 0, 0, 1, 1, 1, 2, 2]), NAMES, **options)
