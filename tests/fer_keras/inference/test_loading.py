import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from fer_keras.emotions import ClassListMismatchError
from fer_keras.inference.classifier import ImageShapeError, ModelLoadError
from fer_keras.inference.loading import load_classifier, saved_model_version

CLASSES = ("neutral", "happiness", "sadness")
FORMATS = ["keras", "saved_model", "litert"]


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_same_numbers(stored, network, images, format):
    classifier = load_classifier(stored[format])
    assert (classifier.class_names, classifier.image_size) == (CLASSES, (12, 10))
    probs = classifier.predict_proba(images)
    assert probs.dtype == np.float32
    np.testing.assert_allclose(probs, network(images)["probs"], atol=1e-5)
    assert np.ptp(probs, axis=0).max() > 0.01  # the images are told apart
    assert classifier.predict_proba(images[:0]).shape == (0, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_batches_do_not_change_the_result(stored, images, format):
    classifier = load_classifier(stored[format])
    whole = classifier.predict_proba(images)
    classifier.batch_size = 3
    np.testing.assert_allclose(classifier.predict_proba(images), whole, atol=1e-6)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "shape, dtype",
    [((2, 10, 12, 3), "uint8"), ((12, 10, 3), "uint8"), ((2, 12, 10, 1), "uint8"), ((2, 12, 10, 3), "f4")],
)
def test_wrong_images_are_told_the_shape_wanted(stored, format, shape, dtype):
    with pytest.raises(ImageShapeError, match=r"uint8 images of shape \(N, 12, 10, 3\)"):
        load_classifier(stored[format]).predict_proba(np.zeros(shape, dtype))


