import keras
import numpy as np
import pytest
import tensorflow as tf

from fer_keras.data.preprocessing import decode_and_resize
from fer_keras.export.saved_model import export_saved_model, next_version, saved_model_variables
from fer_keras.inference.classifier import ModelLoadError
from fer_keras.inference.loading import load_classifier

CLASSES = ("neutral", "happiness", "sadness", "surprise")


def test_same_numbers_as_keras(tmp_path, network, draw):
    folder = export_saved_model(network, tmp_path / "tiny", CLASSES)
    assert folder == tmp_path / "tiny" / "1"
    images, _ = draw(9, 3)
    classifier = load_classifier(tmp_path / "tiny")
    assert (classifier.class_names, classifier.image_size, classifier.path) == (CLASSES, (24, 20), folder)
    np.testing.assert_allclose(classifier.predict_proba(images), network(images)["probs"], atol=1e-5)


def test_serve_bytes_takes_jpeg_and_png_of_any_size(tmp_path, network, draw):
    folder = export_saved_model(network, tmp_path / "tiny", CLASSES)
    fitting, larger = draw(1, 4)[0][0], draw(1, 5, (61, 47))[0][0]
    files = [encode(image).numpy() for encode in (tf.io.encode_png, tf.io.encode_jpeg) for image in (fitting, larger)]
    loaded = tf.saved_model.load(str(folder))
    served = loaded.signatures["serve_bytes"](image_bytes=tf.constant(files))["probs"].numpy()
    images = np.stack([decode_and_resize(file, (24, 20)) for file in files])
    np.testing.assert_array_equal(images[0], fitting)
    np.testing.assert_allclose(served, network(images)["probs"], atol=1e-5)


def test_holds_only_what_inference_reads(tmp_path, network):
    folder = export_saved_model(network, tmp_path / "tiny", CLASSES)
    held = sorted(saved_model_variables(folder).values())
    wanted = sorted(tuple(weight.shape) for weight in network.weights)
    assert held == wanted  # so neither optimizer slots nor dropout's seed
    assert any("seed" in variable.path for layer in network.layers for variable in layer.variables)


def test_tables_of_a_method_stay_behind(tmp_path, flat_backbone):
    import fer_keras.methods as methods

    method = methods.get("cross_entropy")(flat_backbone(6), CLASSES, dropout=0.5)
    method.table = keras.Variable(np.zeros((1000, 4), "float32"), trainable=False, name="table")
    folder = export_saved_model(method, tmp_path / "method", CLASSES)
    held = saved_model_variables(folder)
    assert len(held) == len(method.inference_model().weights) == 4
    assert (1000, 4) not in held.values()


def test_versions_count_up_and_are_never_replaced(tmp_path, network):
    (tmp_path / "7").mkdir()
    (tmp_path / "9.rejected").mkdir()
    assert next_version(tmp_path) == 8
    with pytest.raises(FileExistsError, match="7: this version exists"):
        export_saved_model(network, tmp_path, CLASSES, version=7)
    assert export_saved_model(network, tmp_path, CLASSES, version=12).name == "12"
    assert next_version(tmp_path) == 13
    assert sorted(path.name for path in tmp_path.iterdir()) == ["12", "7", "9.rejected"]


def test_class_list_must_fit(tmp_path, network):
    with pytest.raises(ModelLoadError, match=r"2 class names \(neutral, fear\) for a model of 4 outputs"):
        export_saved_model(network, tmp_path / "tiny", ("neutral", "fear"))
    assert not (tmp_path / "tiny").exists()
