"""``fer-keras serve``: an exported model behind HTTP and gRPC."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    model: Annotated[
        Path, typer.Argument(help="SavedModel folder: saved_models/NAME (its highest version), or one version in it.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name in the addresses; default: the folder's.", show_default=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of REST; 0: any free one.")] = 8501,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of gRPC; 0: any free one.")] = 8500,
    max_batch: Annotated[int, typer.Option(min=1, help="Most images in a request, and in one call of the model.")] = 32,
    batch_timeout: Annotated[
        float, typer.Option(min=0, help="Milliseconds that a request waits for others to share a call with.")
    ] = 2.0,
    max_request_mb: Annotated[float, typer.Option(min=0.001, help="Largest request, in MiB; beyond that: 413.")] = 8.0,
    workers: Annotated[int, typer.Option(min=1, help="Calls of the model at the same time.")] = 1,
    threads: Annotated[int, typer.Option(min=0, help="Processor threads of one call; 0: all.")] = 0,
    grace: Annotated[int, typer.Option(min=0, help="Seconds that requests have to finish after SIGTERM.")] = 30,
) -> None:
    """Serves a SavedModel over REST (v1 of TensorFlow Serving, v1 and v2 of KServe) and gRPC (both).

    Stops on SIGTERM or Ctrl-C, when the requests that had arrived are answered. Needs the extra "serve".
    """
    from fer_keras.serving.batched_model import Batching
    from fer_keras.serving.serve import serve as run
    from fer_keras.serving.server_options import ServerOptions

    def announce(served_name: str, http: int, grpc: int) -> None:
        address = f"[{host}]" if ":" in host else host
        typer.echo(f"ready: POST http://{address}:{http}/v1/models/{served_name}:predict, gRPC {address}:{grpc}")

    batching = Batching(max_batch, batch_timeout / 1000, workers)
    options = ServerOptions(host, http_port, grpc_port, int(max_request_mb * 2**20), grace, batching)
    run(model, options, announce, name, threads)
