import http.server
import json
import socket
import threading

import numpy as np
import pytest
from PIL import Image

from fer_keras.inference.image_files import ImageReadError
from fer_keras.serving import Client, ServingError
from fer_keras.serving.rest_messages import format_outputs, parse_predict

CLASSES = ("neutral", "happiness", "sadness", "surprise")


class TensorFlowServing(http.server.BaseHTTPRequestHandler):
    """Answers ``predict`` in TensorFlow Serving's format, metadata without class names."""

    served = None
    answer = None
    bodies = None
    signatures = None

    def do_GET(self):
        self.reply(
            200,
            {"model_spec": {"name": "faces"}, "metadata": {"signature_def": {"signature_def": self.signatures or {}}}},
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(json.loads(body))
        if self.path != "/v1/models/faces:predict":
            self.reply(404, {"error": f"Servable not found for request: {self.path}"})
        elif self.answer is not None:
            self.reply(200, self.answer)
        else:
            request = parse_predict(body, self.served.input_name)
            batch = self.served.check(request.signature, request.batch)
            self.reply(200, format_outputs(self.served.run(request.signature, batch), request.columns))

    def reply(self, status, content):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def tensorflow_serving(served):
    """The address of such a server, and its class, where answers can be prescribed."""
    handler = type("Handler", (TensorFlowServing,), {"served": served, "bodies": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()


def test_arrays_and_files_are_answered_by_class_name(tensorflow_serving, served, draw, tmp_path):
    url, handler = tensorflow_serving
    images = draw(5)
    expected = served.run("serving_default", images)["probs"]
    client = Client(url, "faces", CLASSES, batch_size=2)
    np.testing.assert_allclose(client.predict_proba(images), expected, atol=1e-6)
    assert [len(body["instances"]) for body in handler.bodies] == [2, 2, 1]
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    answers = client.predict(sorted(tmp_path.iterdir()))
    assert [tuple(answer) for answer in answers] == [CLASSES] * 5
    np.testing.assert_allclose([list(answer.values()) for answer in answers], expected, atol=1e-6)
    assert client.predict([]) == []


def test_other_formats_and_turned_photographs_are_sent_as_png(tensorflow_serving, served, draw, tmp_path):
    image = draw(1)[0]
    Image.fromarray(image).save(tmp_path / "face.bmp")
    turned = Image.fromarray(image).transpose(Image.Transpose.ROTATE_90)
    exif = turned.getexif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to see it upright"
    turned.save(tmp_path / "turned.png", exif=exif)
    client = Client(tensorflow_serving[0], "faces", CLASSES)
    expected = np.repeat(served.run("serving_default", image[None])["probs"], 2, axis=0)
    found = client.predict_proba([tmp_path / "face.bmp", str(tmp_path / "turned.png")])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_requests_keep_to_bytes_and_pixels(tensorflow_serving, served, draw, monkeypatch):
    url, handler = tensorflow_serving
    images = draw(6)  # noise: about 1.5 kB as PNG, 2 kB in base64
    expected = served.run("serving_default", images)["probs"]
    client = Client(url, "faces", CLASSES, max_request_bytes=5000)
    np.testing.assert_allclose(client.predict_proba(images), expected, atol=1e-6)
    assert [len(body["instances"]) for body in handler.bodies] == [2, 2, 2]
    assert max(len(json.dumps(body)) for body in handler.bodies) <= 5000
    handler.bodies.clear()
    monkeypatch.setattr("fer_keras.serving.client.MAX_PIXELS", 4 * 24 * 20)
    np.testing.assert_allclose(Client(url, "faces", CLASSES).predict_proba(images), expected, atol=1e-6)
    assert [len(body["instances"]) for body in handler.bodies] == [4, 2]


def test_a_photograph_that_is_too_large_is_halved_or_refused(tensorflow_serving, served, draw, tmp_path):
    url, handler = tensorflow_serving
    small = draw(1)[0]
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    Image.fromarray(large).save(tmp_path / "large.png", compress_level=0)
    client = Client(url, "faces", CLASSES, max_request_bytes=2150)  # what the model's own size takes
    message = r"large\.png: 80x96 pixels, 0\.0295 MiB of a request; the limits are .* and 0\.00205; scale it down"
    with pytest.raises(ServingError, match=message):
        client.predict([tmp_path / "large.png"])  # the server does not tell the size of the model's input
    dims = [{"size": str(size)} for size in (-1, 24, 20, 3)]
    handler.signatures = {"serving_default": {"inputs": {"image": {"tensor_shape": {"dim": dims}}}}}
    expected = served.run("serving_default", small[None])["probs"]
    np.testing.assert_allclose(client.predict_proba([tmp_path / "large.png"]), expected, atol=1e-6)
    with pytest.raises(ServingError, match=r"large\.png: 80x96 pixels"):
        Client(url, "faces", CLASSES, max_request_bytes=1000).predict([tmp_path / "large.png"])
    assert len(handler.bodies) == 1


def test_class_names_from_a_file_or_not_at_all(tensorflow_serving, draw, tmp_path):
    (tmp_path / "labels.txt").write_text("\n".join(CLASSES))
    assert Client(tensorflow_serving[0], "faces", tmp_path / "labels.txt").class_names == CLASSES
    with pytest.raises(ServingError, match="this server tells no class names; give class_names"):
        Client(tensorflow_serving[0], "faces").predict(draw(1))
    with pytest.raises(ServingError, match="4 probabilities for the classes neutral, fear"):
        Client(tensorflow_serving[0], "faces", ("neutral", "fear")).predict(draw(1))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "not a JSON object"),
        ({"predictions": []}, "an answer without 1 predictions"),
        ({"outputs": [[1.0]]}, "an answer without 1 predictions"),
    ],
)
def test_strange_answers(tensorflow_serving, draw, answer, message):
    tensorflow_serving[1].answer = answer
    with pytest.raises(ServingError, match=message):
        Client(tensorflow_serving[0], "faces", CLASSES).predict(draw(1))


def test_several_outputs(tensorflow_serving, draw):
    row = {"probs": [0.1, 0.2, 0.3, 0.4], "valence_arousal": [0.0, 0.0]}
    tensorflow_serving[1].answer = {"predictions": [row]}
    assert Client(tensorflow_serving[0], "faces", CLASSES).predict(draw(1))[0]["surprise"] == pytest.approx(0.4)


def test_refusals_and_silence_are_one_line(tensorflow_serving, draw):
    url, _ = tensorflow_serving
    with pytest.raises(ServingError, match=r"/v1/models/no%2Fsuch: 404 Servable not found"):
        Client(url, "no/such", CLASSES).predict(draw(1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServingError, match=r"no answer within 0\.2 s"):
            Client(address, "faces", CLASSES, timeout=0.2).predict(draw(1))
    with pytest.raises(ServingError, match="refused"):
        Client(address, "faces", CLASSES).predict(draw(1))


def test_bad_addresses_and_images(tmp_path, monkeypatch):
    for url in ("localhost:8501", "http://", "ftp://host", "http://host:port"):
        with pytest.raises(ServingError, match=f"^{url}: "):
            Client(url, "faces")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "bomb.png")
    with pytest.raises(ImageReadError, match=r"bomb\.png: too large"):
        Client("http://127.0.0.1:1", "faces", CLASSES).predict([tmp_path / "bomb.png"])
    with pytest.raises(ImageReadError, match=r"missing\.png: no such file"):
        Client("http://127.0.0.1:1", "faces", CLASSES).predict([tmp_path / "missing.png"])
