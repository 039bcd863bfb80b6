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

    Two objects of one identity belong together if both gaps between their boxes, sideways and upright, are at most
    ``reach`` times the identity's typical size (median of the geometric mean of width and height), directly or through
    others.

    Args:
        xyxy: (N, 4) boxes.
        identity: (N,) identity of each.
        reach: largest gap, as a fraction of the typical size.

    Returns:
        (N,) int64 group number within the identity.
    """
    count = len(xyxy)
    if count == 0:
        return np.zeros(0, np.int64)
    order = np.lexsort((xyxy[:, 0], xyxy[:, 1], identity))
    box, same = xyxy[order], identity[order]
    starts = np.flatnonzero(np.r_[True, same[1:] != same[:-1]])
    sizes = np.diff(np.r_[starts, count])
    side = np.sqrt(np.prod(box[:, 2:] - box[:, :2], axis=1))
    pairs: list[npt.NDArray[np.int64]] = []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        if size == 1:
            continue
        low, high = box[start : start + size, :2], box[start : start + size, 2:]
        gap = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).max(axis=2)
        pairs.append(start + np.argwhere(gap <= reach * np.median(side[start : start + size])))
    i, j = np.concatenate(pairs).T if pairs else np.zeros((2, 0), np.int64)
    graph = coo_array((np.ones(len(i), bool), (i, j)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    # rows are in reading order within each identity: number the groups by first appearance, from 0 in each
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))[inverse]
    out = np.zeros(count, np.int64)
    out[order] = rank - np.repeat(rank[starts], sizes)
    return out
