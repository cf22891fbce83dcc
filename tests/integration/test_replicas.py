"""One and two replicas give the same weights and tables: tested on two logical CPUs in processes of their own."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import yaml

PROGRAM = textwrap.dedent("""
    import sys
    import keras, numpy as np, tensorflow as tf
    replicas, method, options, out = int(sys.argv[1]), sys.argv[2], eval(sys.argv[3]), sys.argv[4]
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * replicas)
    from fer_keras import methods
    from fer_keras.emotions import EMOTIONS_7

    def build():
        image = keras.Input((8, 8, 3), name="image")
        x = keras.layers.Rescaling(1 / 255, name="stage0")(image)
        x = keras.layers.Conv2D(6, 3, strides=2, activation="relu")(x)
        return keras.Model(image, x, name="flat")

    N, K, B, C = 32, 3, 8, 7
    rng = np.random.default_rng(0)
    labels, ids = rng.integers(0, C, N), rng.integers(0, N, (N, K)).astype("int32")
    images = rng.integers(0, 256, (N, 8, 8, 3)).astype("uint8")
    x = {"image": images, "sample_id": np.arange(N), "neighbor_ids": ids, "neighbor_labels": labels[ids],
         "neighbor_differences": rng.normal(0, 0.2, (N, K, 2)).astype("float32"), "neighbor_images": images[ids],
         "weak_a": images[::-1], "weak_b": images[::-1, :, ::-1], "strong": 255 - images[::-1] // 2}
    y = {"label": labels, "distribution": np.eye(C, dtype="float32")[labels],
         "candidates": (0.7 * np.eye(C)[labels] + 0.3 * np.eye(C)[(labels + 1) % C]).astype("float32")}
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(B, drop_remainder=True)
    devices = [d.name for d in tf.config.list_logical_devices("CPU")]
    strategy = tf.distribute.MirroredStrategy(devices) if replicas > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        keras.utils.set_random_seed(1)
        cls = methods.get(method)
        model = cls(build(), EMOTIONS_7, **({"num_samples": N} if cls.uses_sample_table else {}), **options)
        model.compile(keras.optimizers.SGD(0.05))
    history = model.fit(data, epochs=3, verbose=0, shuffle=False).history
    for v in model.variables:  # the copies of the replicas must not drift apart
        # But for what Keras keeps for each replica: the numbers of Dropout, the statistics of BatchNorm.
        if "seed" not in v.path and "moving_" not in v.path:
            copies = getattr(v.value, "values", [v.value])
            assert len(copies) == replicas and all(np.array_equal(copies[0], copy) for copy in copies), v.path
    np.savez(out, *[np.asarray(v) for v in model.variables if "seed" not in v.path], loss=history["loss"])
""")

TRAINING = textwrap.dedent("""
    import sys
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from fer_keras.config import load_config
    from fer_keras.training import train
    config = load_config(sys.argv[1])
    train(config)
    # Without its end, the run is unfinished: it is restored from the last checkpoint and judged again.
    tf.io.gfile.remove(config.output_dir + "/replicas/metrics.json")
    print(train(config))
""")

CASES = {
    "votes": ("votes", {"scheme": "cross_entropy"}),
    "pll": (
        "pll",
        {"decoder_width": 8, "decoder_heads": 2, "decoder_hidden": 8, "decoder_dropout": 0.0, "ramp_epochs": 3.0},
    ),
    "ambiguity_distillation": ("ambiguity_distillation", {"teacher_decay": 0.5, "ramp_epochs": 2.0}),
    "fixmatch": ("fixmatch", {"floor": 0.2, "ema_decay": 0.5}),
    # Equal weights, no rank regularisation: both compare the samples of each replica's share of the batch.
    "ada_df": ("ada_df", {"stage": "stage0", "weight_min": 0.5, "weight_max": 0.5, "rank_weight": 0.0, "beta": 2}),
    "ldl_alsg_bank": ("ldl_alsg", {"neighbor_mode": "bank", "graph_weight": 0.5}),
    "latent_truth": ("latent_truth", {"fidelity": "official"}),
    "island_loss": ("island_loss", {"center_weight": 0.1}),
    "cross_entropy": ("cross_entropy", {"prediction_momentum": 0.5}),
    # Without a margin: the groups of the rank regularisation are those of each replica's share of the batch.
    "scn": ("scn", {"rank_margin": 0.0, "relabel_epoch": 2, "relabel_margin": 0.02}),
    # Without random views: each replica draws those of its share of the batch.
    "eac": ("eac", {"erasing_probability": 0.0, "noise_probability": 0.0}),
    # LayerNorm: with BatchNorm in the similarity network each replica would see its own batch statistics.
    "ldlva_bank": ("ldlva", {"fidelity": "paper", "neighbor_mode": "bank", "uncertainty_momentum": 0.9}),
    "ldlva_images": ("ldlva", {"fidelity": "paper", "neighbor_mode": "images"}),
    "ldlva_official_centers": ("ldlva", {"adaptive_similarity": False}),
}


def run(replicas: int, method: str, options: dict, out) -> dict:
    """Weights, tables and losses of a run of the program."""
    command = [sys.executable, "-c", PROGRAM, str(replicas), method, repr(options), str(out)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(out) as stored:
        return dict(stored)


QUICK = ("cross_entropy", "ldlva_bank")
"""Cases of the default run; the others take half a minute each."""


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.slow) for case in CASES]
)
def test_two_replicas_equal_one(case, tmp_path):
    method, options = CASES[case]
    one, two = (run(replicas, method, options, tmp_path / f"{replicas}.npz") for replicas in (1, 2))
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_allclose(two[key], value, rtol=2e-4, atol=2e-6, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("rul", {"embedding_width": 5}),
        ("scn", {"fidelity": "paper", "relabel_epoch": 2, "relabel_margin": 0.02}),
        ("eac", {"views": "noisy"}),
        # NT-Xent, the factor of the mask and the experts' noise are those of a replica's share.
        ("ada_cm", {"floor": 0.3, "ema_decay": 0.5}),
        ("leaf", {"num_experts": 3, "floor": 0.3, "ema_decay": 0.5}),
        ("votes", {"scheme": "probability"}),
    ],
)
def test_two_replicas_stay_equal_where_the_batch_matters(method, options, tmp_path):
    """Partners, groups and views are those of a replica's share, so the result is another one than on one replica."""
    found = run(2, method, options, tmp_path / "two.npz")
    assert all(np.isfinite(value).all() for value in found.values())
    assert found["loss"][-1] < found["loss"][0]
    if method in ("rul", "scn"):
        seen = [value for value in found.values() if value.shape == (32, 2)]  # averages of both replicas' samples
        assert seen and all((table[:, 1] == 1).all() for table in seen)


def test_a_configured_run_on_two_replicas(tiny_record_set, tmp_path):
    config = tmp_path / "config.yaml"
    content = {
        "name": "replicas", "output_dir": str(tmp_path / "runs"),
        "data": {"directory": str(tiny_record_set), "image_size": [24, 24], "batch_size": 8},
        "backbone": {"options": {"widths": [4, 8], "blocks": [1, 1]}},
        "method": {"name": "cross_entropy", "prediction_momentum": 0.9, "dropout": 0.1},
        "schedule": {"epochs": 2}, "training": {"devices": 2},
    }  # fmt: skip
    config.write_text(yaml.safe_dump(content))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", TRAINING, str(config)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    uncertainties = np.load(tmp_path / "runs" / "replicas" / "uncertainties.npy")
    assert uncertainties.shape == (32,) and (uncertainties < 1).sum() == 32
