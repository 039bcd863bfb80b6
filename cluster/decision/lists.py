"""The nearest rows of every row, and what two lists of them have in common.

All that is judged is judged along these lists: N x ``LENGTH`` pairs instead of N x N. In scenes of up to ``LENGTH`` + 1
objects the lists hold every pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.knn import neighbours
from packed_scenes.data.extras import installed

LENGTH = 32
DENSE = 2048  # rows up to which one GEMM and a partial sort are the fastest search
SCRATCH = 2**23  # numbers of the dense rows that are looked up at a time

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lists:
    """The k nearest rows of each of N rows, k = min(N - 1, ``LENGTH``), the nearest first.

    Attributes:
        index: (N, k) int64. distance: (N, k) float32 cosine distance in [0, 2], rising along a row.
    """

    index: Ints
    distance: Floats

    def __len__(self) -> int:
        return len(self.index)

    @property
    def length(self) -> int:
        """k."""
        return int(self.index.shape[1])


def nearest(X: Vectors, *, length: int = LENGTH) -> Lists:
    """Find the lists of (N, D) float32 unit rows, N >= 2. Memory: one N x N float32 up to ``DENSE`` rows, else that of
    :func:`cluster.knn.neighbours`.
    """
    count = len(X)
    k = min(count - 1, length)
    if count > DENSE:
        graph = neighbours(X, k)
        # Where an approximate search found too few, the last one found stands in again.
        found = np.maximum((graph.index >= 0).sum(axis=1), 1) - 1
        place = np.minimum(np.arange(k), found[:, None])
        index = np.take_along_axis(graph.index, place, axis=1).astype(np.int64)
        near = np.take_along_axis(graph.similarity, place, axis=1)
        return Lists(np.maximum(index, 0), np.clip(1 - near, 0, 2).astype(np.float32))
    similarity = X @ X.T
    np.fill_diagonal(similarity, -np.inf)
    if k < count - 1:
        index = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        index.sort(axis=1)  # equal distances come in row order
    else:
        index = np.broadcast_to(np.arange(count), (count, count))[~np.eye(count, dtype=bool)].reshape(count, k)
    near = np.take_along_axis(similarity, index, axis=1)
    order = np.argsort(-near, axis=1, kind="stable")
    index, near = np.take_along_axis(index, order, axis=1), np.take_along_axis(near, order, axis=1)
    return Lists(index.astype(np.int64), np.clip(1 - near, 0, 2).astype(np.float32))


def common(index: Ints, weight: Floats) -> Floats:
    """Return (N, k) for each pair (i, j) of the lists: the sum over all rows m of w(i, m) w(j, m).

    Args:
        index: (N, k) lists.
        weight: (N, k) w(i, m) for the members m of the list of i; w(i, i) = 1, all others are 0.

    Memory: ``SCRATCH`` float32 and blocks of lists of lists. Time: O(N k²), above ``DENSE`` rows by compiled loops
    where numba (extra ``study``) is installed, equal within 1e-4.
    """
    count, k = index.shape
    if count > DENSE and installed("numba"):
        from packed_scenes.cluster.decision import loops

        return loops.common(index, weight)
    step = int(np.clip(SCRATCH // max(count, k * k), 1, count))
    dense = np.zeros((step, count), np.float32)
    out = np.empty((count, k), np.float32)
    for low in range(0, count, step):
        listed = index[low : low + step]
        rows = np.arange(len(listed))
        dense[rows[:, None], listed] = weight[low : low + step]
        dense[rows, low + rows] = 1
        theirs = dense[rows[:, None, None], index[listed]]
        out[low : low + step] = np.einsum("rkm,rkm->rk", theirs, weight[listed])
        out[low : low + step] += dense[rows[:, None], listed]
        dense[rows[:, None], listed] = 0
        dense[rows, low + rows] = 0
    return out
