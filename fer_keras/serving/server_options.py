"""What can be chosen of a server."""

import dataclasses

from fer_keras.serving.batched_model import Batching
from fer_keras.serving.limits import MAX_REQUEST_BYTES


@dataclasses.dataclass(frozen=True)
class ServerOptions:
    """Addresses and limits.

    Args:
        host: address to listen on; ``0.0.0.0`` for all.
        http_port: port of REST; 0 takes a free one.
        grpc_port: port of gRPC; 0 takes a free one.
        max_request_bytes: largest body or message.
        grace: seconds that requests have to finish when the server is stopped.
        batching: how requests are put together.
    """

    host: str = "127.0.0.1"
    http_port: int = 8501
    grpc_port: int = 8500
    max_request_bytes: int = MAX_REQUEST_BYTES
    grace: int = 30
    batching: Batching = dataclasses.field(default_factory=Batching)
