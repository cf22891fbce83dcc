import numpy as np
import pytest

from fer_keras.export.onnx import OPSET, export_onnx
from fer_keras.export.precision import ExportError
from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.loading import load_classifier

onnx = pytest.importorskip("onnx")
pytest.importorskip("tf2onnx")

CLASSES = ("neutral", "happiness", "sadness", "surprise")


@pytest.mark.parametrize(
    "precision, tolerance", [("float32", 1e-5), ("float16", 5e-3), ("dynamic", 0.1), ("int8", 0.1)]
)
def test_close_to_keras_in_every_precision(tmp_path, network, draw, precision, tolerance):
    calibration = draw(100, 0)[0] if precision == "int8" else None
    file = export_onnx(network, tmp_path / "tiny.onnx", CLASSES, precision, calibration)
    images, labels = draw(200, 6)
    classifier = load_classifier(file, num_threads=1)
    probs = classifier.predict_proba(images)
    assert (classifier.class_names, classifier.image_size, classifier.num_threads) == (CLASSES, (24, 20), 1)
    assert np.abs(probs - network.predict(images, verbose=0)["probs"]).max() < tolerance
    assert (probs.argmax(1) == labels).mean() > 0.95
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


def test_names_types_and_metadata(tmp_path, network):
    stored = onnx.load(export_onnx(network, tmp_path / "tiny.onnx", CLASSES))
    (image,), (probs,) = stored.graph.input, stored.graph.output
    assert (image.name, probs.name) == ("image", "probs")
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [axis.dim_param or axis.dim_value for axis in image.type.tensor_type.shape.dim] == ["N", 24, 20, 3]
    assert {entry.key: entry.value.split() for entry in stored.metadata_props}["labels"] == list(CLASSES)
    assert {entry.domain: entry.version for entry in stored.opset_import}[""] == OPSET
    # BatchNorm is folded
    assert "BatchNormalization" not in {node.op_type for node in stored.graph.node}


def test_int8_stores_integers(tmp_path, network, draw):
    stored = onnx.load(export_onnx(network, tmp_path / "tiny.onnx", CLASSES, "int8", draw(50, 0)[0]))
    kinds = {tensor.data_type for tensor in stored.graph.initializer if len(tensor.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8}
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in stored.graph.node}


@pytest.mark.parametrize(
    "name, precision, message",
    [("tiny.pb", "float32", r"must end in \.onnx"), ("tiny.onnx", "int8", "needs representative images")],
)
def test_bad_arguments(tmp_path, network, name, precision, message):
    with pytest.raises(ExportError, match=message):
        export_onnx(network, tmp_path / name, CLASSES, precision)
    assert not list(tmp_path.iterdir())


def test_files_that_are_not_classifiers(tmp_path, network):
    file = export_onnx(network, tmp_path / "tiny.onnx", CLASSES)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelLoadError, match=r"tiny\.onnx: cannot be loaded as an ONNX model") as error:
        load_classifier(file)
    assert "\n" not in str(error.value)
    other = onnx.load_from_string(content)
    del other.metadata_props[:]
    onnx.save(other, file)
    with pytest.raises(ModelLoadError, match="no class names found"):
        load_classifier(file)
    other.graph.input[0].name = "pixels"
    for node in other.graph.node:
        node.input[:] = ["pixels" if name == "image" else name for name in node.input]
    onnx.save(other, file)
    with pytest.raises(ModelLoadError, match=r"must map 'image' to 'probs', it maps \['pixels'\]"):
        load_classifier(file)
