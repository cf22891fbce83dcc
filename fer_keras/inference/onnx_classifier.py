"""An ONNX file as a classifier. The only module that imports onnxruntime to run one; TensorFlow is not imported."""

from pathlib import Path

import numpy as np

from fer_keras.extras import load_extra
from fer_keras.inference.class_list import parse_labels, resolve_class_names
from fer_keras.inference.classifier import OUTPUTS, Classifier, ModelLoadError, first_line, require_interface

LABELS_KEY = "labels"
"""The entry of the model's metadata that holds the class list, one name a line."""

_TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


class OnnxClassifier(Classifier):
    """An ``.onnx`` model that maps ``image`` uint8 (B, H, W, 3) to ``probs`` (B, C), run by ONNX Runtime.

    An output ``valence_arousal`` (B, 2) is read as well if there is one.

    Args:
        path: the file; its class list is in its metadata, or in ``labels.txt`` beside it.
        num_threads: threads of one operator; None lets the runtime choose.
        batch_size: images per step; 1 where the model's batch is fixed at 1.

    Raises:
        ExtraError: onnxruntime is not installed.
        ModelLoadError: the file is damaged, has another form, or its class names are not known.
    """

    def __init__(self, path: str | Path, num_threads: int | None = None, batch_size: int = 64):
        path = Path(path)
        runtime = load_extra("onnxruntime", "onnx", str(path))
        options = runtime.SessionOptions()
        options.log_severity_level = 3
        if num_threads is not None:
            options.intra_op_num_threads = num_threads
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime has an exception class for each status; the user needs the reason
            raise ModelLoadError(f"{path}: cannot be loaded as an ONNX model ({first_line(error)})") from error
        inputs = {node.name: (_TYPES.get(node.type, node.type), node.shape) for node in self._session.get_inputs()}
        outputs = {node.name: node for node in self._session.get_outputs()}
        size = require_interface(str(path), inputs, outputs)
        stored = self._session.get_modelmeta().custom_metadata_map.get(LABELS_KEY)
        own = None if stored is None else parse_labels(stored, f"{path} ({LABELS_KEY} inside)")
        names = resolve_class_names(path, own, outputs["probs"].shape[-1])
        super().__init__(path, names, size, batch_size, "valence_arousal" in outputs)
        if inputs["image"][1][0] == 1:
            self.batch_size = 1
        self.num_threads = num_threads
        self._names = [name for name in OUTPUTS if name in outputs]

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self._names, self._session.run(self._names, {"image": images}), strict=True))
