"""A web server for the page, on this machine only."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class DemoHandler(SimpleHTTPRequestHandler):
    """Serves files without logging them, with the types that modules and WebAssembly need on every system."""

    extensions_map = {  # noqa: RUF012 (the name and kind are the parent's)
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        """Lets a page that was written anew be seen at the next reload."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args) -> None:
        """Nothing: the terminal shows the address alone."""


def demo_server(folder: str | Path, port: int) -> ThreadingHTTPServer:
    """A server of a folder on 127.0.0.1, not yet running.

    Args:
        folder: what to serve.
        port: 0 takes a free one; ``server_port`` says which.

    Returns:
        The server: ``serve_forever()``, ``server_close()``.

    Raises:
        OSError: the port is taken; the message names it.

    Example:
        >>> with demo_server(".", 0) as server:
        ...     server.server_address[0]
        '127.0.0.1'
    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(DemoHandler, directory=str(folder)))
    except OSError as error:
        raise OSError(f"port {port} of 127.0.0.1: {error.strerror}; give another --port (0: a free one)") from error
