"""Limits that server and client both know; nothing here imports TensorFlow."""

MAX_REQUEST_BYTES = 8 * 2**20
"""Largest body or message, unless a server is told otherwise."""

MAX_PIXELS = 40_000_000
"""Of all encoded images of a request together: a few hundred bytes of PNG can unfold to gigabytes."""
