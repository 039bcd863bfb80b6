"""Average linkage without an N x N matrix, for any N, exact down to a threshold.

The mean cosine between the members of two clusters is the dot product of their mean vectors, so a cluster is its
vector sum and its count. Average linkage is reducible (a merged pair is never nearer to a third cluster than the
nearer of the two was), hence
(1) all reciprocal nearest neighbours of a round may be merged at once and the result is that of merging one pair at
a time,
(2) a cluster keeps its nearest neighbour until one of the two merges, so a round searches only for clusters that
lost theirs,
(3) a cluster whose nearest neighbour is over the threshold can never merge again and leaves the search.
A forbidden pair counts as infinitely far; an average with an infinite part is infinite, which keeps all three.

Memory: N x D sums in float64 and means in float32, and one block of ``ROWS x COLUMNS`` float32 per thread (2 MiB);
no N x N matrix. Source of the scheme: Sumengen et al. 2021, "Scaling hierarchical agglomerative clustering to
billion-sized datasets".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from cluster.base import Pairs, Vectors
from cluster.labels import Labels, cluster_sums

ROWS, COLUMNS = 256, 2048  # a block of 2 MiB stays in the cache for the maximum that follows the GEMM


def reciprocal_merge(
    X: Vectors, threshold: float, *, start: Labels | None = None, apart: Pairs | None = None, threads: int = 2
) -> Labels:
    """Merge clusters by average linkage while their mean cosine distance is at most ``threshold``.

    Args:
        X: (N, D) float32 unit rows.
        threshold: cosine distance in [0, 2].
        start: (N,) names 0 … K-1 to start from, such as the result for a lower threshold, or must-link groups.
        apart: (M, 2) pairs of start names that must stay apart.
        threads: Python threads; each uses one BLAS thread, which on 2 cores is faster than one thread with two.

    Returns:
        (N,) int64 names 0 … K-1, in order of first member of the merged start clusters.
    """
    labels = _exact_duplicates(X) if start is None and apart is None else start
    labels = np.arange(len(X), dtype=np.int64) if labels is None else labels
    sums, sizes = cluster_sums(X, labels)
    parent = np.arange(len(sums))
    forbidden = _Forbidden(apart)
    active = np.arange(len(sums))
    nearest = np.full(len(sums), -1, np.int64)
    best = np.full(len(sums), -np.inf, np.float32)
    stale = np.ones(len(sums), bool)
    while len(active) > 1:
        means = np.ascontiguousarray(sums[active] / sizes[active, None], np.float32)
        rows = np.flatnonzero(stale[active])
        found, nearness = _nearest(means, rows, forbidden.among(active, len(sums)), threads)
        nearest[active[rows]], best[active[rows]] = active[found], nearness
        stale[active] = False
        keep, lose = _reciprocal_pairs(active, nearest, best, 1 - threshold)
        if not len(keep):
            break
        sums[keep] += sums[lose]
        sizes[keep] += sizes[lose]
        parent[lose] = keep
        forbidden.merge(parent)
        gone = np.zeros(len(sums), bool)
        gone[lose] = gone[keep] = True
        stale |= gone
        stale[active] |= gone[nearest[active]]
        alive = best[active] >= 1 - threshold  # the others are final, see (3)
        gone[keep] = False
        active = active[alive & ~gone[active]]
    return _roots(parent)[labels]


def _reciprocal_pairs(
    active: npt.NDArray[np.int64], nearest: npt.NDArray[np.int64], best: npt.NDArray[np.float32], limit: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pairs to merge, smaller name first."""
    near = active[best[active] >= limit]
    pairs = near[(nearest[nearest[near]] == near) & (near < nearest[near])]
    if not len(pairs) and len(near):
        # Rounding can leave a ring of equal distances without a reciprocal pair; the nearest pair of all is always
        # right.
        first = near[np.argmax(best[near])]
        low, high = sorted((int(first), int(nearest[first])))
        return np.array([low]), np.array([high])
    return pairs, nearest[pairs]


def _nearest(
    means: Vectors, rows: npt.NDArray[np.int64], forbidden: npt.NDArray[np.int64], threads: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the most similar other mean of each of ``rows``: index and mean cosine; ties go to the lower index."""
    from threadpoolctl import threadpool_limits

    index = np.zeros(len(rows), np.int64)
    value = np.full(len(rows), -np.inf, np.float32)

    def search(begin: int) -> None:
        block = rows[begin : begin + ROWS]
        query = means[block]
        here = np.arange(len(block))
        hit = np.isin(forbidden[:, 0], block)
        for low in range(0, len(means), COLUMNS):
            similarity = query @ means[low : low + COLUMNS].T
            width = similarity.shape[1]
            own = (block >= low) & (block < low + width)
            similarity[here[own], block[own] - low] = -np.inf
            if hit.any():
                pair = forbidden[hit & (forbidden[:, 1] >= low) & (forbidden[:, 1] < low + width)]
                similarity[np.searchsorted(block, pair[:, 0]), pair[:, 1] - low] = -np.inf
            top = similarity.argmax(axis=1)
            score = similarity[here, top]
            better = score > value[begin : begin + ROWS]
            value[begin : begin + ROWS][better] = score[better]
            index[begin : begin + ROWS][better] = top[better] + low

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, range(0, len(rows), ROWS)))
    return index, value


class _Forbidden:
    """Pairs of clusters that must stay apart, kept up to date as clusters merge."""

    def __init__(self, apart: Pairs | None) -> None:
        self.pairs = np.zeros((0, 2), np.int64) if apart is None else apart

    def among(self, active: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
        """Return the pairs in both directions as positions in ``active`` (sorted names)."""
        if not len(self.pairs):
            return self.pairs
        position = np.full(count, -1, np.int64)
        position[active] = np.arange(len(active))
        pairs = position[np.concatenate([self.pairs, self.pairs[:, ::-1]])]
        return np.asarray(pairs[(pairs >= 0).all(axis=1)], np.int64)

    def merge(self, parent: npt.NDArray[np.int64]) -> None:
        if len(self.pairs):
            self.pairs = np.unique(np.sort(parent[self.pairs], axis=1), axis=0)


def _exact_duplicates(X: Vectors) -> Labels:
    """Group rows that are equal bit for bit; thousands of copies would otherwise merge one pair per round."""
    _, first, inverse = np.unique(X, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse.ravel()])


def _roots(parent: npt.NDArray[np.int64]) -> Labels:
    while True:
        above = parent[parent]
        if np.array_equal(above, parent):
            return np.asarray(np.unique(parent, return_inverse=True)[1], np.int64)
        parent = above
