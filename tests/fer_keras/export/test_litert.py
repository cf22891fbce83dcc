import zipfile

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from fer_keras.export.litert import export_litert
from fer_keras.export.precision import ExportError
from fer_keras.inference.loading import load_classifier

CLASSES = ("neutral", "happiness", "sadness", "surprise")


def _operators(file):
    """(builtin code, custom name) of every operator that a file uses."""
    model = schema.Model.GetRootAs(file.read_bytes(), 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    return {(code.BuiltinCode(), code.CustomCode()) for code in codes}


def _tensor_types(file):
    graph = schema.Model.GetRootAs(file.read_bytes(), 0).Subgraphs(0)
    return [graph.Tensors(index).Type() for index in range(graph.TensorsLength())]


@pytest.mark.parametrize(
    "precision, tolerance", [("float32", 1e-5), ("float16", 5e-3), ("dynamic", 0.05), ("int8", 0.08)]
)
def test_close_to_keras_in_every_precision(tmp_path, network, draw, precision, tolerance):
    calibration = draw(100, 0)[0] if precision == "int8" else None
    file = export_litert(network, tmp_path / "tiny.tflite", CLASSES, precision, calibration)
    images, labels = draw(200, 6)
    classifier = load_classifier(file)
    probs, expected = classifier.predict_proba(images), network.predict(images, verbose=0)["probs"]
    assert classifier.class_names == CLASSES
    assert np.abs(probs - expected).max() < tolerance
    assert (probs.argmax(1) == labels).mean() > 0.95
    assert {name for _, name in _operators(file)} == {None}
    assert schema.BuiltinOperator.CUSTOM not in {code for code, _ in _operators(file)}


def test_int8_computes_in_integers(tmp_path, network, draw):
    file = export_litert(network, tmp_path / "tiny.tflite", CLASSES, "int8", draw(50, 0)[0])
    types = _tensor_types(file)
    # float32 is left at the two ends only: the pixels as they are converted, and the probabilities
    assert types.count(schema.TensorType.FLOAT32) == 2
    assert types.count(schema.TensorType.UINT8) == 1
    float32 = export_litert(network, tmp_path / "full.tflite", CLASSES)
    assert file.stat().st_size < float32.stat().st_size


def test_one_image_at_a_time_and_named_tensors(tmp_path, network):
    from ai_edge_litert.interpreter import Interpreter

    file = export_litert(network, tmp_path / "tiny.tflite", CLASSES)
    interpreter = Interpreter(str(file))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["probs"]}}
    details = interpreter.get_input_details()[0]
    assert tuple(details["shape_signature"]) == (1, 24, 20, 3)
    assert details["dtype"] is np.uint8


def test_class_list_travels_inside_and_equal_exports_are_equal_bytes(tmp_path, network):
    first = export_litert(network, tmp_path / "a.tflite", CLASSES)
    second = export_litert(network, tmp_path / "b.tflite", CLASSES)
    assert zipfile.ZipFile(first).read("labels.txt").decode().split() == list(CLASSES)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tflite", "b.tflite"]


def test_operators_that_are_not_builtin_are_refused(tmp_path):
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    x = keras.layers.Dense(3)(keras.ops.erfinv(x))
    model = keras.Model(image, {"probs": keras.layers.Softmax()(x)})
    with pytest.raises(ExportError, match="builtin LiteRT operators failed"):
        export_litert(model, tmp_path / "odd.tflite", CLASSES[:3])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"precision": "int4"}, "unknown precision 'int4'"),
        ({"precision": "int8"}, "needs representative images"),
        ({"precision": "int8", "representative_images": np.zeros((3, 24, 24, 3), np.uint8)}, r"\(N, 24, 20, 3\)"),
        ({"precision": "int8", "representative_images": np.zeros((3, 24, 20, 3))}, "got float64"),
    ],
)
def test_bad_arguments(tmp_path, network, arguments, message):
    with pytest.raises(ExportError, match=message):
        export_litert(network, tmp_path / "tiny.tflite", CLASSES, **arguments)


def test_bad_file_name(tmp_path, network):
    with pytest.raises(ExportError, match=r"must end in \.tflite"):
        export_litert(network, tmp_path / "tiny.lite", CLASSES)


def test_mixed_precision_is_converted_from_a_float32_twin(tmp_path):
    keras.utils.set_random_seed(2)
    policy = keras.DTypePolicy("mixed_float16")
    image = keras.Input((8, 8, 3), dtype="uint8", name="image")
    x = keras.layers.Conv2D(4, 3, dtype=policy)(keras.layers.Rescaling(1 / 255, dtype=policy)(image))
    x = keras.layers.Dense(3, dtype="float32")(keras.layers.Flatten(dtype=policy)(x))
    model = keras.Model(image, {"probs": keras.layers.Softmax(dtype="float32")(x)})
    file = export_litert(model, tmp_path / "mixed.tflite", CLASSES[:3])
    assert schema.TensorType.FLOAT16 not in _tensor_types(file)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(load_classifier(file).predict_proba(images), model(images)["probs"], atol=1e-2)
