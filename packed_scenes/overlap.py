"""Work that overlaps: a few items are prepared ahead in threads while the caller uses the one before.

Reading and drawing pictures release Python's lock (OpenCV, file system), so threads are enough; results come in input
order, and never more than ``ahead`` of them are held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead_of(
    items: Iterable[Item], work: Callable[[Item], Result], *, workers: int = 1, ahead: int = 2
) -> Iterator[tuple[Item, Result | Exception]]:
    """Yield (item, work(item)) in order, working on up to ``ahead`` items before they are asked for.

    An exception of ``work`` is yielded in place of the result, so that one bad item never stops the others. When the
    caller stops early, work that has not begun is dropped.
    """

    def guarded(item: Item) -> Result | Exception:
        try:
            return work(item)
        except Exception as error:  # handed to the caller, who knows what to do about it
            return error

    pending: deque[tuple[Item, Future[Result | Exception]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            pending.append((item, pool.submit(guarded, item)))
            if len(pending) > ahead:
                first, future = pending.popleft()
                yield first, future.result()
        for first, future in pending:
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
