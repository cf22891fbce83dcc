"""What is inside the files of every format: the inference network's numbers, and nothing of the training."""

import re

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from fer_keras.export.contents import require_inference_weights, surplus
from fer_keras.export.exporter import FILE_FORMATS, ExportData, export_model
from fer_keras.export.inference_model import averaged_with_mirror, inference_model, without_colour
from fer_keras.export.keras_file import export_keras
from fer_keras.export.precision import ExportError
from fer_keras.export.saved_model import export_saved_model, saved_model_variables
from fer_keras.faces.crop_geometry import DEFAULT_GEOMETRY, GEOMETRY_FILE
from fer_keras.inference.loading import load_classifier

SAMPLES, WIDTH = 1009, 6  # a number of training samples that no other axis has
CLASSES = ("neutral", "happiness", "sadness", "surprise")


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
    y = {"label": ids, "distribution": np.eye(4, dtype=np.float32)[ids]}
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
    # every kernel is there; besides, biases, and a few constants of the graph: shapes, the scaling of the pixels
    assert kernels <= values <= network.count_params() + 64


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


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("mirror", [False, True])
def test_an_export_holds_the_inference_network(method, record_set, tmp_path, grey, mirror):
    source, out = tmp_path / "trained" / "method.keras", tmp_path / "out"
    source.parent.mkdir()
    method.save(source)
    DEFAULT_GEOMETRY.model_copy(update={"grey": grey}).write(source.parent / GEOMETRY_FILE)
    data = ExportData(record_set(grey=grey), "validation", "train", samples=20)
    rows = export_model(source, out, data, precisions=["float32"], mirror=mirror)
    assert [row.rejected for row in rows] == [None, None, None]
    network = inference_model(method)
    wanted = sorted(tuple(weight.shape) for weight in network.weights)
    assert sorted(_keras(out / "model.keras")) == sorted(saved_model_variables(out / "1").values()) == wanted
    _check(_litert(out / "model.tflite"), network)
    assert load_classifier(out).class_names == CLASSES


@pytest.mark.parametrize(("format", "listing"), [("onnx", _onnx), ("openvino", _openvino)])
def test_other_formats_with_grey_and_mirror(method, record_set, tmp_path, format, listing):
    pytest.importorskip(format)
    source, out = tmp_path / "trained" / "method.keras", tmp_path / "out"
    source.parent.mkdir()
    method.save(source)
    DEFAULT_GEOMETRY.model_copy(update={"grey": True}).write(source.parent / GEOMETRY_FILE)
    data = ExportData(record_set(grey=True), "validation", "train", samples=20)
    (row,) = export_model(source, out, data, [format], ["float32"], mirror=True)
    assert row.rejected is None
    _check(listing(out / row.file), inference_model(method))


def test_surplus_variables_are_named(method, tmp_path):
    network = inference_model(method)
    wrapped = averaged_with_mirror(without_colour(network))
    require_inference_weights(wrapped, network)
    assert surplus(export_keras(wrapped, tmp_path / "fine.keras"), network) is None
    method.save(tmp_path / "method.keras")
    assert re.match(r"holds \d+ variables that .*: calibration/", surplus(tmp_path / "method.keras", network))
    with_table = keras.Model(network.input, {"probs": keras.layers.Dense(4, name="table")(network.output["probs"])})
    reason = surplus(export_saved_model(with_table, tmp_path, CLASSES), network)
    assert reason.startswith("holds 2 variables that inference does not need: ") and "4x4" in reason
    with pytest.raises(ExportError, match=r"has 6 weights .* inference needs 4 "):
        require_inference_weights(with_table, network)
