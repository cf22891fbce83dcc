import numpy as np
import pytest

from fer_keras.layers.sincos_positions import SinCosPositions


def slow_code(height: int, width: int, channels: int) -> np.ndarray:
    quarter = channels // 4
    table = np.zeros((height, width, channels))
    for row in range(height):
        for column in range(width):
            for i in range(quarter):
                for start, place in ((0, row), (2 * quarter, column)):
                    angle = place / 10000 ** (4 * i / channels)
                    table[row, column, start + i] = np.sin(angle)
                    table[row, column, start + quarter + i] = np.cos(angle)
    return table


def test_sines_and_cosines_of_row_and_column_are_added():
    patches = np.random.default_rng(0).normal(size=(2, 3, 5, 12)).astype("float32")
    np.testing.assert_allclose(SinCosPositions()(patches), patches + slow_code(3, 5, 12), atol=1e-6)


def test_every_place_has_its_own_code_and_nothing_is_learnt():
    layer = SinCosPositions()
    codes = np.asarray(layer(np.zeros((1, 8, 8, 16), "float32"))).reshape(64, 16)
    distances = np.linalg.norm(codes[:, None] - codes, axis=-1) + np.eye(64)
    assert distances.min() > 0.5
    assert layer.weights == []


def test_widths_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="a multiple of 4, not 6"):
        SinCosPositions()(np.zeros((1, 2, 2, 6), "float32"))