def test_free_batch_of_litert_is_resized(tmp_path, network, images):
    import tensorflow as tf

    probs = keras.Model(network.input, {"probs": network.output["probs"]})
    file = tmp_path / "free.tflite"
    probs.export(
        str(file), format="litert", verbose=False, target_spec={"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    )
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    classifier = load_classifier(file, num_threads=2)
    classifier.batch_size = 4
    np.testing.assert_allclose(classifier.predict_proba(images), network(images)["probs"], atol=1e-5)


def test_method_and_run_folder(tmp_path, flat_backbone):
    import fer_keras.methods as methods

    method = methods.get("cross_entropy")(flat_backbone(6), CLASSES)
    (tmp_path / "weights").mkdir()
    method.save(tmp_path / "weights" / "best.keras")
    classifier = load_classifier(tmp_path)
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    assert classifier.class_names == CLASSES
    assert classifier.path == tmp_path / "weights" / "best.keras"
    np.testing.assert_allclose(classifier.predict_proba(images), method(images), atol=1e-6)


def test_highest_version_is_taken(stored, tmp_path):
    for version in ("2", "10", "11.rejected"):
        shutil.copytree(stored["saved_model"] / "1", tmp_path / version)
    (tmp_path / "12").mkdir()
    assert saved_model_version(tmp_path) == tmp_path / "10"
    assert load_classifier(tmp_path).path == tmp_path / "10"
    assert load_classifier(tmp_path / "2").path == tmp_path / "2"


def test_litert_needs_no_tensorflow(stored):
    program = (
        "import sys, numpy as np\n"
        "from fer_keras.inference.predictor import Predictor\n"
        f"predictor = Predictor({str(stored['litert'])!r})\n"
        "print(predictor.predict([np.zeros((12, 10, 3), np.uint8)])[0].label)\n"
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    label, imported = done.stdout.splitlines()
    assert label in CLASSES and imported == "[]"


def test_damaged_files(stored, tmp_path):
    content = {name: stored[name].read_bytes() for name in ("keras", "litert")}
    flipped = bytearray(content["keras"])
    flipped[len(flipped) // 2] ^= 0xFF
    cases = {
        "cut.keras": content["keras"][:2000],
        "flipped.keras": bytes(flipped),
        "empty.keras": b"",
        "cut.tflite": content["litert"][:600],
        "text.tflite": b"no model at all",
        "empty.tflite": b"",
    }
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    for name, damaged in cases.items():
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ModelLoadError, match=name) as error:
            load_classifier(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"]
)
def test_damaged_saved_model(stored, tmp_path, file):
    folder = tmp_path / "1"
    shutil.copytree(stored["saved_model"] / "1", folder)
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelLoadError, match="cannot be loaded as a SavedModel") as error:
        load_classifier(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["absent.keras", "absent", "absent.tflite"])
def test_missing(tmp_path, name):
    with pytest.raises(ModelLoadError, match=f"{name}: no such file or folder"):
        load_classifier(tmp_path / name)


def test_not_a_model(tmp_path):
    (tmp_path / "model.h5").write_bytes(b"")
    with pytest.raises(ModelLoadError, match="not a model format; give a run folder"):
        load_classifier(tmp_path / "model.h5")
    with pytest.raises(ModelLoadError, match="no model in this folder"):
        load_classifier(tmp_path)


def test_keras_model_of_another_kind(tmp_path):
    image = keras.Input((4, 4, 3))
    keras.Model(image, keras.layers.Flatten()(image)).save(tmp_path / "other.keras")
    with pytest.raises(ModelLoadError, match="not a classifier of this library"):
        load_classifier(tmp_path / "other.keras")


def test_code_in_a_keras_file_is_not_run(tmp_path):
    image = keras.Input((4, 4, 3), name="image")
    x = keras.layers.Lambda(lambda pixels: pixels * 2)(image)
    keras.Model(image, {"probs": keras.layers.Flatten()(x)}).save(tmp_path / "lambda.keras")
    (tmp_path / "labels.txt").write_text("neutral\n")
    with pytest.raises(ModelLoadError, match=r"lambda\.keras: cannot be loaded"):
        load_classifier(tmp_path / "lambda.keras")


def test_class_list_must_be_there_and_fit(stored, tmp_path):
    file = shutil.copy(stored["keras"], tmp_path / "tiny.keras")
    with pytest.raises(ModelLoadError, match=r"no class names found; write labels\.txt beside it"):
        load_classifier(file)
    (tmp_path / "labels.txt").write_text("neutral\nhappiness\n")
    with pytest.raises(ModelLoadError, match=r"2 class names .* for a model of 3 outputs"):
        load_classifier(file)
    (tmp_path / "tiny.labels.txt").write_text("\n".join(CLASSES))  # nearer than labels.txt
    assert load_classifier(file).class_names == CLASSES


def test_two_class_lists_that_differ(stored, tmp_path):
    file = shutil.copy(stored["litert"], tmp_path / "tiny.tflite")
    (tmp_path / "labels.txt").write_text("neutral\nsadness\nhappiness\n")
    with pytest.raises(
        ClassListMismatchError, match=r"\[neutral, happiness, sadness\].*\[neutral, sadness, happiness\]"
    ):
        load_classifier(file)


def test_saved_model_without_class_list(stored, tmp_path):
    shutil.copytree(stored["saved_model"] / "1", tmp_path / "1")
    (tmp_path / "1" / "assets" / "labels.txt").unlink()
    with pytest.raises(ModelLoadError, match="no class names"):
        load_classifier(tmp_path)


def test_unknown_class_is_named(stored, tmp_path):
    import json
    import zipfile

    file = tmp_path / "other.keras"
    with zipfile.ZipFile(stored["keras"]) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                layer = config["config"]["layers"][1]
                layer.update(module="elsewhere", class_name="Unheard", registered_name="other>Unheard")
                content = json.dumps(config)
            target.writestr(name, content)
    with pytest.raises(ModelLoadError, match="Could not locate class 'Unheard'") as error:
        load_classifier(file)
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_stored_method_loads_in_a_fresh_process(tmp_path, policy):
    """Nothing but the loader imports the classes that the file names."""
    from fer_keras.backbones import build_backbone
    from fer_keras.methods import get

    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        method = get("cross_entropy")(build_backbone("fer_mini", (48, 48)), CLASSES)
        method.save(tmp_path / "method.keras")
    finally:
        keras.mixed_precision.set_dtype_policy(before)
    _require_loaded_in_a_fresh_process(tmp_path / "method.keras")


def test_an_export_for_grey_images_loads_in_a_fresh_process(tmp_path):
    from fer_keras.layers.grey_image import GreyImage

    image = keras.Input((4, 4, 3), dtype="uint8", name="image")
    features = keras.layers.Flatten()(GreyImage()(image))
    keras.Model(image, {"probs": keras.layers.Dense(3, "softmax")(features)}).save(tmp_path / "model.keras")
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    _require_loaded_in_a_fresh_process(tmp_path / "model.keras")


def _require_loaded_in_a_fresh_process(file):
    program = (
        f"from fer_keras.inference.loading import load_classifier\nprint(load_classifier({str(file)!r}).class_names)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == str(CLASSES), done.stderr[-500:]
