"""TensorFlow Serving's v1 REST addresses that KServe's server lacks or answers otherwise, as FastAPI routes."""

from collections.abc import Mapping

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from google.protobuf.json_format import MessageToDict
from starlette.exceptions import HTTPException

from fer_keras.serving.batched_model import BatchedModel
from fer_keras.serving.errors import OverloadedError, RequestError, UnknownModelError
from fer_keras.serving.rest_messages import format_outputs, parse_predict

STATUS: Mapping[type[Exception], int] = {RequestError: 400, UnknownModelError: 404, OverloadedError: 503}


def tf_serving_router(model: BatchedModel) -> APIRouter:
    """``GET`` of status and ``/metadata``, and ``POST :predict``, with and without ``/versions/<version>``.

    Args:
        model: the model that answers.
    """
    router = APIRouter(prefix="/v1")
    served = model.served

    async def status(name: str, version: str | None = None) -> dict:
        model.require(name, version)
        available = {
            "version": str(served.version),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return {"name": name, "ready": True, "model_version_status": [available]}  # the first two as KServe says it

    async def metadata(name: str, version: str | None = None) -> dict:
        model.require(name, version)
        signatures = {
            signature: MessageToDict(
                definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for signature, definition in served.signature_defs.items()
        }
        return {
            "model_spec": {"name": name, "signature_name": "", "version": str(served.version)},
            "metadata": {"signature_def": {"signature_def": signatures}, "class_names": list(served.class_names)},
        }

    async def predict(name: str, version: str, request: Request) -> dict:
        model.require(name, version)
        asked = parse_predict(await request.body(), served.input_name)
        return format_outputs(await model.predict(asked.signature, asked.batch), asked.columns)

    for path in ("/models/{name}", "/models/{name}/versions/{version}"):
        router.add_api_route(f"{path}/metadata", metadata, methods=["GET"])
    router.add_api_route("/models/{name}", status, methods=["GET"])
    router.add_api_route("/models/{name}/versions/{version}:predict", predict, methods=["POST"])
    router.add_api_route("/models/{name}/versions/{version}", status, methods=["GET"])
    return router


def answer_errors(app: FastAPI, more: Mapping[type[Exception], int]) -> None:
    """Makes every refusal a line of JSON with the key ``error``.

    Args:
        app: the application.
        more: further exceptions that are a client's mistake -> HTTP status.
    """
    known = {**STATUS, **more}

    async def refused(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": str(error)}, known[type(error)])

    async def wrong_address(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": f"{request.url.path}: {error.detail}"}, error.status_code, error.headers)

    async def wrong_body(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        return JSONResponse({"error": f"{'.'.join(map(str, first['loc']))}: {first['msg']}"}, 422)

    for kind in known:
        app.add_exception_handler(kind, refused)
    app.add_exception_handler(HTTPException, wrong_address)
    app.add_exception_handler(RequestValidationError, wrong_body)
