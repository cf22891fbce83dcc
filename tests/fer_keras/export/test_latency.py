import numpy as np
import pytest

from fer_keras.export.keras_file import export_keras
from fer_keras.export.latency import measure_latencies, measure_latency
from fer_keras.export.litert import export_litert
from fer_keras.export.onnx import export_onnx
from fer_keras.export.saved_model import export_saved_model
from fer_keras.inference.class_list import LABELS_FILE, format_labels
from fer_keras.inference.classifier import Classifier


class Counting(Classifier):
    """Answers at once, and counts."""

    calls = 0

    def _predict_batch(self, images):
        self.calls += 1
        assert len(images) == 1
        return {"probs": np.full((1, 2), 0.5, np.float32)}


def test_single_images_after_a_warm_up():
    classifier = Counting("a.tflite", ("neutral", "fear"), (1, 1), 64)
    p50, p95 = measure_latency(classifier, np.zeros((3, 1, 1, 3), np.uint8), runs=20)
    assert classifier.calls == 25
    assert 0 < p50 <= p95


def test_every_format_in_the_order_given(network, draw, tmp_path):
    """Those that need TensorFlow are timed last, and still come out in their place."""
    pytest.importorskip("onnx")
    images, names = draw(4, 1)[0], ("neutral", "happiness", "sadness", "surprise")
    (tmp_path / LABELS_FILE).write_text(format_labels(names))
    files = [
        export_keras(network, tmp_path / "model.keras"),
        export_litert(network, tmp_path / "model.tflite", names, "float32", None),
        export_saved_model(network, tmp_path, names, 1),
        export_onnx(network, tmp_path / "model.onnx", names, "float32", None),
    ]
    times = measure_latencies(files, images, threads=1, runs=20)
    assert len(times) == 4 and all(0 < p50 <= p95 for p50, p95 in times)
    # A call into TensorFlow costs more than the whole of so small a network does elsewhere.
    assert max(times[1][0], times[3][0]) < min(times[0][0], times[2][0])


def test_what_cannot_be_loaded_is_said(tmp_path):
    (tmp_path / "bad.tflite").write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match=r"timing of the exports failed: (.|\n)*bad\.tflite"):
        measure_latencies([tmp_path / "bad.tflite"], np.zeros((1, 4, 4, 3), np.uint8), threads=1)
