import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_keras.losses.masked_patches import from_patches, masked_error, normalize_patches, to_patches

RNG = np.random.default_rng(0)


def test_patches_are_cut_row_by_row():
    images = RNG.random((2, 6, 9, 3))
    patches = np.asarray(to_patches(images, 3))
    assert patches.shape == (2, 6, 27)
    for row in range(2):
        for column in range(3):
            cut = images[:, 3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            np.testing.assert_array_equal(patches[:, 3 * row + column], cut.reshape(2, 27))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_images_come_back_from_their_patches(rows, columns, channels, patch_size, seed):
    images = np.random.default_rng(seed).random((2, rows * patch_size, columns * patch_size, channels))
    patches = to_patches(images, patch_size)
    np.testing.assert_array_equal(from_patches(patches, (rows, columns), patch_size), images)


@settings(max_examples=30, deadline=None)
@given(arrays.arrays("float32", (2, 3, 12), elements=st.floats(0, 1, width=32)))
def test_normalised_patches_have_mean_0_and_variance_1_and_come_back(patches):
    normalised, mean, deviation = (np.asarray(value) for value in normalize_patches(patches))
    np.testing.assert_allclose(normalised * deviation + mean, patches, atol=1e-5)
    np.testing.assert_allclose(normalised.mean(-1), 0, atol=2e-3)  # the mean of a flat patch is rounded, then scaled
    variance = patches.astype("float64").var(-1, ddof=1)
    np.testing.assert_allclose(normalised.var(-1, ddof=1), variance / (variance + 1e-6), atol=2e-3)


def slow_error(predictions, targets, mask) -> float:
    total, count = 0.0, 0
    for sample in range(len(mask)):
        for patch in range(mask.shape[1]):
            if mask[sample, patch]:
                total += sum((p - t) ** 2 for p, t in zip(predictions[sample, patch], targets[sample, patch])) / len(
                    targets[sample, patch]
                )
                count += 1
    return total / count


def test_the_error_is_that_of_the_hidden_patches():
    predictions, targets = RNG.normal(size=(2, 3, 5, 7))
    mask = (RNG.random((3, 5)) < 0.6).astype(float)
    found = masked_error(predictions, targets, mask)
    assert float(found) == pytest.approx(slow_error(predictions, targets, mask), rel=1e-6)


def test_seen_patches_get_no_gradient():
    predictions, targets = (tf.constant(value) for value in RNG.normal(size=(2, 3, 5, 7)))
    mask = (RNG.random((3, 5)) < 0.6).astype(float)
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = masked_error(predictions, targets, mask)
    expected = 2 * (predictions - targets).numpy() * mask[..., None] / (7 * mask.sum())
    np.testing.assert_allclose(tape.gradient(loss, predictions), expected, rtol=1e-6)
    assert np.abs(expected[mask == 0]).max() == 0 < np.abs(expected[mask == 1]).min()
