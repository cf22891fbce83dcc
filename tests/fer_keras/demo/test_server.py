import threading
import urllib.error
import urllib.request

import pytest

from fer_keras.demo.server import demo_server


@pytest.fixture
def address(tmp_path):
    (tmp_path / "site").mkdir()
    for name in ("index.html", "main.js", "runtime.wasm"):
        (tmp_path / "site" / name).write_text(name)
    (tmp_path / "secret.txt").write_text("not served")
    with demo_server(tmp_path / "site", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "kind"), [("", "text/html"), ("main.js", "text/javascript"), ("runtime.wasm", "application/wasm")]
)
def test_types_that_a_browser_needs(address, path, kind):
    with urllib.request.urlopen(f"{address}/{path}") as answer:
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Cache-Control"] == "no-cache"


def test_nothing_beside_the_folder(address):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/../secret.txt")


def test_a_port_that_is_taken_is_named(address):
    port = int(address.rpartition(":")[2])
    with pytest.raises(OSError, match=f"port {port} of 127.0.0.1: .* give another --port"):
        demo_server(".", port)
