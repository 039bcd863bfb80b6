"""Spaces side by side: each in a process of its own, its rows sent back as they are found.

A process per space, not a pool: what a space shares (graphs, trees) is freed by the system when it is done. Each
process computes with one thread; on few cores that beats two threads in turns.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from packed_scenes.data.errors import InputError
from packed_scenes.study.ledger import Row
from packed_scenes.study.work import Task, work

POLL_SECONDS = 0.5  # seconds between checks for processes that have ended


def work_all(tasks: Sequence[Task], *, workers: int = 1) -> Iterator[Row]:
    """Yield the rows of all tasks as they come; in this process for one worker.

    Raises:
        InputError: what a task raises, or if a process is killed (as by a full memory).
    """
    if workers == 1 or len(tasks) == 1:
        for task in tasks:
            with _one_thread():
                yield from work(task)
        return
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    waiting, running = deque(enumerate(tasks)), dict[int, Any]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                number, task = waiting.popleft()
                process = context.Process(target=_serve, args=(number, task, results), daemon=True)
                process.start()
                running[number] = process
            try:
                number, item = results.get(timeout=POLL_SECONDS)
            except queue.Empty:
                for number, process in list(running.items()):
                    if not process.is_alive() and results.empty():
                        raise InputError(
                            f"the process of {tasks[number].descriptor} ended with code {process.exitcode}",
                            remedy="If memory was full, use fewer workers; the same command goes on.",
                        ) from None
                continue
            if isinstance(item, Row):
                yield item
            elif item is None:
                running.pop(number).join()
            else:
                raise InputError(item[0]) if item[1] else RuntimeError(item[0])
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _serve(number: int, task: Task, results: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    try:
        with _one_thread():
            for row in work(task):
                results.put((number, row))
        results.put((number, None))
    except InputError as error:
        results.put((number, (str(error), True)))
    except BaseException:
        results.put((number, (traceback.format_exc(), False)))


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
