import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_keras.layers.sample_table import SampleTable


def test_starts_at_the_initial_value():
    table = SampleTable(5, 3, initial_value=0.25)
    np.testing.assert_array_equal(table.read(np.arange(5)), np.full((5, 3), 0.25, "float32"))


@settings(max_examples=30, deadline=None)
@given(ids=st.lists(st.integers(0, 19), min_size=1, max_size=10, unique=True), seed=st.integers(0, 99))
def test_write_is_a_row_by_row_assignment(ids, seed):
    rows = np.random.default_rng(seed).normal(size=(len(ids), 2)).astype("float32")
    table, expected = SampleTable(20, 2), np.zeros((20, 2), "float32")
    table.write(np.array(ids), rows)
    for i, row in zip(ids, rows):
        expected[i] = row
    np.testing.assert_array_equal(table.table, expected)


def test_reads_any_shape_of_ids():
    table = SampleTable(4, 2)
    table.write([3], [[1.0, 2.0]])
    found = table(np.array([[3, 0], [0, 3]]))
    np.testing.assert_array_equal(found, [[[1, 2], [0, 0]], [[0, 0], [1, 2]]])


def test_is_saved_and_restored_but_not_trained(tmp_path):
    ids = keras.Input((), dtype="int64")
    model = keras.Model(ids, SampleTable(6, 1, name="table")(ids))
    assert model.trainable_weights == []
    model.get_layer("table").write([4], [[0.75]])
    model.save(tmp_path / "m.keras")
    restored = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(restored.get_layer("table").table, model.get_layer("table").table)


def test_keeps_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        table = SampleTable(3, 1)
        table.write([0], [[1e-7]])
    finally:
        keras.config.set_dtype_policy("float32")
    assert float(table.read([0])[0, 0]) == pytest.approx(1e-7)


@pytest.mark.parametrize(("samples", "width"), [(0, 1), (3, 0)])
def test_refuses_an_empty_table(samples, width):
    with pytest.raises(ValueError, match="rows and columns"):
        SampleTable(samples, width)
