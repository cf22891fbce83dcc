"""Methods that use more of a backbone than its averaged features take a Vision Transformer like any other."""

import keras
import numpy as np
import pytest

from fer_keras import methods
from fer_keras.backbones import build_backbone
from fer_keras.emotions import EMOTIONS_7

LABELS = np.repeat(np.arange(7), 2)
IMAGES = np.random.default_rng(0).integers(0, 256, (14, 24, 24, 3)).astype("uint8")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ada_df", {"stage": "stage1"}),
        ("dmue", {"stage": "stage3", "num_samples": 14}),
        ("eac", {"num_samples": 14}),
        ("rul", {"num_samples": 14}),
    ],
)
def test_one_step_moves_the_backbone_and_the_method_is_stored(name, options, tmp_path):
    keras.utils.set_random_seed(0)
    backbone = build_backbone("vit_tiny", (24, 24), patch_size=6, width=16, depth=4, heads=2, drop_path=0.1)
    cls = methods.get(name)
    options = {key: value for key, value in options.items() if key != "num_samples" or cls.uses_sample_table}
    model = cls(backbone, EMOTIONS_7, **options)
    before = np.asarray(backbone.get_layer("block4").expand.kernel)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    x = {"image": IMAGES, "sample_id": np.arange(14)}
    y = {"label": LABELS, "distribution": np.eye(7, dtype="float32")[LABELS]}
    loss = model.train_on_batch(x, y, return_dict=True)["loss"]
    assert np.isfinite(loss)
    assert np.abs(backbone.get_layer("block4").expand.kernel - before).max() > 1e-3
    inference = model.inference_model()
    probs = np.asarray(inference(IMAGES)["probs"])
    model.save(tmp_path / "method.keras")
    loaded = keras.models.load_model(tmp_path / "method.keras", safe_mode=True, compile=False)
    np.testing.assert_allclose(loaded.inference_model()(IMAGES)["probs"], probs, atol=1e-6)
    np.testing.assert_allclose(probs.sum(1), 1, atol=1e-5)
