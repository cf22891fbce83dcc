"""Load on ``fer-keras serve``: requests a second and their times, beside what the model does without a server.

    python benchmarks/serving_load.py saved_models/fer_mini_ferplus
    python benchmarks/serving_load.py saved_models/fer_mini_ferplus --clients 1 64 --seconds 20 -- --batch-timeout 5

Each client sends one image at a time and waits for the answer; clients run on the same machine and take their share of
its processors. Images are noise, the largest PNG files of their size. Words after ``--`` are options of the server.
"""

import argparse
import base64
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from common import store
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from fer_keras.serving.served_model import ServedModel

WARM_UP = 0.2
"""Share of the time that is not counted."""


def percentiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{percent}_milliseconds": round(float(np.percentile(seconds, percent)) * 1e3, 3) for percent in (50, 99)}


def own_limit(served: ServedModel, signature: str, batch: np.ndarray, seconds: float) -> dict:
    """Images a second of the model alone, in calls of one batch size."""
    times: list[float] = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        began = time.perf_counter()
        served.run(signature, batch)
        if began - start >= WARM_UP * seconds:
            times.append(time.perf_counter() - began)
    return {
        "signature": signature,
        "batch": len(batch),
        "images_per_second": round(len(batch) * len(times) / sum(times), 1),
        **percentiles(times),
    }


def rest_sender(port: int, name: str, file: bytes) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"signature_name": "serve_bytes", "instances": [{"b64": base64.b64encode(file).decode()}]})

    def send() -> None:
        connection.request("POST", f"/v1/models/{name}:predict", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(content.decode())

    return send


def grpc_sender(port: int, name: str, file: bytes) -> Callable[[], None]:
    request = PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = "serve_bytes"
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([file]))
    stub = PredictionServiceStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
    return lambda: stub.Predict(request, timeout=60)


def load(make_sender: Callable[[], Callable[[], None]], clients: int, seconds: float) -> dict:
    """Requests a second and their times with so many clients."""
    times: list[float] = []
    failures: list[Exception] = []
    start = time.perf_counter()

    def client() -> None:
        send, own = make_sender(), []
        try:
            while time.perf_counter() - start < seconds:
                began = time.perf_counter()
                send()
                if began - start >= WARM_UP * seconds:
                    own.append(time.perf_counter() - began)
        except Exception as error:  # a figure without the requests that failed would be wrong
            failures.append(error)
        times.extend(own)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    counted = time.perf_counter() - start - WARM_UP * seconds
    return {"clients": clients, "requests_per_second": round(len(times) / counted, 1), **percentiles(times)}


def calls(port: int) -> np.ndarray:
    """Calls of the model so far, and images in them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = (re.search(rf"^fer_keras_batch_images_{key} (.*)$", text, re.MULTILINE) for key in ("count", "sum"))
    return np.array([float(match[1]) for match in found])


def measure_server(arguments: argparse.Namespace, name: str, file: bytes) -> list[dict]:
    words = [str(arguments.model), "--http-port", "0", "--grpc-port", "0", *arguments.options]
    command = [sys.executable, "-m", "fer_keras.cli.main", "serve", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = server.stdout.readline()
            ports = re.search(r"http://127\.0\.0\.1:(\d+)/.*gRPC 127\.0\.0\.1:(\d+)", ready)
            if ports is None:
                raise SystemExit("the server did not start")
            rest, rpc = map(int, ports.groups())
            senders = {
                "REST": lambda: rest_sender(rest, name, file),
                "gRPC": lambda: grpc_sender(rpc, name, file),
            }
            rows = []
            for protocol, make_sender in senders.items():
                for clients in arguments.clients:
                    before = calls(rest)
                    row = load(make_sender, clients, arguments.seconds)
                    made, images = calls(rest) - before
                    rows.append({"protocol": protocol, **row, "images_per_call": round(float(images / made), 2)})
                    print(rows[-1], flush=True)
            return rows
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="SavedModel folder")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--name", default="serving_load", help="of the file of results")
    parser.add_argument("options", nargs="*", help="options of the server, after --")
    arguments = parser.parse_args()
    served = ServedModel(arguments.model)
    size, largest = served.image_size, max(arguments.clients)
    images = np.random.default_rng(0).integers(0, 256, (largest, *size, 3), dtype=np.uint8)
    files = np.array([tf.io.encode_png(image).numpy() for image in images], dtype=object)
    limits = [
        own_limit(served, signature, batch[:count], arguments.seconds)
        for signature, batch in (("serving_default", images), ("serve_bytes", files))
        for count in arguments.clients
    ]
    for row in limits:
        print(row)
    content = {
        "model": served.name,
        "image_size": list(size),
        "server_options": arguments.options,
        "load_average": round(os.getloadavg()[0], 2),
        "model_alone": limits,
        "server": measure_server(arguments, served.name, files[0]),
    }
    print("stored in", store(arguments.name, content))


if __name__ == "__main__":
    main()
