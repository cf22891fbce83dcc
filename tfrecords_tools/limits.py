"""Limits that the command lines show in their help; kept apart so that help need not load an image library."""

DEFAULT_MAX_PIXELS = 50_000_000
"""Images with more pixels are taken for decompression bombs."""
