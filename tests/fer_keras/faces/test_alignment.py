import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_keras.faces.alignment import align_face, crop_face, similarity
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY

POINTS = np.array(DEFAULT_GEOMETRY.points)


@given(st.floats(0.1, 50), st.floats(-3.1, 3.1), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_found_again(scale, angle, x, y):
    a, b = scale * np.exp(1j * angle), complex(x, y)
    target = a * (POINTS @ (1, 1j)) + b
    found = similarity(POINTS, np.stack([target.real, target.imag], axis=1))
    np.testing.assert_allclose(found, (a, b), atol=1e-8 * (scale + abs(b)))


def test_the_least_squares_solution_without_mirroring():
    random = np.random.default_rng(0)
    target = POINTS[:, ::-1] * 40 + random.normal(size=(5, 2))  # mirrored, and noisy
    a, b = similarity(POINTS, target)
    # x' = a1 x - a2 y + b1, y' = a2 x + a1 y + b2: the same as a linear system
    x, y = POINTS.T
    zero, one = np.zeros(5), np.ones(5)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    expected = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose([a.real, a.imag, b.real, b.imag], expected, atol=1e-10)


def test_points_on_top_of_each_other():
    with pytest.raises(ValueError, match="on top of each other"):
        similarity(np.zeros((5, 2)), POINTS)


@pytest.mark.parametrize("side", [30, 100, 400])
@pytest.mark.parametrize("angle", [0, 25, -90])
def test_points_come_to_lie_where_the_geometry_has_them(side, angle):
    # A blurred dot at every point: its centre of brightness in the crop is where the point went.
    a, b = side * np.exp(1j * np.deg2rad(angle)), complex(700, 650)
    places = a * (POINTS @ (1, 1j)) + b
    landmarks = np.stack([places.real, places.imag], axis=1) - 0.5
    y, x = np.mgrid[:1400, :1500]
    for point, (left, top) in zip(POINTS, landmarks, strict=True):
        dot = 255 * np.exp(-((x - left) ** 2 + (y - top) ** 2) / (2 * (side * 0.04) ** 2))
        crop = align_face(np.repeat(dot[..., None], 3, 2).round().astype(np.uint8), landmarks, DEFAULT_GEOMETRY, 64)
        size = len(crop)
        assert crop.shape == (size, size, 3) and 64 <= size <= 256
        light = crop[..., 0].astype(float)
        rows, columns = np.mgrid[:size, :size] + 0.5
        centre = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum() / size
        np.testing.assert_allclose(centre, point, atol=0.006)


def test_beyond_the_edge_the_edge_is_repeated():
    image = np.full((50, 60, 3), 77, np.uint8)
    crop = align_face(image, POINTS * 200 - 100, DEFAULT_GEOMETRY, 32)
    assert (crop == 77).all()


def test_an_upright_crop_of_the_right_size_is_the_picture_itself():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    crop = align_face(image, POINTS * 48 - 0.5, DEFAULT_GEOMETRY, 48)
    np.testing.assert_allclose(crop.astype(int), image, atol=1)  # rounding


@pytest.mark.parametrize("side", [30, 64, 400])
def test_a_crop_has_the_size_that_is_asked_for(side):
    y, x = np.mgrid[:500, :500]
    image = np.stack([x // 2, y // 2, (x + y) // 4], axis=-1).astype(np.uint8)
    landmarks = POINTS * side + 40
    crop, aligned = (cut(image, landmarks, DEFAULT_GEOMETRY, 64) for cut in (crop_face, align_face))
    assert crop.shape == (64, 64, 3)
    np.testing.assert_allclose(crop.mean(axis=(0, 1)), aligned.mean(axis=(0, 1)), atol=1)
