"""The asynchronous face of a served model: every protocol asks here."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from fer_keras.inference.saved_model_classifier import SIGNATURE
from fer_keras.serving.batcher import Batcher
from fer_keras.serving.errors import RequestError, UnknownModelError
from fer_keras.serving.served_model import ServedModel

BATCHES_THAT_MAY_WAIT = 64


@dataclasses.dataclass(frozen=True)
class Batching:
    """How requests are put together.

    Args:
        max_batch: most images in one call of the model, and in one request.
        timeout: seconds that a request waits for others while a worker is free.
        workers: calls of the model at the same time.
    """

    max_batch: int = 32
    timeout: float = 0.002
    workers: int = 1


class BatchedModel:
    """Checks requests and answers them in batches, one queue per signature.

    Args:
        served: the model.
        batching: how requests are put together.
        on_batch: called with the number of images of each call of the model.
    """

    def __init__(self, served: ServedModel, batching: Batching, on_batch: Callable[[int], None] = lambda images: None):
        self.served = served
        self.max_batch = batching.max_batch
        self._executor = ThreadPoolExecutor(batching.workers, "model")
        self._batchers = {
            signature: Batcher(
                partial(served.run, signature),
                batching.max_batch,
                batching.timeout,
                self._executor,
                batching.workers,
                BATCHES_THAT_MAY_WAIT * batching.max_batch,
                on_batch,
            )
            for signature in served.inputs
        }

    async def predict(self, signature: str, batch: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs of a signature for one request.

        Raises:
            RequestError: the request is at fault.
            OverloadedError: too many images wait already.
        """
        return await self._batchers[signature](self.served.check(signature, batch))

    def require_size(self, signature: str, shape: Sequence[int]) -> None:
        """Refuses an input by the shape that it claims, before anything of that size is made.

        Args:
            signature: which of the model's.
            shape: of the input.

        Raises:
            RequestError: a negative length, or more values than a request may have.
        """
        height, width = self.served.image_size
        values = height * width * 3 if signature == SIGNATURE else 1
        if min(shape, default=0) < 0 or math.prod(shape) > self.max_batch * values:
            raise RequestError(
                f"wanted 1 to {self.max_batch} images of {height}x{width} pixels in a request, got the shape {shape}"
            )

    def require(self, name: str, version: int | str | None = None) -> None:
        """Refuses requests for another model.

        Args:
            name: the model asked for.
            version: the version asked for; None is any.

        Raises:
            UnknownModelError: this is not the model served here.
        """
        if name != self.served.name:
            raise UnknownModelError(f"no model {name!r}; this server has {self.served.name!r}")
        if version is not None and str(version) != str(self.served.version):
            raise UnknownModelError(f"no version {version} of {name!r}; this server has {self.served.version}")

    def close(self) -> None:
        """Waits for the calls that run and ends the threads."""
        self._executor.shutdown()
