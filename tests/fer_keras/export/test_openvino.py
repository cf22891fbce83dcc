import numpy as np
import pytest

from fer_keras.export.openvino import export_openvino
from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.loading import load_classifier

openvino = pytest.importorskip("openvino")

CLASSES = ("neutral", "happiness", "sadness", "surprise")


@pytest.mark.parametrize(
    "precision, tolerance", [("float32", 1e-5), ("float16", 5e-3), ("dynamic", 0.05), ("int8", 0.1)]
)
def test_close_to_keras_in_every_precision(tmp_path, network, draw, capfd, precision, tolerance):
    if precision in ("dynamic", "int8"):
        pytest.importorskip("nncf")
    calibration = draw(100, 0)[0] if precision == "int8" else None
    file = export_openvino(network, tmp_path / "tiny.xml", CLASSES, precision, calibration)
    assert capfd.readouterr().out == ""
    images, labels = draw(200, 6)
    classifier = load_classifier(file, num_threads=1)
    probs = classifier.predict_proba(images)
    assert (classifier.class_names, classifier.image_size, classifier.num_threads) == (CLASSES, (24, 20), 1)
    assert np.abs(probs - network.predict(images, verbose=0)["probs"]).max() < tolerance
    assert (probs.argmax(1) == labels).mean() > 0.95
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.bin", "tiny.xml"]


def test_names_and_metadata(tmp_path, network):
    stored = openvino.Core().read_model(export_openvino(network, tmp_path / "tiny.xml", CLASSES))
    (image,), (probs,) = stored.inputs, stored.outputs
    assert (image.names, probs.names) == ({"image"}, {"probs"})
    assert str(image.partial_shape) == "[?,24,20,3]" and image.element_type == openvino.Type.u8
    assert stored.get_rt_info(["model_info", "labels"]).astype(str) == " ".join(CLASSES)


def test_both_files_are_needed(tmp_path, network):
    file = export_openvino(network, tmp_path / "tiny.xml", CLASSES)
    weights = file.with_suffix(".bin").read_bytes()
    file.with_suffix(".bin").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ModelLoadError, match=r"tiny\.xml: cannot be loaded as an OpenVINO model") as error:
        load_classifier(file)
    assert "\n" not in str(error.value)
    file.with_suffix(".bin").unlink()
    with pytest.raises(ModelLoadError, match=r"tiny\.xml: its weights, tiny\.bin, are missing beside it"):
        load_classifier(file)
