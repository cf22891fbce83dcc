import keras
import numpy as np
import pytest

from fer_keras.backbones.fer_mini import fer_mini

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return fer_mini((48, 48))


def test_it_has_the_published_size_and_fits_the_float16_budget(model):
    classifier = 144 * 8 + 8
    assert model.count_params() + classifier == 668_720
    assert 2 * (model.count_params() + classifier) <= 1.5e6


def test_input_and_stages_keep_their_names_and_shapes(model):
    assert model.name == "fer_mini"
    assert model.input.name == "image"
    assert model.input.shape == (None, 48, 48, 3)
    shapes = [model.get_layer(f"stage{stage}").output.shape[1:] for stage in (1, 2, 3, 4)]
    assert shapes == [(24, 24, 24), (12, 12, 48), (6, 6, 96), (3, 3, 144)]
    assert model.output is model.get_layer("stage4").output


@pytest.mark.parametrize(("size", "expected"), [((64, 64), (4, 4)), ((50, 37), (4, 3)), ((16, 16), (1, 1))])
def test_sizes_that_do_not_divide_are_rounded_up(size, expected):
    model = fer_mini(size)
    assert model.output.shape == (None, *expected, 144)
    assert np.isfinite(model(np.zeros((1, *size, 3), np.float32))).all()


def test_widths_and_blocks_shape_the_network():
    model = fer_mini((48, 48), widths=[8, 16], blocks=[2, 3])
    assert model.output.shape == (None, 12, 12, 16)
    assert sum(layer.name.endswith("_add") for layer in model.layers) == 5


def test_a_block_adds_its_convolutions_to_the_shortcut(model):
    outputs = [model.get_layer(name).output for name in ("stage1", "stage2_block1_shortcut_bn", "stage2_block1_2_bn")]
    before, shortcut, residual = keras.Model(model.input, outputs)(IMAGES)
    after = keras.Model(model.input, model.get_layer("stage2").output)(IMAGES)
    np.testing.assert_allclose(after, np.maximum(shortcut + residual, 0), atol=1e-6)
    pooled = np.asarray(before).reshape(2, 12, 2, 12, 2, 24).mean((2, 4))
    weights = model.get_layer("stage2_block1_shortcut_conv").kernel.numpy()[0, 0]
    np.testing.assert_allclose(shortcut, pooled @ weights / np.sqrt(1 + 1e-3), atol=1e-5)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((15, 48), {}, "at least 16x16"),
        ((48, 48), {"widths": [8]}, "one positive number per stage"),
        ((48, 48), {"widths": [], "blocks": []}, "one positive number per stage"),
        ((48, 48), {"widths": [8, 0], "blocks": [1, 1]}, "one positive number per stage"),
    ],
)
def test_impossible_networks_are_refused(size, options, message):
    with pytest.raises(ValueError, match=message):
        fer_mini(size, **options)


def test_it_loads_in_safe_mode_and_computes_the_same(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))


def test_it_converts_to_litert_with_builtin_operations_only(model, run_with_builtins):
    np.testing.assert_allclose(run_with_builtins(model, IMAGES), model(IMAGES), atol=1e-4)
