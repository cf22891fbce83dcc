import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fer_keras.data.preprocessing import decode_and_resize
from fer_keras.inference.predictor import Predictor


def test_files_and_arrays_in_order_with_errors_between(stored, network, tmp_path):
    import tensorflow as tf

    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (size, 10, 3), dtype=np.uint8) for size in (12, 31, 12, 50, 12)]
    Image.fromarray(arrays[1]).save(tmp_path / "face.jpg")
    (tmp_path / "bad.png").write_bytes(b"nothing")
    inputs = [arrays[0], tmp_path / "face.jpg", str(tmp_path / "bad.png"), arrays[3], np.zeros((3, 3)), arrays[4]]
    predictions = Predictor(stored["keras"], batch_size=2).predict(inputs)

    assert [prediction.path for prediction in predictions] == [
        None, str(tmp_path / "face.jpg"), str(tmp_path / "bad.png"), None, None, None,
    ]  # fmt: skip
    failed = [index for index, prediction in enumerate(predictions) if prediction.error]
    assert failed == [2, 4]
    assert predictions[2].label is None and predictions[2].probs == {}
    jpeg = decode_and_resize((tmp_path / "face.jpg").read_bytes(), (12, 10)).numpy()
    tall = decode_and_resize(tf.io.encode_png(arrays[3]), (12, 10)).numpy()
    expected = network(np.stack([arrays[0], jpeg, tall, arrays[4]]))["probs"].numpy()
    answered = [prediction for prediction in predictions if not prediction.error]
    np.testing.assert_allclose([list(prediction.probs.values()) for prediction in answered], expected, atol=1e-5)
    names = ("neutral", "happiness", "sadness")
    assert [prediction.label for prediction in answered] == [names[index] for index in expected.argmax(axis=1)]
    assert tuple(answered[0].probs) == names


def test_predictions_come_batch_by_batch(stored):
    drawn = []

    def source():
        for index in range(6):
            drawn.append(index)
            yield np.zeros((12, 10), np.uint8)

    predictions = Predictor(stored["litert"], batch_size=2).predict_iter(source())
    next(predictions)
    assert drawn == [0, 1]
    assert len(list(predictions)) == 5


def test_nothing_to_predict(stored):
    assert Predictor(stored["litert"]).predict([]) == []


def test_bad_batch_size(stored):
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        Predictor(stored["litert"], batch_size=0)


def test_the_predictor_is_found_in_the_package_which_imports_nothing():
    program = (
        "import sys, fer_keras.inference\n"
        "print('numpy' in sys.modules)\n"
        "from fer_keras.inference import Predictor\n"
        "print(Predictor.__module__, hasattr(fer_keras.inference, 'Unheard'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "fer_keras.inference.predictor False"]
