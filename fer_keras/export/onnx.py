"""Export as ONNX. The only module that imports onnx and tf2onnx."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from fer_keras.export.precision import ExportError, prepare_export
from fer_keras.extras import load_extra
from fer_keras.files import replacing
from fer_keras.inference.class_list import format_labels
from fer_keras.inference.classifier import first_line
from fer_keras.inference.onnx_classifier import LABELS_KEY

OPSET = 18
"""Version of the operators: in every runtime since ONNX 1.13 (December 2022)."""


def require_onnx() -> None:
    """Refuses early where a package is missing.

    Raises:
        ExtraError: onnx, tf2onnx or onnxruntime is not installed.
    """
    for module in ("onnx", "tf2onnx", "onnxruntime"):
        load_extra(module, "onnx", "ONNX export")


def export_onnx(
    model: keras.Model,
    file: str | Path,
    class_names: Sequence[str],
    precision: str = "float32",
    representative_images: np.ndarray | None = None,
) -> Path:
    """Writes an ``.onnx`` file of opset `OPSET`: ``image`` uint8 (N, H, W, 3) to ``probs`` float32 (N, C).

    A model that has valence and arousal gives ``valence_arousal`` (N, 2) too. Both ends are the same in all precisions;
    the scaling of the pixels is in the graph. BatchNorm is folded into the convolutions. The class list is the entry
    ``labels`` of the file's metadata, one name a line.

    Args:
        model: a method or a functional inference model; one in mixed precision is converted from its float32 twin.
        file: the file to write; its name must end in ``.onnx``.
        class_names: C names, in the order of the outputs.
        precision: ``float32``; ``float16`` (weights and layers in half precision); ``dynamic`` (weights of 8 bits,
            ranges of activations found while it runs); ``int8`` (both of 8 bits, ranges stored as QuantizeLinear and
            DequantizeLinear). Weights of ``int8`` use 7 of
            their bits: on processors without VNNI, sums of more overflow.
        representative_images: (N, H, W, 3) uint8, training images from which ``int8`` takes its ranges.

    Returns:
        The file.

    Raises:
        ExtraError: a package is missing.
        ExportError: unknown precision, unfit images, or an operator without a counterpart in ONNX.
    """
    file = Path(file)
    require_onnx()
    network = prepare_export(model, file, ".onnx", class_names, precision, representative_images)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        try:
            converted = _convert(network, Path(folder), precision, representative_images)
        except Exception as error:  # tf2onnx and onnxruntime raise many types; the user needs the reason
            raise ExportError(f"{file}: conversion to ONNX failed ({first_line(error)})") from error
    converted.metadata_props.add(key=LABELS_KEY, value=format_labels(class_names))
    with replacing(file) as temporary:
        temporary.write_bytes(converted.SerializeToString(deterministic=True))
    return file


def _convert(network: keras.Model, folder: Path, precision: str, images: np.ndarray | None):
    """The network as a ``ModelProto``."""
    import onnx
    import tf2onnx

    shape = (None, *network.inputs[0].shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name="image")])
    def serve(image):
        return dict(network(image, training=False))

    plain, prepared, quantized = (folder / f"{name}.onnx" for name in ("plain", "prepared", "quantized"))
    converted, _ = tf2onnx.convert.from_function(serve, serve.input_signature, opset=OPSET)
    for node in (*converted.graph.input, *converted.graph.output):
        node.type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.checker.check_model(converted, full_check=True)
    if precision == "float32":
        return converted
    if precision == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        return convert_float_to_float16(converted, keep_io_types=True)
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    onnx.save(converted, plain)
    quant_pre_process(plain, prepared, skip_symbolic_shape=True)
    if precision == "dynamic":
        quantization.quantize_dynamic(prepared, quantized, weight_type=quantization.QuantType.QUInt8)
    else:
        quantization.quantize_static(
            prepared,
            quantized,
            _Calibration(images),
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    return onnx.load(quantized)


class _Calibration:
    """Hands training images to the calibration, one by one; ``None`` ends it."""

    def __init__(self, images: np.ndarray):
        self._images = iter(images)

    def get_next(self) -> dict[str, np.ndarray] | None:
        image = next(self._images, None)
        return None if image is None else {"image": image[None]}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the converters' progress out of the log."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(previous)
