"""Congregations of a scene by its truth: groups of one identity that stand together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

REACH = 0.5  # of the identity's typical object size: the largest gap within a congregation


def congregations(
    xyxy: npt.NDArray[np.float32], identity: npt.NDArray[np.int64], *, reach: float = REACH
) -> npt.NDArray[np.int64]:
    """Number the groups of each identity, from 0, in reading order of their first member.

    Two objects of one identity belong together if both gaps between their boxes, sideways and upright, are at most ``reach``
    times the identity's typical size (median of the geometric mean of width and height), directly or through others.

    Args:
        xyxy: (N, 4) boxes.
        identity: (N,) identity of each.
        reach: largest gap, as a fraction of the typical size.

    Returns:
        (N,) int64 group number within the identity.
    """
    out = np.zeros(len(xyxy), np.int64)
    for one in np.unique(identity):
        rows = np.flatnonzero(identity == one)
        if len(rows) == 1:
            continue
        rows = rows[np.lexsort((xyxy[rows, 0], xyxy[rows, 1]))]
        low, high = xyxy[rows, :2], xyxy[rows, 2:]
        typical = float(np.median(np.sqrt(np.prod(high - low, axis=1))))
        gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(axis=2)
        i, j = np.nonzero(gap <= reach * typical)
        graph = coo_array((np.ones(len(i), bool), (i, j)), shape=(len(rows), len(rows)))
        _, group = connected_components(graph, directed=False)
        _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
        out[rows] = np.argsort(np.argsort(first))[inverse]
    return out
