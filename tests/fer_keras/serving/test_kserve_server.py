"""``fer-keras serve`` as a process, asked over loopback with plain HTTP and the messages of both gRPC protocols."""

import base64
import http.client
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_keras.serving import Client, ServingError

PREDICT = "/v1/models/faces:predict"


@pytest.fixture
def ask(server):
    """A function (path, body) -> status and decoded answer; POST if there is a body."""

    def request(path, body=None, content_type="application/json"):
        return exchange(server, path, body, content_type)

    return request


def exchange(server, path, body=None, content_type="application/json"):
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    try:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, content, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def b64(content: bytes) -> dict:
    return {"b64": base64.b64encode(content).decode()}


@pytest.fixture
def expected(served, draw):
    """The local model's answers to ``draw(4)``."""
    return served.run("serving_default", draw(4))["probs"]


def test_every_form_of_a_request_is_answered_as_by_the_local_model(ask, draw, png, expected):
    images, files = draw(4).tolist(), [b64(png(image)) for image in draw(4)]
    bodies = [
        {"instances": images},
        {"instances": [{"image": image} for image in images], "signature_name": "serving_default"},
        {"inputs": images},
        {"inputs": {"image": images}},
        {"instances": files, "signature_name": "serve_bytes"},
        {"instances": [{"image_bytes": file} for file in files], "signature_name": "serve_bytes"},
        {"inputs": {"image_bytes": files}, "signature_name": "serve_bytes"},
    ]
    for body in bodies:
        for path in (PREDICT, "/v1/models/faces/versions/1:predict"):
            status, answer = ask(path, body)
            assert status == 200, answer
            found = answer["predictions" if "instances" in body else "outputs"]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    # curl -d names another type
    status, answer = ask(PREDICT, bodies[0], "application/x-www-form-urlencoded")
    np.testing.assert_allclose(answer["predictions"], expected, rtol=0, atol=1e-6)


