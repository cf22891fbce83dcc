"""Ctrl-C that ends a recording instead of breaking it off."""

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


@contextlib.contextmanager
def until_interrupted(items: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """In the block, Ctrl-C raises nothing, wherever the program is: it ends the items, and what was begun is finished.

    A second Ctrl-C breaks off as usual. Outside the main thread, where there are no signals, all items come.

    Args:
        items: what is recorded.

    Yields:
        The items until Ctrl-C is pressed.

    Example:
        >>> with until_interrupted([1, 2, 3]) as frames:
        ...     first = next(frames)
        ...     signal.raise_signal(signal.SIGINT)
        ...     first, list(frames)
        (1, [])
    """
    if threading.current_thread() is not threading.main_thread():
        yield iter(items)
        return
    interrupted = threading.Event()

    def note(number, frame) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, former)

    def so_far() -> Iterator[Item]:
        for item in items:
            yield item
            if interrupted.is_set():
                return

    former = signal.signal(signal.SIGINT, note)
    try:
        yield so_far()
    finally:
        signal.signal(signal.SIGINT, former)
