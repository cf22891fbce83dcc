"""Refuses request bodies that are too large, before they are held in memory."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
READ_ON = 8
"""A body is read on, and dropped, up to so many times the limit: a client that is still sending sees no answer."""


class RequestLimit:
    """ASGI middleware: a body of more than `max_bytes` is answered with 413 and one line of JSON.

    Args:
        app: the application behind it.
        max_bytes: largest body that is let through.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], max_bytes: int):
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Message, receive: Callable, send: Callable) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        size, more = 0, True
        while more and size <= self._max_bytes * READ_ON:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size <= self._max_bytes:
                body += part
        if size > self._max_bytes:
            await self._refuse(send)
            return
        whole = {"type": "http.request", "body": bytes(body), "more_body": False}

        async def replay() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()  # waits for the client to go away
            message, whole = whole, None
            return message

        await self._app(scope, replay, send)

    async def _refuse(self, send: Callable) -> None:
        limit = f"{self._max_bytes / 2**20:g} MiB"
        content = json.dumps({"error": f"the request is larger than {limit}"}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": content})
