"""A LiteRT (``.tflite``) file as a classifier. Needs only ``ai-edge-litert``: TensorFlow is not imported."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer_keras.inference.class_list import embedded_labels, resolve_class_names
from fer_keras.inference.classifier import OUTPUTS, Classifier, ModelLoadError, first_line, require_interface

SIGNATURE = "serving_default"


class LiteRTClassifier(Classifier):
    """A ``.tflite`` model with the signature ``serving_default``: ``image`` uint8 (B, H, W, 3) -> ``probs`` (B, C).

    An output ``valence_arousal`` (B, 2) is read as well if there is one. A batch fixed at 1 (what the exporter writes)
    is run image by image; a free batch is resized.

    Args:
        path: the file; its class list is inside, or in ``labels.txt`` beside it.
        num_threads: threads of the interpreter; None lets it choose.
        batch_size: images per step where the batch is free.

    Attributes:
        fixed_batch: images that the file takes at a time; None where the batch is free.

    Raises:
        ModelLoadError: the file is damaged, has another form, or its class names are not known.
    """

    def __init__(self, path: str | Path, num_threads: int | None = None, batch_size: int = 64):
        path = Path(path)
        if path.read_bytes()[4:8] != b"TFL3":
            raise ModelLoadError(f"{path}: not a LiteRT model (the identifier TFL3 is missing)")
        try:
            self._interpreter = Interpreter(model_path=str(path), num_threads=num_threads)
            self._interpreter.allocate_tensors()
        except Exception as error:  # RuntimeError, ValueError: the user needs the file and the reason
            raise ModelLoadError(f"{path}: cannot be loaded as a LiteRT model ({first_line(error)})") from error
        size = self._find_tensors(path)
        for name, output in self._outputs.items():
            if output["dtype"] != np.float32:
                raise ModelLoadError(f"{path}: {name!r} must be float32, it is {output['dtype'].__name__}")
        self._batch = int(self._input["shape"][0])
        self._free_batch = self._input["shape_signature"][0] == -1
        self.fixed_batch = None if self._free_batch else self._batch
        names = resolve_class_names(path, embedded_labels(path), int(self._outputs["probs"]["shape"][-1]))
        super().__init__(path, names, size, batch_size, "valence_arousal" in self._outputs)
        self.num_threads = num_threads

    def _find_tensors(self, path: Path) -> tuple[int, int]:
        """Keeps the details of the signature's ``image`` and of those outputs that are read; returns (H, W)."""
        signatures = self._interpreter.get_signature_list()
        if SIGNATURE not in signatures:
            raise ModelLoadError(f"{path}: no signature {SIGNATURE!r}; it has: {', '.join(signatures) or 'none'}")
        runner = self._interpreter.get_signature_runner(SIGNATURE)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        found = {name: (np.dtype(tensor["dtype"]).name, tensor["shape_signature"]) for name, tensor in inputs.items()}
        size = require_interface(f"{path}: {SIGNATURE}", found, outputs)
        self._input = inputs["image"]
        self._outputs = {name: outputs[name] for name in OUTPUTS if name in outputs}
        return size

    def _predict_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        if not self._free_batch:
            rows = [self._invoke(image[None]) for image in images]
            return {name: np.concatenate([row[name] for row in rows]) for name in self._outputs}
        if len(images) != self._batch:
            self._interpreter.resize_tensor_input(self._input["index"], images.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(images)
        return self._invoke(images)

    def _invoke(self, images: np.ndarray) -> dict[str, np.ndarray]:
        self._interpreter.set_tensor(self._input["index"], images)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(output["index"]) for name, output in self._outputs.items()}
