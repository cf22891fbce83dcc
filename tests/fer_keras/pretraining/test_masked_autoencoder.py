import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.backbones import build_backbone
from fer_keras.backbones.vit import embed_patches, encode_tokens
from fer_keras.losses.masked_patches import to_patches
from fer_keras.pretraining import MaskedAutoencoder

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 24, 24, 3)).astype(np.uint8)


def build(seed: int = 7, **options) -> MaskedAutoencoder:
    keras.utils.set_random_seed(0)
    backbone = build_backbone("vit_tiny", (24, 24), patch_size=6, width=16, depth=2, heads=2, **options)
    return MaskedAutoencoder(backbone, decoder_width=12, decoder_depth=1, decoder_heads=2, seed=seed)


def dataset(images=IMAGES, batch: int = 2) -> tf.data.Dataset:
    x = {"image": images, "sample_id": np.arange(len(images))}
    return tf.data.Dataset.from_tensor_slices((x, {"label": np.full(len(images), -1)})).batch(batch)


def test_three_quarters_are_hidden_and_the_loss_is_theirs_alone():
    model = build()
    outputs = model(IMAGES, training=True)
    np.testing.assert_array_equal(np.sum(outputs["mask"], axis=1), 12)
    loss = 0.0
    patches = np.asarray(to_patches(IMAGES / 255.0, 6), "float64")
    for sample, patch in zip(*np.nonzero(outputs["mask"])):
        values = patches[sample, patch]
        target = (values - values.mean()) / np.sqrt(values.var(ddof=1) + 1e-6)
        loss += np.mean((np.asarray(outputs["patches"])[sample, patch] - target) ** 2) / (12 * len(IMAGES))
    found = model.compute_loss({"image": IMAGES}, y_pred=outputs)
    assert float(found) == pytest.approx(loss, rel=1e-4)


def test_hidden_patches_are_not_seen():
    """The predictions do not change with the pixels that are hidden, only with those that are not."""
    model = build()
    before = model(IMAGES)
    hidden = np.asarray(before["mask"], bool)
    blocks = np.repeat(np.repeat(hidden.reshape(6, 4, 4), 6, axis=1), 6, axis=2)[..., None]
    np.testing.assert_array_equal(model(np.where(blocks, 0, IMAGES))["patches"], before["patches"])
    assert np.abs(model(np.where(blocks, IMAGES, 0))["patches"] - before["patches"]).max() > 1e-3


def test_the_encoder_is_the_backbone():
    """With everything seen it would compute the backbone's own output."""
    model = build()
    tokens = encode_tokens(model.backbone, embed_patches(model.backbone, IMAGES.astype("float32")))
    np.testing.assert_allclose(tokens, np.asarray(model.backbone(IMAGES)).reshape(6, 16, 16), atol=1e-5)


def test_masks_are_new_in_every_training_step_and_fixed_elsewhere():
    model, twin = build(), build()
    drawn = [np.asarray(model(IMAGES, training=True)["mask"]) for _ in range(3)]
    assert len({mask.tobytes() for mask in drawn}) == 3
    assert len(np.unique(drawn[0], axis=0)) > 1  # samples differ
    for mask in drawn:
        np.testing.assert_array_equal(twin(IMAGES, training=True)["mask"], mask)
    np.testing.assert_array_equal(model(IMAGES)["mask"], model(IMAGES)["mask"])


def test_every_patch_is_hidden_equally_often():
    model = build()
    share = np.mean([np.asarray(model(IMAGES, training=True)["mask"]) for _ in range(100)], axis=(0, 1))
    np.testing.assert_allclose(share, 0.75, atol=0.08)


def test_it_learns_and_every_weight_takes_part():
    model = build()
    model.compile(keras.optimizers.AdamW(3e-3))
    before = [np.asarray(weight) for weight in model.trainable_weights]
    losses = model.fit(dataset().repeat(), steps_per_epoch=3, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < 0.97 * losses[0]
    # A bias of the keys shifts all scores of a query alike, which attention does not notice.
    still = [w.path for w, old in zip(model.trainable_weights, before) if np.array_equal(w, old)]
    assert all("key/bias" in path for path in still)


def test_evaluation_tells_the_mean_loss_of_all_batches():
    model = build()
    model.compile("adam", run_eagerly=True)
    found = model.evaluate(dataset(batch=3), verbose=0, return_dict=True)
    parts = [float(model.compute_loss({"image": part}, y_pred=model(part))) for part in (IMAGES[:3], IMAGES[3:])]
    assert found == {"loss": pytest.approx(np.mean(parts), rel=1e-5)}


def test_a_picture_keeps_what_is_seen_and_has_the_true_means():
    model = build()
    pictures = {name: np.asarray(found) for name, found in model.reconstruct(IMAGES).items()}
    hidden = np.asarray(model(IMAGES)["mask"], bool)
    original, masked, made = (
        np.asarray(to_patches(found, 6)) for found in (IMAGES.astype("float32"), *pictures.values())
    )
    for found in (masked, made):
        np.testing.assert_allclose(found[~hidden], original[~hidden], atol=1e-3)
        assert found.min() >= 0 and found.max() <= 255
    np.testing.assert_array_equal(masked[hidden], 127.5)
    assert np.abs(made[hidden] - masked[hidden]).max() > 10


def test_it_is_stored_and_goes_on_with_its_masks(tmp_path):
    model = build()
    model(IMAGES, training=True)
    model.save(tmp_path / "mae.keras")
    loaded = keras.models.load_model(tmp_path / "mae.keras", safe_mode=True, compile=False)
    configs = [{**network.get_config(), "backbone": None} for network in (loaded, model)]
    assert configs[0] == configs[1]
    for key in ("patches", "mask"):
        np.testing.assert_array_equal(loaded(IMAGES, training=True)[key], model(IMAGES, training=True)[key])


def test_mixed_precision_trains():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build()
        model.compile(keras.optimizers.AdamW(1e-3), run_eagerly=True)  # faster than making the graph
        losses = model.fit(dataset(), epochs=2, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) and np.isfinite(losses).all()


def test_a_loss_that_is_not_finite_is_an_error():
    model = build()
    model.decoder.pixels.bias.assign(np.full(108, np.nan))
    model.compile("adam", run_eagerly=True)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the loss is NaN or infinite"):
        model.fit(dataset(), verbose=0)


def test_other_backbones_are_refused(flat_backbone):
    with pytest.raises(ValueError, match="backbone flat: masked autoencoding hides patches, so it needs vit_tiny"):
        MaskedAutoencoder(flat_backbone(4))
