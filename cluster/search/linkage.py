"""Agglomerative clustering of weighted points: the nearest-neighbour chain over Lance and Williams' formula.

At most a few thousand points (all rows of a small set, micro-clusters of a large one), so their distance matrix is
held once: 128 MiB at 4,096 points. Sizes weigh: a micro-cluster of 400 rows counts as 400 rows at one place.
Source: Müllner 2011, "Modern hierarchical, agglomerative clustering algorithms".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled
from packed_scenes.cluster.search.union import find

CODES = {"ward": 0, "average": 1, "complete": 2}


def merge_tree(points: npt.NDArray[np.float32], sizes: npt.NDArray[np.int64], linkage: str) -> npt.NDArray[np.float64]:
    """Return the (M - 1, 3) float64 merges: two points, one of each side, and the height, ascending.

    Args:
        points: (M, D) rows.
        sizes: (M,) rows that each stands for.
        linkage: ``"ward"``, ``"average"`` or ``"complete"``.
    """
    rows = points.astype(np.float64)
    square = np.einsum("md,md->m", rows, rows)
    distance = np.maximum(square[:, None] + square[None, :] - 2 * rows @ rows.T, 0)
    if linkage == "ward":
        # Ward's distance of two weighted points; for single rows it is scipy's squared.
        distance *= 2 * sizes[:, None] * sizes[None, :] / (sizes[:, None] + sizes[None, :])
    else:
        np.sqrt(distance, out=distance)
    merges = _chain(distance, sizes.astype(np.float64), CODES[linkage])
    if linkage == "ward":
        merges[:, 2] = np.sqrt(merges[:, 2])
    return np.asarray(merges[np.argsort(merges[:, 2], kind="stable")])


def cut(merges: npt.NDArray[np.float64], count: int, k: int) -> npt.NDArray[np.int64]:
    """Return (M,) labels of ``count`` = M points in k clusters (at most M)."""
    return np.asarray(_joined(merges[: max(count - k, 0), :2].astype(np.int64), count))


@compiled
def _chain(distance: Any, sizes: Any, code: int) -> Any:  # pragma: no cover
    count = len(sizes)
    merges = np.empty((count - 1, 3))
    living = np.ones(count, np.bool_)
    chain = np.empty(count + 1, np.int64)
    length = 0
    for step in range(count - 1):
        if length == 0:
            for first in range(count):
                if living[first]:
                    chain[0] = first
                    break
            length = 1
        while True:
            x = chain[length - 1]
            y = -1
            best = np.inf
            if length > 1:
                y = chain[length - 2]
                best = distance[x, y]
            for i in range(count):
                if living[i] and i != x and distance[x, i] < best:
                    best = distance[x, i]
                    y = i
            if length > 1 and y == chain[length - 2]:
                break
            chain[length] = y
            length += 1
        length -= 2
        merges[step, 0], merges[step, 1], merges[step, 2] = x, y, best
        living[x] = False
        nx, ny = sizes[x], sizes[y]
        for i in range(count):
            if living[i] and i != y:
                dx, dy = distance[i, x], distance[i, y]
                if code == 0:
                    ni = sizes[i]
                    value = ((ni + nx) * dx + (ni + ny) * dy - ni * best) / (ni + nx + ny)
                elif code == 1:
                    value = (nx * dx + ny * dy) / (nx + ny)
                else:
                    value = max(dx, dy)
                distance[i, y] = value
                distance[y, i] = value
        sizes[y] = nx + ny
    return merges


@compiled
def _joined(pairs: Any, count: int) -> Any:  # pragma: no cover
    parent = np.arange(count)
    for p in range(len(pairs)):
        a, b = find(parent, pairs[p, 0]), find(parent, pairs[p, 1])
        parent[max(a, b)] = min(a, b)
    labels = np.full(count, -1)
    following = 0
    for n in range(count):
        root = find(parent, n)
        if labels[root] < 0:
            labels[root] = following
            following += 1
        labels[n] = labels[root]
    return labels
