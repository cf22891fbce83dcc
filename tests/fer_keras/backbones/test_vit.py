import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.backbones import BackboneError, build_backbone
from fer_keras.backbones.branches import StageError, copy_branch, split_backbone, stages
from fer_keras.backbones.vit import embed_patches, encode_tokens, is_vision_transformer

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3)).astype(np.uint8)
SMALL = {"patch_size": 6, "width": 16, "depth": 6, "heads": 2, "mlp_ratio": 2.0}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return build_backbone("vit_tiny", (24, 24), **SMALL)


@pytest.mark.parametrize(("name", "millions"), [("vit_tiny", 5.49), ("vit_small", 21.59), ("vit_base", 85.65)])
def test_the_published_sizes(name, millions):
    """ViT-Ti, S and B without class token, learnt positions and classifier: 5.7, 22.1 and 86.6 million with them."""
    model = build_backbone(name, (32, 32))
    assert model.count_params() / 1e6 == pytest.approx(millions, abs=0.005)
    assert model.output.shape == (None, 2, 2, {"vit_tiny": 192, "vit_small": 384, "vit_base": 768}[name])


def test_input_and_stages_are_maps_of_one_size(model):
    assert model.name == "vit_tiny" and model.input.name == "image"
    assert [model.get_layer(f"stage{i}").output.shape for i in (1, 2, 3, 4)] == [(None, 4, 4, 16)] * 4
    assert model.output is model.get_layer("stage4").output
    assert stages(model) == ["stage1", "stage2", "stage3"]
    order = [layer.name for layer in model.layers if layer.name.startswith(("block", "stage"))]
    assert order[:6] == ["block1", "block2", "stage1", "stage1_tokens", "block3", "stage2"]
    assert stages(build_backbone("vit_tiny", (24, 24), **{**SMALL, "depth": 2})) == ["stage1"]


def test_a_patch_lies_in_its_place_of_the_map(model):
    tokens = np.asarray(embed_patches(model, IMAGES.astype("float32"))).reshape(2, 4, 4, 16)
    kernel, bias = (np.asarray(weight) for weight in model.get_layer("patch_embedding").weights)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = (IMAGES / 255 - mean) / std
    for row, column in [(0, 0), (1, 3), (3, 2)]:
        patch = pixels[:, 6 * row : 6 * row + 6, 6 * column : 6 * column + 6]
        angles = [p / 10000 ** (i / 4) for p in (row, column) for i in range(4)]
        code = [function(angle) for half in (angles[:4], angles[4:]) for function in (np.sin, np.cos) for angle in half]
        expected = np.einsum("bijc,ijcv->bv", patch, kernel) + bias + code
        np.testing.assert_allclose(tokens[:, row, column], expected, atol=1e-5)


def test_tokens_in_any_order_give_the_output_in_that_order(model):
    tokens = embed_patches(model, IMAGES.astype("float32"))
    expected = np.asarray(model(IMAGES)).reshape(2, 16, 16)
    np.testing.assert_allclose(encode_tokens(model, tokens), expected, atol=1e-6)
    order = np.random.default_rng(1).permutation(16)
    mixed = encode_tokens(model, tf.gather(tokens, order, axis=1))
    np.testing.assert_allclose(mixed, expected[:, order], atol=1e-5)


def test_it_is_cut_into_trunk_and_branches(model):
    expected = model(IMAGES)
    for stage in stages(model):
        trunk, branch = split_backbone(model, stage)
        shared = trunk(IMAGES)
        for part in (branch, copy_branch(branch, "auxiliary")):
            np.testing.assert_allclose(part(shared), expected, atol=1e-6)
    with pytest.raises(StageError, match=r"there is no layer 'stage9'.*: stage1, stage2, stage3\)"):
        split_backbone(model, "stage9")


def test_drop_path_rises_with_the_depth_and_acts_in_training_only():
    model = build_backbone("vit_tiny", (24, 24), **SMALL, drop_path=0.5)
    rates = [model.get_layer(f"block{i}").drop_path for i in range(1, 7)]
    np.testing.assert_allclose(rates, [0, 0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_array_equal(model(IMAGES), model(IMAGES))
    assert np.abs(model(IMAGES, training=True) - model(IMAGES)).max() > 0.01


def test_weights_fit_another_image_size_and_another_drop_path(model, tmp_path):
    file = str(tmp_path / "vit.weights.h5")
    model.save_weights(file)
    other = build_backbone("vit_tiny", (24, 36), weights=file, **SMALL, drop_path=0.1)
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, two)
    assert other.output.shape == (None, 4, 6, 16)


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        ((48, 50), {}, "image size 48x50: height and width should be multiples of patch_size, which is 16"),
        ((48, 48), {"patch_size": 7}, "multiples of patch_size, which is 7"),
        ((48, 48), {"width": 18, "heads": 2}, "a width that is a multiple of 4, not 18"),
        ((48, 48), {"heads": 5}, "a width of 192 cannot be shared by 5 attention heads"),
        ((48, 48), {"depth": 0}, "should be above 0"),
        ((48, 48), {"drop_path": 1.0}, "drop_path should be at least 0 and below 1"),
        ((48, 48), {"patch_size": "6"}, "backbone vit_tiny, image size 48x48"),
        ((48, 48), {"blocks": 3}, r"unknown option 'blocks' \(options: patch_size, width, depth"),
    ],
)
def test_impossible_networks_are_refused(size, options, message):
    with pytest.raises(BackboneError, match=message):
        build_backbone("vit_tiny", size, **options)


def test_it_knows_itself(model, flat_backbone):
    assert is_vision_transformer(model) and not is_vision_transformer(flat_backbone(4))


def test_it_loads_in_safe_mode_and_computes_the_same(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))


def test_mixed_precision_computes_nearly_the_same(model):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = build_backbone("vit_tiny", (24, 24), **SMALL)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    assert half(IMAGES).dtype == "float16"
    np.testing.assert_allclose(half(IMAGES), model(IMAGES), atol=0.03)


def test_it_converts_to_litert_with_builtin_operations_only(model, run_with_builtins):
    np.testing.assert_allclose(run_with_builtins(model, IMAGES), model(IMAGES), atol=1e-4)
