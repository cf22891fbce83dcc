"""What is inside the files of every format: the inference network's numbers, and nothing of the training."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from fer_keras.export.exporter import FILE_FORMATS
from fer_keras.export.saved_model import export_saved_model, saved_model_variables
from fer_keras.inference.loading import load_classifier

SAMPLES, WIDTH = 1009, 6  # a number of training samples that no other axis has
CLASSES = ("neutral", "happiness", "sadness")


@pytest.fixture(scope="module")
def method(flat_backbone):
    """LDLVA after a step of Adam: with tables, centers, a calibration network and optimizer slots."""
    from fer_keras.methods import LDLVA

    keras.utils.set_random_seed(0)
    model = LDLVA(flat_backbone(WIDTH), CLASSES, num_samples=SAMPLES, neighbor_mode="bank")
    model.compile(keras.optimizers.Adam(1e-3))
    ids = np.arange(4)
    x = {
        "image": np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8),
        "sample_id": ids,
        "neighbor_ids": np.roll(ids, 1)[:, None],
        "neighbor_labels": np.zeros((4, 1), np.int64),
        "neighbor_differences": np.zeros((4, 1, 2), np.float32),
    }
    y = {"label": ids % 3, "distribution": np.eye(3, dtype=np.float32)[ids % 3]}
    model.train_on_batch(x, y)
    return model


def _litert(file):
    model = schema.Model.GetRootAs(file.read_bytes(), 0)
    graph = model.Subgraphs(0)
    tensors = [graph.Tensors(index) for index in range(graph.TensorsLength())]
    return [tuple(t.ShapeAsNumpy()) for t in tensors if model.Buffers(t.Buffer()).DataLength() and t.ShapeLength()]


def _onnx(file):
    onnx = pytest.importorskip("onnx")
    return [tuple(tensor.dims) for tensor in onnx.load(file).graph.initializer]


def _openvino(file):
    openvino = pytest.importorskip("openvino")
    nodes = openvino.Core().read_model(file).get_ops()
    return [tuple(node.output(0).shape) for node in nodes if node.get_type_name() == "Constant"]


def _keras(file):
    stored = keras.models.load_model(file, compile=False)
    return [tuple(variable.shape) for variable in stored.variables]


def _check(shapes, network):
    axes = {length for shape in shapes for length in shape}
    assert SAMPLES not in axes
    values = sum(int(np.prod(shape)) for shape in shapes)
    kernels = sum(int(np.prod(weight.shape)) for weight in network.weights if len(weight.shape) > 1)
    # every kernel is there; besides, biases, and a few constants of the graph such as the scaling of the pixels
    assert kernels <= values <= network.count_params() + 32


def test_the_method_has_what_must_not_be_exported(method):
    shapes = [tuple(variable.shape) for variable in method.variables]
    assert sum(SAMPLES in shape for shape in shapes) >= 3
    assert len(method.variables) > len(method.inference_model().variables) == 4
    with pytest.raises(AssertionError):
        _check(shapes, method.inference_model())


@pytest.mark.parametrize(("format", "listing"), [("litert", _litert), ("onnx", _onnx), ("openvino", _openvino)])
def test_constants_are_those_of_the_inference_network(method, tmp_path, format, listing):
    if format != "litert":
        pytest.importorskip(format)
    suffix, write = FILE_FORMATS[format]
    file = write(method, tmp_path / f"model{suffix}", CLASSES)
    _check(listing(file), method.inference_model())


def test_variables_are_those_of_the_inference_network(method, tmp_path):
    from fer_keras.export.inference_model import inference_model

    network = inference_model(method)
    network.save(tmp_path / "model.keras")
    wanted = sorted(tuple(weight.shape) for weight in network.weights)
    assert sorted(_keras(tmp_path / "model.keras")) == wanted
    folder = export_saved_model(method, tmp_path, CLASSES)
    assert sorted(saved_model_variables(folder).values()) == wanted
    assert load_classifier(folder).class_names == CLASSES
