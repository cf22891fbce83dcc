"""MobileNet from a folded graph of TensorFlow.js, output against output."""

import base64
import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

from fer_keras.backbones import build_backbone
from fer_keras.backbones.weights.importing import import_weights
from fer_keras.backbones.weights.matching import WeightsError
from fer_keras.backbones.weights.provenance import sha256
from fer_keras.backbones.weights.tfjs_file import read_arrays
from fer_keras.cli.main import app
from fer_keras.data.records import RecordSet
from fer_keras.data.samples import read_samples

FACERES = os.environ.get("FER_KERAS_FACERES", "")
OPTIONS = {"alpha": 0.25, "normalization": "none"}


@pytest.fixture(scope="module")
def network():
    """A MobileNet with statistics as after training."""
    keras.utils.set_random_seed(0)
    model = build_backbone("mobilenet", (64, 64), **OPTIONS)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            width = layer.gamma.shape[0]
            low, high = (0.5, 0.0, -0.2, 0.5), (1.5, 0.5, 0.2, 2.0)
            layer.set_weights([rng.uniform(a, b, width) for a, b in zip(low, high, strict=True)])
    model.get_layer("conv1").kernel.assign(model.get_layer("conv1").kernel / 127.5)
    return model


@pytest.fixture
def graph_model(tmp_path, network):
    """The network as a converter leaves it: factors folded into kernels, float16, two shards, and a head."""
    arrays, kernel = {"feats/kernel": np.ones((256, 4))}, None
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            factor = gamma / np.sqrt(variance + layer.epsilon)
            arrays[f"{layer.name}/batchnorm_1/sub"] = beta - mean * factor
            if "_dw_" in layer.name:
                arrays[f"{layer.name}/batchnorm_1/mul"] = factor
            else:
                arrays[kernel] = arrays[kernel] * factor
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            arrays[f"{layer.name}/depthwise_kernel"] = layer.get_weights()[0]
        elif isinstance(layer, keras.layers.Conv2D):
            kernel = f"{layer.name}/convolution/merged_input"
            arrays[kernel] = layer.get_weights()[0]
        elif isinstance(layer, keras.layers.ReLU):
            arrays[f"{layer.name}/Const_1"] = np.array(6.0)
    quantization = {"dtype": "float16", "original_dtype": "float32"}
    weights = [
        {"name": name, "shape": list(array.shape), "dtype": "float32", "quantization": quantization}
        for name, array in arrays.items()
    ]
    weights.append({"name": "axes", "shape": [2], "dtype": "int32"})
    data = b"".join(array.astype("<f2").tobytes() for array in arrays.values()) + np.array([1, 2], "<i4").tobytes()
    (tmp_path / "a.bin").write_bytes(data[:1001])
    (tmp_path / "b.bin").write_bytes(data[1001:])
    manifest = [{"paths": ["a.bin", "b.bin"], "weights": weights}]
    (tmp_path / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    return tmp_path / "model.json"


def test_outputs_equal_those_of_the_network_that_was_folded(graph_model, network, tmp_path):
    out = tmp_path / "weights" / "mobilenet.weights.h5"
    report = import_weights(graph_model, "mobilenet", out, options=OPTIONS, ignore=["feats/*"])
    assert report.note["format"] == "TensorFlow.js" and report.note["not_used"] == ["feats/kernel"]
    assert report.note["shards"] == {name: sha256(tmp_path / name) for name in ("a.bin", "b.bin")}
    images = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    expected = network.predict(images, verbose=0)
    found = build_backbone("mobilenet", (64, 64), weights=str(out), **OPTIONS).predict(images, verbose=0)
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())  # the file holds float16


