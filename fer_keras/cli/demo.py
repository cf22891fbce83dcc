"""``fer-keras demo``: a model as a web page that needs no server of ours."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    model: Annotated[Path, typer.Argument(help="A .tflite file, or a folder with model.tflite.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the page.", show_default=False)],
    litert_js: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="npm package @litertjs/core 2.5: its folder in node_modules, or the .tgz of npm pack. "
            "Default: node_modules here, else npm pack.",
        ),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the page on this machine when it is written.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for --serve; 0 takes a free one.")] = 8000,
) -> None:
    """Writes a static page that runs a model in the browser, on a photo or the camera.

    The folder is complete: put it on any static host (with https, or the camera stays off).
    Pictures stay on the visitor's device: the page can reach nothing but its own host.
    """
    from rich.console import Console

    from fer_keras.demo.litert_js import open_litert_js
    from fer_keras.demo.page import model_file, require_replaceable, write_demo
    from fer_keras.demo.server import demo_server

    console = Console(soft_wrap=True, markup=False, highlight=False)
    model_file(model)
    require_replaceable(out)
    with open_litert_js(litert_js, say=lambda command: console.print(f"$ {command}")) as runtime:
        size = write_demo(model, out, runtime)
    console.print(f"{out}: {size / 1e6:.1f} MB, @litertjs/core {runtime.version}. Serve it from any static host.")
    if serve:
        with demo_server(out, port) as server:
            console.print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C stops)")
            try:
                server.serve_forever()
            except KeyboardInterrupt:  # the way to stop, not an interruption
                console.print("stopped")
