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
        x = keras.layers.Conv2D(6, 3, strides=2, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
        return keras.Model(image, x, name="flat")

    N, K, B, C = 32, 3, 8, 7
    rng = np.random.default_rng(0)
    labels, ids = rng.integers(0, C, N), rng.integers(0, N, (N, K)).astype("int32")
    images = rng.integers(0, 256, (N, 8, 8, 3)).astype("uint8")
    x = {"image": images, "sample_id": np.arange(N), "neighbor_ids": ids, "neighbor_labels": labels[ids],
         "neighbor_differences": rng.normal(0, 0.2, (N, K, 2)).astype("float32"), "neighbor_images": images[ids]}
    y = {"label": labels, "distribution": np.eye(C, dtype="float32")[labels]}
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(B, drop_remainder=True)
    devices = [d.name for d in tf.config.list_logical_devices("CPU")]
    strategy = tf.distribute.MirroredStrategy(devices) if replicas > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        keras.utils.set_random_seed(1)
        model = methods.get(method)(build(), EMOTIONS_7, num_samples=N, **options)
        model.compile(keras.optimizers.SGD(0.05))
    history = model.fit(data, epochs=3, verbose=0, shuffle=False).history
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
    "cross_entropy": ("cross_entropy", {"prediction_momentum": 0.5}),
    # LayerNorm: with BatchNorm in the similarity network each replica would see its own batch statistics.
    "ldlva_bank": ("ldlva", {"fidelity": "paper", "neighbor_mode": "bank", "uncertainty_momentum": 0.9}),
    "ldlva_images": ("ldlva", {"fidelity": "paper", "neighbor_mode": "images"}),
    "ldlva_official_centers": ("ldlva", {"adaptive_similarity": False}),
}


@pytest.mark.parametrize("case", CASES)
def test_two_replicas_equal_one(case, tmp_path):
    method, options = CASES[case]
    found = []
    for replicas in (1, 2):
        out = tmp_path / f"{replicas}.npz"
        command = [sys.executable, "-c", PROGRAM, str(replicas), method, repr(options), str(out)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        with np.load(out) as stored:
            found.append(dict(stored))
    one, two = found
    assert one.keys() == two.keys()
    for key, value in one.items():
        np.testing.assert_allclose(two[key], value, rtol=2e-4, atol=2e-6, err_msg=key)


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
