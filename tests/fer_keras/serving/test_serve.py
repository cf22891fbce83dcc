import socket
import sys
import types

import pytest

from fer_keras.inference.classifier import ModelLoadError
from fer_keras.serving import serve as module
from fer_keras.serving.serve import PACKAGES, ServeUnavailableError, serve
from fer_keras.serving.server_options import ServerOptions


@pytest.fixture
def installed(monkeypatch):
    """The extra looks installed, whether it is or not."""
    util = types.SimpleNamespace(find_spec=lambda name: name)
    monkeypatch.setattr(module, "importlib", types.SimpleNamespace(util=util))


@pytest.mark.parametrize("package", PACKAGES)
def test_without_the_extra_it_is_one_line_with_the_command(monkeypatch, package):
    for name in PACKAGES:
        monkeypatch.setitem(sys.modules, name, None if name == package else types.ModuleType(name))
        if name != package:
            sys.modules[name].__spec__ = types.SimpleNamespace()
    with pytest.raises(
        ServeUnavailableError, match=rf"^fer-keras serve needs {package}: pip install 'fer-keras\[serve"
    ):
        serve("no/such/model", ServerOptions(), print)


def test_with_a_broken_extra_it_is_one_line_with_the_reason(installed, monkeypatch, model_folder):
    monkeypatch.setitem(sys.modules, "fer_keras.serving.kserve_server", None)
    with pytest.raises(ServeUnavailableError, match=r"needs kserve, which cannot be imported: .*kserve_server"):
        serve(model_folder, ServerOptions(http_port=0, grpc_port=0), print)


@pytest.mark.parametrize(("purpose", "option"), [("HTTP", "http_port"), ("gRPC", "grpc_port")])
def test_a_port_that_is_taken_is_one_line(installed, purpose, option):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ServerOptions(**{"http_port": 0, "grpc_port": 0, option: port})
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port} for {purpose}: Address already in use"):
            serve("no/such/model", options, print)


def test_small_answers_are_sent_at_once():
    # asyncio switches Nagle's algorithm off where the listening socket names its protocol, which connections inherit
    with module._bound("127.0.0.1", 0, "HTTP") as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_a_host_that_is_not_here(installed):
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:8501 for HTTP: "):
        serve("no/such/model", ServerOptions(host="192.0.2.1"), print)


def test_a_model_that_is_not_there(installed, tmp_path):
    with pytest.raises(ModelLoadError, match="no model: no such file or folder"):
        serve(tmp_path / "no model", ServerOptions(http_port=0, grpc_port=0), print)
