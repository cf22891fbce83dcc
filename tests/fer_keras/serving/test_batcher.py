import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_keras.serving.batcher import Batcher
from fer_keras.serving.errors import OverloadedError, RequestError


def gather(requests, run, max_batch=8, timeout=0.05, workers=1, **options):
    """All answers (or exceptions) to requests that arrive together, and the sizes of the calls."""
    sizes = []

    async def main():
        with ThreadPoolExecutor(workers) as executor:
            batcher = Batcher(run, max_batch, timeout, executor, workers, on_batch=sizes.append, **options)
            return await asyncio.gather(*(batcher(np.array(rows)) for rows in requests), return_exceptions=True)

    return asyncio.run(main()), sizes


def double(rows):
    return {"twice": 2 * rows, "square": rows**2}


def test_waiting_requests_share_one_call_and_get_their_own_rows():
    answers, sizes = gather([[1], [2, 3], [4, 5, 6]], double)
    assert sizes == [6]
    assert [answer["twice"].tolist() for answer in answers] == [[2], [4, 6], [8, 10, 12]]
    assert [answer["square"].tolist() for answer in answers] == [[1], [4, 9], [16, 25, 36]]


def test_a_full_batch_does_not_wait_and_a_request_is_not_divided():
    answers, sizes = gather([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]], double, max_batch=7, timeout=0.2)
    assert sizes == [6, 4]
    assert np.concatenate([answer["twice"] for answer in answers]).tolist() == list(range(2, 21, 2))
    alone = threading.Event()
    asyncio.run(asyncio.wait_for(_one_full(alone), 5))
    assert alone.is_set()


async def _one_full(seen):
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(lambda rows: seen.set() or {"twice": rows}, 2, 3600.0, executor)
        await batcher(np.array([1, 2]))


def test_requests_gather_while_the_worker_is_busy():
    started, release, calls = threading.Event(), threading.Event(), []

    def run(rows):
        calls.append(len(rows))
        started.set()
        assert release.wait(10)
        return {"same": rows}

    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(run, 64, 0.0, executor)
            first = asyncio.create_task(batcher(np.array([0])))
            await asyncio.to_thread(started.wait, 10)
            others = [asyncio.create_task(batcher(np.array([value]))) for value in range(1, 21)]
            await asyncio.sleep(0)
            release.set()
            return await asyncio.gather(first, *others)

    answers = asyncio.run(main())
    assert calls == [1, 20]
    assert [int(answer["same"][0]) for answer in answers] == list(range(21))


def test_only_the_request_at_fault_sees_the_error():
    def run(rows):
        if -1 in rows:
            raise RequestError("minus one")
        return double(rows)

    answers, sizes = gather([[1], [-1], [3]], run)
    assert sizes == [3, 1, 1, 1]
    assert isinstance(answers[1], RequestError)
    assert [answers[index]["twice"].tolist() for index in (0, 2)] == [[2], [6]]


def test_a_cancelled_request_is_dropped_and_the_rest_answered():
    sizes = []

    async def main():
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(double, 8, 0.05, executor, on_batch=sizes.append)
            gone, stays = (asyncio.create_task(batcher(np.array([value]))) for value in (1, 2))
            await asyncio.sleep(0)
            gone.cancel()
            return await stays

    assert asyncio.run(main())["twice"].tolist() == [4]
    assert sizes == [1]


def test_limits():
    answers, _ = gather([[], list(range(9))], double, max_batch=8)
    assert [str(answer) for answer in answers] == [
        "wanted 1 to 8 images in a request, got 0",
        "wanted 1 to 8 images in a request, got 9",
    ]
    answers, sizes = gather([[1, 2], [3, 4], [5]], double, max_waiting=4)
    assert isinstance(answers[2], OverloadedError) and sizes == [4]
    with pytest.raises(OverloadedError, match="4 images wait already"):
        raise answers[2]


def test_two_workers_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    def run(rows):
        both.wait()
        return {"same": rows}

    answers, sizes = gather([[1], [2]], run, max_batch=1, timeout=0.0, workers=2)
    assert sizes == [1, 1]
    assert [answer["same"].tolist() for answer in answers] == [[1], [2]]
