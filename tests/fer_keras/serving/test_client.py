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

    def do_GET(self):
        self.reply(200, {"model_spec": {"name": "faces"}, "metadata": {"signature_def": {}}})

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


def test_bad_addresses_and_images(tmp_path):
    for url in ("localhost:8501", "http://", "ftp://host", "http://host:port"):
        with pytest.raises(ServingError, match=f"^{url}: "):
            Client(url, "faces")
    with pytest.raises(ImageReadError, match=r"missing\.png: no such file"):
        Client("http://127.0.0.1:1", "faces", CLASSES).predict([tmp_path / "missing.png"])
