"""TensorFlow Serving's gRPC services, for one model: ``PredictionService`` and ``ModelService``."""

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from fer_keras.inference.classifier import first_line
from fer_keras.serving.batched_model import BatchedModel
from fer_keras.serving.errors import RequestError
from fer_keras.serving.rest_messages import DEFAULT_SIGNATURE

SIGNATURE_DEFS = "signature_def"
"""The only metadata there is."""


class PredictionService(
    prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer
):
    """``Predict``, ``GetModelMetadata`` and ``GetModelStatus``; the other methods answer ``UNIMPLEMENTED``.

    Exceptions are left to the server's interceptor.

    Args:
        model: the model that answers.
    """

    def __init__(self, model: BatchedModel):
        self._model = model

    def register(self, server: grpc.aio.Server) -> None:
        """Adds both services to a server that has not been started."""
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(self, server)

    async def Predict(self, request, context) -> predict_pb2.PredictResponse:
        self._require(request.model_spec)
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        name = self._model.served.input_name(signature)
        if set(request.inputs) != {name}:
            raise RequestError(f"wanted the input {name!r}, got {sorted(request.inputs)}")
        tensor = request.inputs[name]
        # make_ndarray repeats the last value up to the size that a message claims
        self._model.require_size(signature, tuple(dim.size for dim in tensor.tensor_shape.dim))
        outputs = await self._model.predict(signature, _read_tensor(tensor, name))
        unknown = set(request.output_filter) - set(outputs)
        if unknown:
            raise RequestError(f"no output {sorted(unknown)}; this signature has {sorted(outputs)}")
        response = predict_pb2.PredictResponse(model_spec=self._model_spec(signature))
        for output in request.output_filter or outputs:
            response.outputs[output].CopyFrom(tf.make_tensor_proto(outputs[output]))
        return response

    async def GetModelMetadata(self, request, context) -> get_model_metadata_pb2.GetModelMetadataResponse:
        self._require(request.model_spec)
        if set(request.metadata_field) != {SIGNATURE_DEFS}:
            raise RequestError(f"'metadata_field' must be {SIGNATURE_DEFS!r}, got {sorted(request.metadata_field)}")
        response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=self._model_spec())
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=self._model.served.signature_defs)
        response.metadata[SIGNATURE_DEFS].Pack(signatures)
        return response

    async def GetModelStatus(self, request, context) -> get_model_status_pb2.GetModelStatusResponse:
        self._require(request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(
            version=self._model.served.version, state=get_model_status_pb2.ModelVersionStatus.AVAILABLE
        )
        return response

    def _require(self, spec: model_pb2.ModelSpec) -> None:
        self._model.require(spec.name, spec.version.value if spec.HasField("version") else None)

    def _model_spec(self, signature: str = "") -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._model.served.name, signature_name=signature)
        spec.version.value = self._model.served.version
        return spec


def _read_tensor(tensor, name: str) -> np.ndarray:
    try:
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise RequestError(f"input {name!r}: {first_line(error)}") from error
