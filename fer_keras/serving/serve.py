"""From a folder to a running server."""

import importlib.util
import socket
from collections.abc import Callable
from pathlib import Path

from fer_keras.serving.server_options import ServerOptions

PACKAGES = ("kserve", "tensorflow_serving")


class ServeUnavailableError(ValueError):
    """A package of the extra ``serve`` is not there, or cannot be imported."""


def serve(
    path: str | Path,
    options: ServerOptions,
    on_ready: Callable[[str, int, int], None],
    name: str | None = None,
    threads: int = 0,
) -> None:
    """Loads a SavedModel and serves it until SIGTERM or SIGINT. What can be wrong is found before the slow imports.

    Args:
        path: the version folder, or the folder of numbered versions, of which the highest is taken.
        options: addresses and limits.
        on_ready: called with the model's name, the HTTP and the gRPC port once requests are answered.
        name: name in the addresses; None takes the name of the folder of versions.
        threads: processor threads of one call of the model, in a process that has not used TensorFlow yet; 0 takes all.

    Raises:
        ServeUnavailableError: a package of the extra ``serve`` is not installed, or does not work.
        ModelLoadError: not a SavedModel that can be served.
        OSError: a port is taken, or the host is none of this machine; the message names it.
    """
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise ServeUnavailableError(f"fer-keras serve needs {package}: pip install 'fer-keras[serve]'")
    with _bound(options.host, options.http_port, "HTTP") as listener:
        _bound(options.host, options.grpc_port, "gRPC").close()  # gRPC binds for itself, with a less clear message
        import tensorflow as tf

        from fer_keras.serving.served_model import ServedModel

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        served = ServedModel(path, name)
        try:
            from fer_keras.serving.kserve_server import KServeServer
        except ImportError as error:
            raise ServeUnavailableError(f"fer-keras serve needs kserve, which cannot be imported: {error}") from error

        KServeServer(served, options, listener).run(lambda http, grpc: on_ready(served.name, http, grpc))


def _bound(host: str, port: int, purpose: str) -> socket.socket:
    """A socket with this address; it does not listen yet, so that nobody waits for a model that is being loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send small answers at once; else each waits 40 ms for a receipt.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(f"cannot listen on {host}:{port} for {purpose}: {error.strerror or error}") from error
    return bound
