"""Exact neighbours by symmetric blocked GEMM; the two scans of a block are compiled on first use and kept on disk.

Each thread takes block rows from a queue, multiplies them with the blocks to their right and offers every product to
both its row and its column, in lists of its own; the lists are joined at the end. A scan looks at 64 products at
once and only opens those whose largest reaches the worst neighbour so far, so it costs about half as much as the GEMM.
Of equal similarities the row of the lower number is nearer, whichever thread comes to it first: copies of one picture
get the same neighbours in every run.
"""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.compiled import compiled

BLOCK = 1024

Lists = tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]


def exact_neighbours(X: Vectors, k: int, *, threads: int = 2) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return (N, k) int32 neighbours, nearest first, and (N, k) float32 similarities of (N, D) float32 rows, k < N."""
    starts: queue.SimpleQueue[int] = queue.SimpleQueue()
    for low in range(0, len(X), BLOCK):
        starts.put(low)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda _: _work(X, k, starts), range(threads)))
    value, index = parts[0]
    for more_value, more_index in parts[1:]:
        _join(value, index, more_value, more_index)
    return np.ascontiguousarray(index[:, ::-1]), np.ascontiguousarray(value[:, ::-1])


def _work(X: Vectors, k: int, starts: queue.SimpleQueue[int]) -> Lists:
    value = np.full((len(X), k), -2, np.float32)  # each row ascending: the first is the one to beat
    index = np.full((len(X), k), -1, np.int32)
    buffer = np.empty((BLOCK, BLOCK), np.float32)
    while True:
        try:
            row = starts.get_nowait()
        except queue.Empty:
            return value, index
        query = X[row : row + BLOCK]
        for column in range(row, len(X), BLOCK):
            others = X[column : column + BLOCK]
            full = len(query) == BLOCK == len(others)
            product = buffer if full else np.empty((len(query), len(others)), np.float32)
            np.dot(query, others.T, out=product)
            _offer_to_rows(product, value, index, row, column)
            if column > row:
                _offer_to_columns(product, value, index, row, column)


def _compiled(function: Any) -> Any:
    # nogil lets the threads run side by side; fastmath vectorises the maximum (products are finite).
    return compiled(function, fastmath=True)


@_compiled
def _insert(value: Any, index: Any, similarity: Any, neighbour: Any) -> None:  # pragma: no cover
    place = 0
    while place + 1 < len(value) and (
        value[place + 1] < similarity or (value[place + 1] == similarity and index[place + 1] > neighbour)
    ):
        value[place] = value[place + 1]
        index[place] = index[place + 1]
        place += 1
    value[place] = similarity
    index[place] = neighbour


@_compiled
def _offer_to_rows(product: Any, value: Any, index: Any, row: int, column: int) -> None:  # pragma: no cover
    rows, columns = product.shape
    for r in range(rows):
        scores = product[r]
        to_beat = value[row + r, 0]
        own = row + r - column
        for start in range(0, columns, 64):
            stop = min(start + 64, columns)
            highest = np.float32(-9)
            for c in range(start, stop):
                highest = max(highest, scores[c])
            if highest >= to_beat:
                for c in range(start, stop):
                    if c != own and (scores[c] > to_beat or (scores[c] == to_beat and column + c < index[row + r, 0])):
                        _insert(value[row + r], index[row + r], scores[c], column + c)
                        to_beat = value[row + r, 0]


@_compiled
def _offer_to_columns(product: Any, value: Any, index: Any, row: int, column: int) -> None:  # pragma: no cover
    rows, columns = product.shape
    to_beat = value[column : column + columns, 0].copy()
    for r in range(rows):
        scores = product[r]
        for start in range(0, columns, 64):
            stop = min(start + 64, columns)
            lead = np.float32(-9)
            for c in range(start, stop):
                lead = max(lead, scores[c] - to_beat[c])
            if lead >= 0:
                for c in range(start, stop):
                    if scores[c] > to_beat[c] or (scores[c] == to_beat[c] and row + r < index[column + c, 0]):
                        _insert(value[column + c], index[column + c], scores[c], row + r)
                        to_beat[c] = value[column + c, 0]


@_compiled
def _join(value: Any, index: Any, more_value: Any, more_index: Any) -> None:  # pragma: no cover
    for r in range(len(value)):
        for c in range(value.shape[1]):
            worse = value[r, 0]
            if more_value[r, c] > worse or (more_value[r, c] == worse and more_index[r, c] < index[r, 0]):
                _insert(value[r], index[r], more_value[r, c], more_index[r, c])
