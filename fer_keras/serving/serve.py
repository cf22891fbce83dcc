"""From a folder to a running server."""

from collections.abc import Callable
from pathlib import Path

from fer_keras.serving.server_options import ServerOptions


class ServeUnavailableError(ValueError):
    """The packages of the extra ``serve`` are not there."""


def serve(
    path: str | Path,
    options: ServerOptions,
    on_ready: Callable[[str, int, int], None],
    name: str | None = None,
    threads: int = 0,
) -> None:
    """Loads a SavedModel and serves it until SIGTERM or SIGINT.

    Args:
        path: the version folder, or the folder of numbered versions, of which the highest is taken.
        options: addresses and limits.
        on_ready: called with the model's name, the HTTP and the gRPC port once requests are answered.
        name: name in the addresses; None takes the name of the folder of versions.
        threads: processor threads of one call of the model; 0 takes all.

    Raises:
        ServeUnavailableError: kserve or tensorflow-serving-api is not installed.
        ModelLoadError: not a SavedModel that can be served.
        OSError: a port is taken.
    """
    try:
        from fer_keras.serving.kserve_server import KServeServer
    except ModuleNotFoundError as error:
        raise ServeUnavailableError(f"no module {error.name}: pip install 'fer-keras[serve]'") from error
    import tensorflow as tf

    from fer_keras.serving.served_model import ServedModel

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    served = ServedModel(path, name)
    KServeServer(served, options).run(lambda http, grpc: on_ready(served.name, http, grpc))
