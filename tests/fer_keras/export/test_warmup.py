import io
import sys

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from fer_keras.export import exporter, saved_model
from fer_keras.export.exporter import ExportData, export_model
from fer_keras.export.saved_model import export_saved_model
from fer_keras.export.warmup import WARMUP_FILE, warmup_available

CLASSES = ("neutral", "happiness", "sadness", "surprise")


@pytest.fixture
def read_requests():
    """A function (version folder) -> the ``PredictRequest`` messages of its warm-up file."""
    log = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2", reason="needs the extra serve")

    def read(folder):
        records = tf.data.TFRecordDataset(str(folder / WARMUP_FILE)).as_numpy_iterator()
        return [log.PredictionLog.FromString(record).predict_log.request for record in records]

    return read


def test_the_requests_of_an_export_are_answered_by_it(tmp_path, network, read_requests):
    folder = export_saved_model(network, tmp_path / "tiny", CLASSES)
    requests = read_requests(folder)
    assert [request.model_spec.signature_name for request in requests] == ["serving_default", "serve_bytes"]
    signatures = tf.saved_model.load(str(folder)).signatures
    answers = []
    for request in requests:
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        answers.append(signatures[request.model_spec.signature_name](**inputs)["probs"].numpy())
    grey = np.full((1, 24, 20, 3), 128, np.uint8)
    for answer in answers:
        np.testing.assert_allclose(answer, network(grey)["probs"], atol=1e-5)


def test_without_the_messages_the_export_says_which_extra_it_lacks(tmp_path, keras_file, record_set, monkeypatch):
    for module in (exporter, saved_model):
        monkeypatch.setattr(module, "warmup_available", lambda: False)
    out, console = tmp_path / "exported", Console(file=io.StringIO(), width=200)
    data = ExportData(record_set(), "validation", "train", samples=20)
    export_model(keras_file, out, data, ["saved_model"], console=console)
    assert not (out / "1" / WARMUP_FILE).exists()
    assert "SavedModel without warm-up requests: these need pip install 'fer-keras[serve]'\n" in console.file.getvalue()


def test_available_is_found_without_an_import(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "tensorflow_serving", raising=False)
    assert not warmup_available()