def test_open_inference_protocol_over_http(ask, draw, expected):
    data = {"name": "image", "datatype": "UINT8", "shape": [4, 24, 20, 3], "data": draw(4).ravel().tolist()}
    status, answer = ask("/v2/models/faces/infer", {"id": "7", "inputs": [data]})
    assert status == 200 and answer["id"] == "7"
    (output,) = answer["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("probs", "FP32", [4, 4])
    np.testing.assert_allclose(np.reshape(output["data"], (4, 4)), expected, rtol=0, atol=1e-6)


def test_status_metadata_and_health(ask):
    status, answer = ask("/v1/models/faces")
    assert status == 200 and answer["model_version_status"][0]["state"] == "AVAILABLE"
    assert ask("/v1/models/faces/versions/1") == (status, answer)
    status, answer = ask("/v1/models/faces/metadata")
    assert status == 200 and answer["model_spec"] == {"name": "faces", "signature_name": "", "version": "1"}
    assert answer["metadata"]["class_names"] == ["neutral", "happiness", "sadness", "surprise"]
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    image = signatures["serving_default"]["inputs"]["image"]
    assert image["dtype"] == "DT_UINT8"
    assert [dim["size"] for dim in image["tensor_shape"]["dim"]] == ["-1", "24", "20", "3"]
    assert signatures["serve_bytes"]["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert ask("/v2/health/ready") == (200, {"ready": True})
    assert ask("/v2/health/live") == (200, {"live": True})
    assert ask("/v2/models/faces")[1]["inputs"][1] == {"name": "image", "datatype": "UINT8", "shape": [-1, 24, 20, 3]}


def test_bad_requests_are_one_line_of_json(ask, draw, png):
    image = draw(1)[0].tolist()
    damaged = b64(png(draw(1)[0])[:-60])
    cases = [
        (PREDICT, b"{", 400, "Unrecognized request format"),
        (PREDICT, {"instances": []}, 400, "wanted images of shape"),
        (PREDICT, {"instances": [image[:5]]}, 400, r"wanted images of shape \(N, 24, 20, 3\), got \(1, 5, 20, 3\)"),
        (PREDICT, {"instances": [image] * 17}, 400, "wanted 1 to 16 images in a request, got 17"),
        (PREDICT, {"instances": [image], "signature_name": "x"}, 400, "no signature 'x'"),
        (PREDICT, {"instances": [b64(b"no")], "signature_name": "serve_bytes"}, 400, "image 0: not a JPEG or PNG"),
        (PREDICT, {"instances": [damaged], "signature_name": "serve_bytes"}, 400, "an image cannot be decoded"),
        (PREDICT, b" " * (2**20 + 1), 413, "larger than 1 MiB"),
        ("/v1/models/other:predict", {"instances": [image]}, 404, "other"),
        ("/v1/models/faces/versions/2:predict", {"instances": [image]}, 404, "no version 2 of 'faces'"),
        ("/v1/models/other/metadata", None, 404, "no model 'other'"),
        ("/v1/nothing", None, 404, "/v1/nothing: Not Found"),
        ("/v2/models/faces/infer", {"inputs": []}, 400, "wanted one input"),
        ("/v2/models/faces/infer", {"wrong": 1}, 422, "Field required"),
        ("/v2/repository/models/faces/unload", {}, 400, "chosen when the server is started"),
    ]
    for path, body, code, message in cases:
        status, answer = ask(path, body)
        assert (status, list(answer)) == (code, ["error"]), (path, answer)
        assert re.search(message, answer["error"]) and "\n" not in answer["error"], answer
    assert ask(PREDICT, {"instances": [image]})[0] == 200


def metrics(server) -> str:
    """What Prometheus sees."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def batches(server) -> tuple[float, float]:
    """Calls of the model so far, and images in them."""
    text = metrics(server)
    return tuple(float(re.search(rf"^fer_keras_batch_images_{key} (.*)$", text, re.M)[1]) for key in ("count", "sum"))


def test_which_requests_kserve_times(server, ask, channel, draw):
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    images = draw(1)
    pixels = {"name": "image", "datatype": "UINT8", "shape": list(images.shape), "data": images.ravel().tolist()}
    request = PredictRequest()
    request.model_spec.name = "faces"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(images))

    def timed() -> float:
        found = re.findall(r"^request_predict_seconds_count\{.*\} (.*)$", metrics(server), re.M)
        return sum(map(float, found))

    routes = [
        (1, lambda: ask(PREDICT, {"instances": images.tolist()})),
        (1, lambda: ask("/v2/models/faces/infer", {"inputs": [pixels]})),
        (0, lambda: ask("/v1/models/faces/versions/1:predict", {"instances": images.tolist()})),
        (0, lambda: PredictionServiceStub(channel).Predict(request, timeout=60)),
    ]
    for counted, send in routes:
        before, (_, images_before) = timed(), batches(server)
        send()
        assert timed() - before == counted and batches(server)[1] - images_before == 1


def test_requests_that_come_together_share_a_call_and_one_bad_image_harms_no_other(server, served, draw, png):
    images = draw(16, seed=5)
    expected = served.run("serving_default", images)["probs"]
    files = [b64(png(image)) for image in images] + [b64(png(images[0])[:-60])]
    before = batches(server)
    together = threading.Barrier(len(files))

    def send(file):
        together.wait()
        return exchange(server, PREDICT, {"instances": [file], "signature_name": "serve_bytes"})

    with ThreadPoolExecutor(len(files)) as threads:
        answers = list(threads.map(send, files))
    assert [status for status, _ in answers] == [200] * 16 + [400]
    found = [answer["predictions"][0] for _, answer in answers[:16]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)

    before = batches(server)
    with ThreadPoolExecutor(16) as threads:
        together = threading.Barrier(16)
        assert [status for status, _ in threads.map(send, files[:16])] == [200] * 16
    calls, counted = np.subtract(batches(server), before)
    assert counted == 16 and calls <= 8


def test_client(server, served, draw):
    client = Client(server.url, "faces")
    answers = client.predict(draw(4))
    assert tuple(answers[0]) == served.class_names
    expected = served.run("serving_default", draw(4))["probs"]
    np.testing.assert_allclose([list(answer.values()) for answer in answers], expected, rtol=0, atol=1e-6)
    with pytest.raises(ServingError, match="400 wanted 1 to 16 images in a request, got 20"):
        Client(server.url, "faces", batch_size=20).predict(draw(20))


@pytest.fixture
def channel(server):
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


def test_tensorflow_serving_messages_over_grpc(channel, draw, expected):
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc, predict_pb2
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    stub = PredictionServiceStub(channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "faces"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(draw(4)))
    answer = stub.Predict(request, timeout=60)
    np.testing.assert_allclose(tf.make_ndarray(answer.outputs["probs"]), expected, rtol=0, atol=1e-6)

    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "faces"
    answer = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=60)
    assert answer.model_version_status[0].version == 1

    refusals = {
        grpc.StatusCode.INVALID_ARGUMENT: ("signature_name", "x", "no signature 'x'"),
        grpc.StatusCode.NOT_FOUND: ("name", "other", "no model 'other'"),
    }
    for code, (field, value, message) in refusals.items():
        bad = predict_pb2.PredictRequest()
        bad.CopyFrom(request)
        setattr(bad.model_spec, field, value)
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(bad, timeout=60)
        assert error.value.code() == code and message in error.value.details()
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(draw(800)))
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(request, timeout=60)
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_open_inference_protocol_over_grpc(channel, draw, png, expected):
    import grpc
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
    from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

    stub = GRPCInferenceServiceStub(channel)
    assert stub.ModelReady(messages.ModelReadyRequest(name="faces"), timeout=60).ready
    pixels = messages.ModelInferRequest(model_name="faces", raw_input_contents=[draw(4).tobytes()])
    pixels.inputs.add(name="image", datatype="UINT8", shape=[4, 24, 20, 3])
    files = messages.ModelInferRequest(model_name="faces")
    files.inputs.add(name="image_bytes", datatype="BYTES", shape=[4]).contents.bytes_contents.extend(
        png(image) for image in draw(4)
    )
    for request in (pixels, files):
        (output,) = stub.ModelInfer(request, timeout=60).outputs
        found = np.reshape(output.contents.fp32_contents, (4, 4))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    pixels.inputs[0].shape[0] = 5
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(pixels, timeout=60)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "cannot reshape" in error.value.details()
    with pytest.raises(grpc.RpcError) as error:
        stub.RepositoryModelUnload(messages.RepositoryModelUnloadRequest(model_name="faces"), timeout=60)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_sigterm_answers_what_has_arrived(start_server, draw, served):
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    images = draw(2)
    with (
        start_server("--batch-timeout", "3000") as server,
        grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel,
        ThreadPoolExecutor(1) as threads,
    ):
        over_http = threads.submit(exchange, server, PREDICT, {"instances": images[:1].tolist()})
        request = PredictRequest()
        request.model_spec.name = "faces"
        request.inputs["image"].CopyFrom(tf.make_tensor_proto(images[1:]))
        over_grpc = PredictionServiceStub(channel).Predict.future(request, timeout=60)
        time.sleep(1)  # both wait in the server now
        assert not over_http.done() and not over_grpc.done()
        code, err = server.stop()
        assert (code, err) == (0, "")
        status, answer = over_http.result()
        assert status == 200
        found = np.concatenate([answer["predictions"], tf.make_ndarray(over_grpc.result().outputs["probs"])])
    np.testing.assert_allclose(found, served.run("serving_default", images)["probs"], rtol=0, atol=1e-6)