def test_statistics_come_from_the_faces_of_a_record_set(graph_model, tiny_record_set, tmp_path):
    plain, restored = tmp_path / "plain.weights.h5", tmp_path / "restored.weights.h5"
    import_weights(graph_model, "mobilenet", plain, options=OPTIONS, ignore=["feats/*"])
    words = ["import-weights", str(graph_model), "--backbone", "mobilenet", "--ignore", "feats/*"]
    words += [word for key, value in OPTIONS.items() for word in ("--option", f"{key}={value}")]
    statistics = ["--statistics", f"{tiny_record_set}:train", "--image-size", "32", "--samples", "20"]
    done = CliRunner().invoke(app, [*words, "--out", str(restored), *statistics])
    assert done.exit_code == 0 and "of 20 images of 32x32" in done.output
    note = json.loads((tmp_path / "restored.weights.h5.json").read_text())
    assert note["statistics"] == {"images": 20, "image_size": [32, 32]}
    networks = [build_backbone("mobilenet", (32, 32), weights=str(file), **OPTIONS) for file in (plain, restored)]
    images, _ = read_samples(RecordSet.load(tiny_record_set), "train", (32, 32), 20)
    pixels = images.astype(np.float32)
    expected, after = (network(pixels, training=False) for network in networks)
    np.testing.assert_allclose(after, expected, atol=1e-4 * np.abs(expected).max())
    broken, mended = (np.abs(network(pixels, training=True) - expected).max() for network in networks)
    assert mended < 1e-3 * np.abs(expected).max() < broken


def test_damaged_files_are_one_line(graph_model, tmp_path):
    out = tmp_path / "mobilenet.weights.h5"
    with pytest.raises(WeightsError, match=r"feats/kernel 256x4 is not part of the network"):
        import_weights(graph_model, "mobilenet", out, options=OPTIONS)
    with pytest.raises(WeightsError, match="are read for mobilenet, not for fer_mini"):
        import_weights(graph_model, "fer_mini", out)
    (tmp_path / "b.bin").write_bytes((tmp_path / "b.bin").read_bytes()[:-2])
    with pytest.raises(WeightsError, match=r"damaged, or not a model of TensorFlow\.js"):
        read_arrays(graph_model)
    (tmp_path / "b.bin").unlink()
    with pytest.raises(WeightsError, match=r"its weights, b\.bin, are not beside it"):
        read_arrays(graph_model)
    graph_model.write_text("{}")
    with pytest.raises(WeightsError, match=r"not a model of TensorFlow\.js"):
        read_arrays(graph_model)
    assert not out.exists()


def run_graph(file: Path, image: np.ndarray, output: str) -> np.ndarray:
    """Executes the graph of a ``.json`` file operation by operation, with TensorFlow's kernels."""
    values = {name: tf.constant(array) for name, array in read_arrays(file).items()}
    binary = {"Add": tf.add, "Mul": tf.multiply, "Minimum": tf.minimum, "Maximum": tf.maximum}
    for node in json.loads(file.read_text())["modelTopology"]["node"]:
        inputs = [values[name] for name in node.get("input", ())]
        attributes = node.get("attr", {})
        if node["op"] == "Placeholder":
            values[node["name"]] = tf.constant(image)
        elif node["op"] in binary:
            values[node["name"]] = binary[node["op"]](*inputs)
        elif node["op"] == "Relu":
            values[node["name"]] = tf.nn.relu(*inputs)
        elif node["op"] in ("Conv2D", "DepthwiseConv2dNative"):
            run = tf.nn.conv2d if node["op"] == "Conv2D" else tf.nn.depthwise_conv2d
            strides = [int(stride) for stride in attributes["strides"]["list"]["i"]]
            values[node["name"]] = run(*inputs, strides, base64.b64decode(attributes["padding"]["s"]).decode())
        if node["name"] == output:
            return values[output].numpy()
    raise AssertionError(f"no node {output}")


@pytest.mark.slow
@pytest.mark.skipif(not FACERES, reason="needs the file faceres.json (FER_KERAS_FACERES)")
def test_faceres_equals_its_graph(tmp_path):
    out = tmp_path / "faceres.weights.h5"
    options = {"normalization": "none"}
    report = import_weights(FACERES, "mobilenet", out, options=options, ignore=["feats/*", "*_pred/*"])
    assert report.note["parameters"] == 81
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.float32)
    expected = run_graph(Path(FACERES), images, "conv_pw_13_relu/clip_by_value")
    found = build_backbone("mobilenet", (224, 224), weights=str(out), **options).predict(images, verbose=0)
    assert np.ptp(expected) > 1.0
    np.testing.assert_allclose(found, expected, atol=2e-3)
