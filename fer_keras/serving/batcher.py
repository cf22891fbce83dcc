"""Requests that arrive within a few milliseconds share one call of the model."""

import asyncio
import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from fer_keras.serving.errors import OverloadedError, RequestError

Outputs = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Waiting:
    rows: np.ndarray
    since: float
    answer: asyncio.Future


class Batcher:
    """Gathers the rows of waiting requests until the batch is full or the first of them has waited long enough.

    While all workers are busy, requests gather without limit of time, so that batches grow with the load. A request is
    never divided. If a batch fails, its requests are run one by one: only the one at fault sees the error.

    Args:
        run: (rows) -> outputs, each with one row per row; called in `executor`.
        max_batch: most rows in one call, and so in one request.
        timeout: seconds that the first request of a batch waits for others while a worker is free.
        executor: where `run` is called.
        workers: calls of `run` at the same time.
        max_waiting: rows that may wait; requests beyond that are refused.
        on_batch: called with the number of rows before each call of `run`.

    Example:
        >>> import asyncio
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> async def doubled(*values):
        ...     with ThreadPoolExecutor(1) as executor:
        ...         batcher = Batcher(lambda rows: {"twice": 2 * rows}, 8, 0.01, executor)
        ...         answers = await asyncio.gather(*(batcher(np.array([value])) for value in values))
        ...         return [answer["twice"].tolist() for answer in answers]
        >>> asyncio.run(doubled(1, 2, 3))
        [[2], [4], [6]]
    """

    def __init__(
        self,
        run: Callable[[np.ndarray], Outputs],
        max_batch: int,
        timeout: float,
        executor: Executor,
        workers: int = 1,
        max_waiting: int = 4096,
        on_batch: Callable[[int], None] = lambda rows: None,
    ):
        self._run, self._executor, self._on_batch = run, executor, on_batch
        self._max_batch, self._timeout, self._max_waiting = max_batch, timeout, max_waiting
        self._waiting: deque[_Waiting] = deque()
        self._waiting_rows = 0
        self._full = asyncio.Event()
        self._free_workers = asyncio.Semaphore(workers)
        self._gathering: asyncio.Task | None = None
        self._running: set[asyncio.Task] = set()

    async def __call__(self, rows: np.ndarray) -> Outputs:
        """The outputs for a request's rows.

        Raises:
            RequestError: no rows, more than `max_batch`, or rows that the model refuses.
            OverloadedError: `max_waiting` rows wait already.
        """
        if not 1 <= len(rows) <= self._max_batch:
            raise RequestError(f"wanted 1 to {self._max_batch} images in a request, got {len(rows)}")
        if self._waiting_rows + len(rows) > self._max_waiting:
            raise OverloadedError(f"{self._waiting_rows} images wait already; try again later")
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(rows, time.monotonic(), answer))
        self._waiting_rows += len(rows)
        if self._waiting_rows >= self._max_batch:
            self._full.set()
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gather())
        return await answer

    async def _gather(self) -> None:
        while self._waiting:
            await self._free_workers.acquire()
            left = self._waiting[0].since + self._timeout - time.monotonic()
            if left > 0 and not self._full.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), left)
            task = asyncio.create_task(self._answer(self._take()))
            self._running.add(task)  # the loop itself keeps only weak references
            task.add_done_callback(self._running.discard)

    def _take(self) -> list[_Waiting]:
        """The next batch: requests in their order, as many as fit."""
        batch, rows = [], 0
        while self._waiting and rows + len(self._waiting[0].rows) <= self._max_batch:
            request = self._waiting.popleft()
            self._waiting_rows -= len(request.rows)
            if not request.answer.done():  # else the client has gone
                batch.append(request)
                rows += len(request.rows)
        if self._waiting_rows < self._max_batch:
            self._full.clear()
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            if batch:
                await self._answer_together(batch)
        finally:
            self._free_workers.release()

    async def _answer_together(self, batch: list[_Waiting]) -> None:
        rows = np.concatenate([request.rows for request in batch])
        self._on_batch(len(rows))
        try:
            outputs = await asyncio.get_running_loop().run_in_executor(self._executor, self._run, rows)
        except Exception as error:  # whatever it is, it belongs to the request that caused it
            if len(batch) > 1:
                for request in batch:
                    await self._answer_together([request])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        start = 0
        for request in batch:
            part = slice(start, start + len(request.rows))
            start = part.stop
            if not request.answer.done():
                request.answer.set_result({name: values[part] for name, values in outputs.items()})
