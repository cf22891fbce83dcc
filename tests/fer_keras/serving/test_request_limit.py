import asyncio

import pytest

from fer_keras.serving.request_limit import RequestLimit


async def echo(scope, receive, send):
    """Answers with the body it was given."""
    message = await receive()
    assert message["more_body"] is False
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def exchange(parts, limit):
    """Status, body and number of parts read for a request that arrives in parts."""
    messages = [
        {"type": "http.request", "body": part, "more_body": index < len(parts) - 1} for index, part in enumerate(parts)
    ]
    sent, count = [], len(messages)

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(RequestLimit(echo, limit)({"type": "http"}, receive, send))
    return sent[0]["status"], sent[1]["body"], count - len(messages)


@pytest.mark.parametrize("parts", [[b""], [b"0123456789"], [b"01234", b"", b"56789"]])
def test_a_body_within_the_limit_arrives_whole(parts):
    assert exchange(parts, 10) == (200, b"".join(parts), len(parts))


@pytest.mark.parametrize("parts", [[b"x" * 11], [b"x" * 6] * 2])
def test_a_larger_one_is_refused_after_it_was_read(parts):
    status, body, read = exchange(parts, 10)
    assert (status, read) == (413, len(parts))
    assert body.startswith(b'{"error": "the request is larger than ')


def test_reading_on_has_an_end():
    status, _, read = exchange([b"x" * 10] * 1000, 10)
    assert status == 413 and read < 20


def test_a_client_that_left_is_not_answered():
    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError(message)

    asyncio.run(RequestLimit(echo, 10)({"type": "http"}, receive, send))


def test_other_scopes_pass():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(RequestLimit(app, 10)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
