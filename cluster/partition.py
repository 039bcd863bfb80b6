"""Average linkage of more vectors than one machine should merge: parts clustered apart, with the same result.

Two clusters that merge at a mean distance of at most ``threshold`` have a pair of members within it, because a mean is
not below all of its numbers. So, by induction over the merges, a cluster never reaches beyond one connected component
of the graph of all pairs within the threshold, and merging each component by itself gives what merging everything
gives. The graph must be complete: with k neighbours only, two groups of more than k near copies each can hide from
each other the pair that joins them.

It helps while the components are small. They are chains of near pairs, so they grow with the threshold and with the
number of rows until one of them holds most; docs/scale.md has the measurement.

Memory: rows in and names out, blocks of ``ROWS x COLUMNS`` float32 per thread; no N x N matrix. Time: N² D / 2
multiply-adds, in blocks that any number of machines could share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.reciprocal import reciprocal_merge

ROWS, COLUMNS = 1024, 4096
SLACK = 1e-5  # rounding of float32 dot products: a pair too many changes nothing, one too few would

Rows = npt.NDArray[np.int64]


def near_components(X: Vectors, threshold: float, *, threads: int = 2) -> Labels:
    """Return (N,) component names 0 … C-1 such that any two rows within ``threshold`` have the same.

    Args:
        X: (N, D) float32 unit rows.
        threshold: cosine distance.
        threads: Python threads, one BLAS thread each.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count, limit = len(X), np.float32(1 - threshold - SLACK)
    name = np.arange(count)

    def links(low: int, high: int) -> Rows:
        near = X[low : low + ROWS] @ X[high : high + COLUMNS].T >= limit
        a, b = np.nonzero(near)
        pairs = np.stack([name[low + a], name[high + b]], axis=1)
        return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        for low in range(0, count, ROWS):
            starts = range(low - low % COLUMNS, count, COLUMNS)
            pairs = np.concatenate(list(pool.map(links, [low] * len(starts), starts)))
            if len(pairs):
                graph = coo_matrix((np.ones(len(pairs), np.int8), pairs.T), shape=(count, count))
                name = connected_components(graph, directed=False)[1][name].astype(np.int64)
    return np.unique(name, return_inverse=True)[1].astype(np.int64)


def work_lists(component: Labels, max_rows: int) -> list[Rows]:
    """Put components together into lists of at most ``max_rows`` rows; a larger component is a list of its own.

    Returns:
        Ascending row numbers, each row in one list.
    """
    size = np.bincount(component)
    end = np.cumsum(size)
    # Components in order of their names: a new list starts where the running total would pass the limit.
    place, start = np.zeros(len(size), np.int64), 0
    for c in range(1, len(size)):
        over = end[c] - start > max_rows
        place[c] = place[c - 1] + over
        start = end[c - 1] if over else start
    of_row = place[component]
    order = np.argsort(of_row, kind="stable")
    return np.split(order, np.cumsum(np.bincount(of_row))[:-1])


def merge_in_parts(
    X: Vectors,
    threshold: float,
    *,
    max_rows: int = 50_000,
    run: Callable[[Callable[[Rows], Labels], Iterable[Rows]], Iterable[Labels]] = map,
) -> Labels:
    """Average linkage down to a threshold, part by part; the groups are those of :func:`reciprocal_merge`.

    Args:
        X: (N, D) float32 unit rows.
        threshold: cosine distance in [0, 2].
        max_rows: rows of one piece of work.
        run: does the pieces, in order: ``map``, that of a process pool, or one that sends them to other machines.

    Returns:
        (N,) int64 names 0 … K-1.
    """
    lists = work_lists(near_components(X, threshold), max_rows)
    labels, first = np.zeros(len(X), np.int64), 0
    for rows, found in zip(lists, run(lambda rows: reciprocal_merge(X[rows], threshold), lists), strict=True):
        labels[rows] = found + first
        first += int(found.max()) + 1
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
