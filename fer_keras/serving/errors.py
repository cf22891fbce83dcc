"""Why a request is not answered, whichever protocol it came by."""


class RequestError(ValueError):
    """The request is at fault; the message says how. HTTP 400, gRPC ``INVALID_ARGUMENT``."""


class UnknownModelError(LookupError):
    """Another model or version than the one that is served. HTTP 404, gRPC ``NOT_FOUND``."""


class OverloadedError(RuntimeError):
    """Too many requests wait already; try again later. HTTP 503, gRPC ``UNAVAILABLE``."""
