"""Work done ahead in threads, in input order and with a bound on what is held.

Reading, decoding and drawing pictures release Python's lock (OpenCV, file system), so threads are enough.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def import_ahead(module: str) -> threading.Thread:
    """Import a module in a thread while the caller waits for a network or a disk; ``join`` before its first use.

    An import that fails is silent: it fails again, with its message, where the module is used.
    """

    def load() -> None:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)

    thread = threading.Thread(target=load, name=f"import {module}", daemon=True)
    thread.start()
    return thread


def map_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 1, ahead: int = 2
) -> Generator[Result]:
    """Yield ``work(item)`` in order, working on up to ``ahead`` items before they are asked for.

    Args:
        work: what to do with an item, called in a thread.
        items: read as they are needed.
        workers: threads.
        ahead: results held at most, besides the one that was yielded.

    An exception of ``work`` is raised in the place of its result. When the caller stops early (``close``), work that
    has not begun is dropped.
    """
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def try_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 1, ahead: int = 2
) -> Generator[tuple[Item, Result | Exception]]:
    """Yield (item, work(item)) as :func:`map_ahead` does, with an exception in place of the result that it prevented.

    So one bad item never stops the others.
    """

    def attempt(item: Item) -> tuple[Item, Result | Exception]:
        try:
            return item, work(item)
        except Exception as error:  # handed to the caller, who knows what to do about it
            return item, error

    yield from map_ahead(attempt, items, workers=workers, ahead=ahead)
