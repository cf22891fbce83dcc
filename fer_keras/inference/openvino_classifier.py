"""An OpenVINO file as a classifier. The only module that imports openvino to run one; TensorFlow is not imported."""

from pathlib import Path

import numpy as np

from fer_keras.extras import load_extra
from fer_keras.inference.class_list import parse_labels, resolve_class_names
from fer_keras.inference.classifier import OUTPUTS, Classifier, ModelLoadError, first_line, require_interface

LABELS_PATH = ("model_info", "labels")
"""Where OpenVINO's own tools keep a classifier's names in the model's ``rt_info``: one text, separated by blanks."""


class OpenVINOClassifier(Classifier):
    """An OpenVINO ``.xml`` (and ``.bin``) that maps ``image`` uint8 (B, H, W, 3) to ``probs`` (B, C), run on the CPU.

    An output ``valence_arousal`` (B, 2) is read as well if there is one. Float layers are computed in float32, also on
    CPUs where OpenVINO would choose bfloat16: a file gives the same numbers everywhere.

    Args:
        path: the ``.xml`` file; its class list is inside, or in ``labels.txt`` beside it.
        num_threads: threads of the inference; None lets the runtime choose.
        batch_size: images per step; 1 where the model's batch is fixed at 1.

    Raises:
        ExtraError: openvino is not installed.
        ModelLoadError: a file is damaged or missing, has another form, or its class names are not known.
    """

    def __init__(self, path: str | Path, num_threads: int | None = None, batch_size: int = 64):
        path = Path(path)
        openvino = load_extra("openvino", "openvino", str(path))
        if not path.with_suffix(".bin").is_file():
            raise ModelLoadError(f"{path}: its weights, {path.with_suffix('.bin').name}, are missing beside it")
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if num_threads is not None:
            options["INFERENCE_NUM_THREADS"] = num_threads
        try:
            model = openvino.Core().read_model(path)
            compiled = openvino.Core().compile_model(model, "CPU", options)
        except Exception as error:  # the runtime raises RuntimeError with a stack of reasons; the user needs one
            raise ModelLoadError(f"{path}: cannot be loaded as an OpenVINO model ({first_line(error)})") from error
        inputs = {node.any_name: (node.element_type.to_dtype().name, _shape(node)) for node in compiled.inputs}
        outputs = {node.any_name: node for node in compiled.outputs}
        size = require_interface(str(path), inputs, outputs)
        own = None
        if model.has_rt_info(list(LABELS_PATH)):
            labels = str(model.get_rt_info(list(LABELS_PATH)).astype(str))
            own = parse_labels(labels.replace(" ", "\n"), f"{path} ({'/'.join(LABELS_PATH)} inside)")
        names = resolve_class_names(path, own, _shape(outputs["probs"])[-1])
        super().__init__(path, names, size, batch_size, "valence_arousal" in outputs)
        if inputs["image"][1][0] == 1:
            self.batch_size = 1
        self.num_threads = num_threads
        self._names = [name for name in OUTPUTS if name in outputs]
        self._request = compiled.create_infer_request()

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        self._request.infer({"image": images})
        return {name: self._request.get_tensor(name).data.copy() for name in self._names}


def _shape(node) -> tuple[int | None, ...]:
    """Lengths of the axes; None where one is free."""
    return tuple(axis.get_length() if axis.is_static else None for axis in node.partial_shape)
