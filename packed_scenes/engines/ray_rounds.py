"""Pieces of work on a Ray cluster, done again until each has its result or is given up.

Ray repeats what a lost worker or machine was doing, a limited number of times. The number runs out by itself when a
machine vanishes: until the cluster has noticed (12 s after the loss, measured with Ray's own settings), an actor there
is "temporarily unavailable" and gets more blocks; each of their tasks fails at once, is repeated RETRIES times in about
5 s, and is given up though nothing is wrong with its pictures (4 of 8 runs that lost a machine had a picture in
errors.csv). An unlimited number is no remedy: a picture that kills its worker would hold the run for ever.

So the pieces without a result are handed in again. Results that were kept are found, the others are done, on the
machines that are left, in smaller blocks: a picture that kills its worker takes fewer others with it each time.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

Row = dict[str, Any]

RETRIES = 5  # of a block by Ray itself
BARREN = 2  # rounds in a row without any result, after which what is left is given up
ROWS = 16  # pictures of a block, the unit that is done again after a loss


def rounds(works: list[Row], operators: Callable[[Any], Any]) -> Iterator[Row]:
    """Yield one row for each piece of work, in the order in which they are done; none for what is given up.

    A round that had a result makes the rest smaller, and BARREN rounds without one are the last, so it ends.

    Args:
        works: rows with distinct ``number``.
        operators: the Ray Data operators, given the dataset of the pieces to do; they keep ``number``.
    """
    import ray.data
    from ray import exceptions

    # Ray Data logs an exception for every block it gives up. Its frames hold the actors, and with whoever keeps the
    # record (an error tracker, pytest) a dead actor starts again after its round and keeps the processor that the next
    # round waits for. Importing ray.data sets the level, so not before.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    # A block that went with its machine breaks off the round, and so does half an hour without any progress.
    lost = (
        exceptions.ObjectLostError,
        exceptions.NodeDiedError,
        exceptions.WorkerCrashedError,
        exceptions.ActorUnavailableError,
        getattr(ray.data.exceptions, "ExecutionTimeoutError", exceptions.GetTimeoutError),  # of newer versions
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # the others go on; what is missing is seen here
    left = {work["number"]: work for work in works}
    barren = 0
    while left and barren < BARREN:
        before = len(left)
        blocks = max(1, min(before, 256), before // ROWS)
        pieces = ray.data.from_items(list(left.values()), override_num_blocks=blocks)
        with warnings.catch_warnings():  # Ray 2.60 to 2.63 know no other way to say how often a block is repeated
            warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
            dataset = operators(pieces)
        try:
            for row in dataset.iter_rows():
                if left.pop(row["number"], None) is not None:  # a block that was done twice is yielded once
                    yield row
        except lost:
            pass
        del dataset
        gc.collect()  # the exceptions and their frames are cycles, and hold the actors until they are collected
        barren = 0 if len(left) < before else barren + 1
