"""The one place where kserve (extra ``serve``) is imported: its REST and gRPC servers around one model of ours."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what its many dependencies announce
    words, sys.argv = sys.argv, sys.argv[:1]  # kserve reads the command line when it is imported; this one is ours
    try:
        import kserve
        import uvicorn
        from fastapi.exceptions import FastAPIDeprecationWarning
        from kserve.errors import InvalidInput, ModelNotFound
        from kserve.model_server import app
        from kserve.protocol.dataplane import DataPlane
        from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
        from kserve.protocol.grpc.interceptors import ExceptionToStatusInterceptor
        from kserve.protocol.grpc.servicer import InferenceServicer
        from kserve.protocol.model_repository_extension import ModelRepositoryExtension
        from kserve.protocol.rest.server import RESTServer
        from prometheus_client import Histogram
    finally:
        sys.argv = words

from fer_keras.serving.batched_model import BatchedModel
from fer_keras.serving.errors import OverloadedError, RequestError, UnknownModelError
from fer_keras.serving.prediction_service import PredictionService
from fer_keras.serving.request_limit import RequestLimit
from fer_keras.serving.rest_messages import format_outputs, parse_predict
from fer_keras.serving.served_model import ServedModel
from fer_keras.serving.server_options import ServerOptions
from fer_keras.serving.tf_serving_routes import answer_errors, tf_serving_router

BATCH_IMAGES = Histogram(
    "fer_keras_batch_images", "Images in one call of the model", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)


class KServeServer:
    """Serves one model over HTTP and gRPC until the process is told to stop.

    Args:
        served: the model.
        options: addresses and limits.
        listener: the socket for HTTP, bound.
    """

    def __init__(self, served: ServedModel, options: ServerOptions, listener: socket.socket):
        self._served = served
        self._options = options
        self._listener = listener

    def run(self, on_ready: Callable[[int, int], None]) -> None:
        """Serves; returns after SIGTERM or SIGINT, when all requests that had arrived are answered.

        Args:
            on_ready: called with the HTTP and the gRPC port once both listen.
        """
        logging.getLogger("kserve").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", category=FastAPIDeprecationWarning)  # of KServe's own answers
        asyncio.run(self._serve(on_ready))

    async def _serve(self, on_ready: Callable[[int, int], None]) -> None:
        options = self._options
        model = BatchedModel(self._served, options.batching, BATCH_IMAGES.observe)
        registry = kserve.ModelRepository()
        registry.update(_Model(model))
        dataplane, repository = DataPlane(registry), _FixedRepository(registry)
        grpc_server, grpc_port = self._grpc_server(model, dataplane, repository)
        http_server = _HttpServer(self._http_config(model, dataplane, repository))
        await grpc_server.start()
        http = asyncio.create_task(http_server.serve(sockets=[self._listener]))
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        while not (http_server.started or http.done()):
            await asyncio.sleep(0.01)
        if not http_server.started:
            raise OSError(f"cannot listen on {options.host}:{options.http_port} for HTTP")
        on_ready(self._listener.getsockname()[1], grpc_port)
        await asyncio.wait((http, asyncio.create_task(stopped.wait())), return_when=asyncio.FIRST_COMPLETED)
        http_server.should_exit = True
        await asyncio.gather(http, grpc_server.stop(options.grace))
        model.close()

    def _http_config(
        self, model: BatchedModel, dataplane: DataPlane, repository: ModelRepositoryExtension
    ) -> uvicorn.Config:
        app.include_router(tf_serving_router(model))  # before KServe's own routes: the first that fits answers
        RESTServer("kserve.model_server:app", dataplane, repository, self._options.http_port).create_application()
        answer_errors(app, {InvalidInput: 400, ModelNotFound: 404})
        return uvicorn.Config(
            RequestLimit(app, self._options.max_request_bytes),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=self._options.grace,
        )

    def _grpc_server(
        self, model: BatchedModel, dataplane: DataPlane, repository: ModelRepositoryExtension
    ) -> tuple[grpc.aio.Server, int]:
        options = self._options
        server = grpc.aio.server(
            ThreadPoolExecutor(1, "grpc"),
            interceptors=(_Interceptor(),),
            options=[("grpc.max_receive_message_length", options.max_request_bytes), ("grpc.so_reuseport", 0)],
        )
        add_GRPCInferenceServiceServicer_to_server(InferenceServicer(dataplane, repository), server)
        PredictionService(model).register(server)
        host = f"[{options.host}]" if ":" in options.host else options.host
        return server, server.add_insecure_port(f"{host}:{options.grpc_port}")


class _Model(kserve.Model):
    """KServe's v1 and v2 (open inference) requests, handed on to the batches."""

    def __init__(self, model: BatchedModel):
        super().__init__(model.served.name)
        self._model = model
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, kserve.InferRequest):
            return await self._infer(payload)
        request = parse_predict(payload, self._model.served.input_name)
        return format_outputs(await self._model.predict(request.signature, request.batch), request.columns)

    async def _infer(self, request: kserve.InferRequest) -> kserve.InferResponse:
        if len(request.inputs) != 1:
            raise RequestError(f"wanted one input, got {[entry.name for entry in request.inputs]}")
        signature = self._model.served.signature_of(request.inputs[0].name)
        try:
            batch = request.inputs[0].as_numpy()
        except (TypeError, ValueError, OverflowError) as error:
            raise RequestError(f"input {request.inputs[0].name!r}: {error}") from error
        outputs = []
        for name, values in (await self._model.predict(signature, batch)).items():
            output = kserve.InferOutput(name, list(values.shape), "FP32")
            output.set_data_from_numpy(values, binary_data=False)
            outputs.append(output)
        return kserve.InferResponse(request.id, self.name, outputs, str(self._model.served.version))

    def get_input_types(self) -> list[dict]:
        height, width = self._model.served.image_size
        shapes = {"image": [-1, height, width, 3], "image_bytes": [-1]}
        datatypes = {"image": "UINT8", "image_bytes": "BYTES"}
        names = self._model.served.inputs.values()
        return [{"name": name, "datatype": datatypes[name], "shape": shapes[name]} for name in names]

    def get_output_types(self) -> list[dict]:
        outputs = self._model.served.signature_defs["serving_default"].outputs
        return [
            {"name": name, "datatype": "FP32", "shape": [dim.size for dim in outputs[name].tensor_shape.dim]}
            for name in sorted(outputs)
        ]


class _FixedRepository(ModelRepositoryExtension):
    """One model for the life of the process: nobody on the network may unload it."""

    async def load(self, model_name: str) -> None:
        raise RequestError("the model is chosen when the server is started")

    unload = load


class _HttpServer(uvicorn.Server):
    """Leaves the signals alone, which stop both servers."""

    def capture_signals(self) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext()


class _Interceptor(ExceptionToStatusInterceptor):
    """A client's mistake becomes a status, without a traceback in the server's log."""

    STATUS = (
        ((RequestError, InvalidInput), grpc.StatusCode.INVALID_ARGUMENT),
        ((UnknownModelError, ModelNotFound), grpc.StatusCode.NOT_FOUND),
        ((OverloadedError,), grpc.StatusCode.UNAVAILABLE),
    )

    async def handle_exception(self, ex, request_or_iterator, context, method_name) -> None:
        for kinds, status in self.STATUS:
            if isinstance(ex, kinds):
                await context.abort(status, str(ex))
        await super().handle_exception(ex, request_or_iterator, context, method_name)
