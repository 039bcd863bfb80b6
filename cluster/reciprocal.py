"""Average linkage without an N x N matrix, for any N, exact down to a threshold.

The mean cosine between the members of two clusters is the dot product of their mean vectors, so a cluster is its
vector sum and its count. Average linkage is reducible (a merged pair is never nearer to a third cluster than the
nearer of the two was), hence

1. all reciprocal nearest neighbours of a round may be merged at once, and the result is that of merging one pair at
a time; 2. a cluster keeps its nearest neighbour until one of the two merges;
3. a cluster whose nearest neighbour is over the threshold can never merge again and leaves the search.

A cluster that lost its nearest neighbour looks among the k it had noted (or what they have become), with a bound on
everything else: the mean cosine to a cluster of which no part was noted is an average of numbers under the bound.
Two merged clusters join their lists, and the bound is the average of their bounds by size. Only where the best noted
one lies under the bound, and the bound over the threshold, is everything searched, by blocked GEMM; so the result is
exact if the first lists are (``search="exact"``). A forbidden pair counts as infinitely far; an average with an
infinite part is infinite, which keeps all of the above.

Memory: N x D sums in float64 and means in float32, N x k lists, a block of 64 MiB and its order (128 MiB) a thread; no
N x N matrix.
Source of rounds of reciprocal merges: Sumengen et al. 2021, "Scaling hierarchical agglomerative clustering to
billion-sized datasets".
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from packed_scenes.cluster.base import Pairs, Vectors
from packed_scenes.cluster.knn import neighbours
from packed_scenes.cluster.labels import Labels, cluster_sums

CACHED_NEIGHBOURS = 16  # neighbours that a cluster notes
ROWS, BLOCK_BYTES = 256, 64 << 20  # of a block of the full search: at most so many rows and bytes of similarities
LOOKUP_ROWS = 8192  # rows of a block that looks among its noted neighbours

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def reciprocal_merge(
    X: Vectors,
    threshold: float,
    *,
    start: Labels | None = None,
    cannot_link: Pairs | None = None,
    search: str = "auto",
    threads: int = 2,
) -> Labels:
    """Merge clusters by average linkage while their mean cosine distance is at most ``threshold``.

    Args:
        X: (N, D) float32 unit rows.
        threshold: cosine distance in [0, 2].
        start: (N,) names 0 … K-1 to start from, such as the result for a lower threshold, or must-link groups.
        cannot_link: (M, 2) pairs of start names that must stay apart.
        search: how the first neighbours are found, see :mod:`packed_scenes.cluster.knn`; the result is exact with
            ``"exact"``, which ``"auto"`` takes up to 150,000 rows.
        threads: Python threads; each uses one BLAS thread, which on 2 cores is faster than one thread with two.

    Returns:
        (N,) int64 names 0 … K-1.
    """
    labels = exact_duplicates(X) if start is None and cannot_link is None else start
    labels = np.arange(len(X), dtype=np.int64) if labels is None else labels
    if int(labels.max()) == 0:
        return labels
    # Set once: asking the libraries for their limits costs 5 ms, and there may be hundreds of rounds.
    with threadpool_limits(1, "blas"):
        return _merge_rounds(
            _first_state(X, labels, Forbidden(cannot_link), search, threads), labels, threshold, threads
        )


def _merge_rounds(state: _State, labels: Labels, threshold: float, threads: int) -> Labels:
    limit = np.float32(1 - threshold)
    active = np.flatnonzero(state.best >= limit)
    while len(active):
        active = _offer(state, active)
        keep, lose = _reciprocal_pairs(active, state.nearest, state.best)
        gone = np.zeros(len(state.root), bool)
        gone[lose] = gone[keep] = True
        _merge(state, keep, lose)
        active = active[state.root[active] == active]
        stale = active[gone[active] | gone[state.nearest[active]]]
        unsure = _search_noted(state, stale, limit)
        _search_all(state, unsure, active, threads)
        active = active[state.best[active] >= limit]  # the others are final, see 3
    return np.asarray(np.unique(state.root[labels], return_inverse=True)[1], np.int64)


def cluster_counts(X: Vectors, thresholds: Sequence[float], *, search: str = "auto") -> Ints:
    """Return how many clusters average linkage makes at each of the ascending thresholds; one pass through all of
    them.
    """
    labels: Labels | None = None
    counts = np.zeros(len(thresholds), np.int64)
    for place, threshold in enumerate(thresholds):
        labels = reciprocal_merge(X, threshold, start=labels, search=search)
        counts[place] = labels.max() + 1
    return counts


@dataclass
class _State:
    """Clusters by the name they started with; ``root`` says into which one a name has merged.

    ``nearest`` and ``best`` are right for every living cluster whose best is at least the limit. ``noted`` are names
    (to be read through ``root``); whatever is not noted has a mean cosine of at most ``bound``.
    """

    sums: npt.NDArray[np.float64]
    sizes: Ints
    means: Floats
    root: Ints
    nearest: Ints
    best: Floats
    noted: npt.NDArray[np.int32]
    bound: Floats
    forbidden: Forbidden


def _first_state(X: Vectors, labels: Labels, forbidden: Forbidden, search: str, threads: int) -> _State:
    sums, sizes = cluster_sums(X, labels)
    means = np.ascontiguousarray(sums / sizes[:, None], np.float32)
    graph = neighbours(means, CACHED_NEIGHBOURS, search=search, threads=threads)
    count, noted = graph.index.shape
    names = np.arange(count)
    # Where an approximate search found too few, the row itself stands in; looking at it is refused everywhere.
    index = np.where(graph.index < 0, names[:, None].astype(np.int32), graph.index)
    bound = graph.similarity[:, -1].copy() if noted < count - 1 else np.full(count, -np.inf, np.float32)
    blank = np.full(count, -np.inf, np.float32)
    state = _State(sums, sizes, means, names, names.copy(), blank, index, bound, forbidden)
    if len(forbidden.pairs):
        _search_all(state, _search_noted(state, names, np.float32(-np.inf)), names, threads)
    else:
        state.nearest, state.best = index[:, 0].astype(np.int64), graph.similarity[:, 0].copy()
    return state


def _offer(state: _State, active: Ints) -> Ints:
    """Make each active cluster the nearest of its own nearest one, where that knows of none so near; return the active
    clusters, the ones that this makes active among them.

    Exact lists are symmetric but for rounding. Approximate ones are not, and rows that wait for each other in a chain
    would merge one pair a round.
    """
    near = state.nearest[active]
    better = np.flatnonzero(state.best[active] > state.best[near])
    if not len(better):
        return active
    better = better[np.argsort(state.best[active[better]], kind="stable")]  # of several offers, the last is the best
    state.nearest[near[better]], state.best[near[better]] = active[better], state.best[active[better]]
    return np.union1d(active, near[better])


def _reciprocal_pairs(active: Ints, nearest: Ints, best: Floats) -> tuple[Ints, Ints]:
    """Return the pairs to merge, smaller name first; at least one pair."""
    living = np.zeros(len(nearest), bool)
    living[active] = True
    pairs = active[(nearest[nearest[active]] == active) & (active < nearest[active]) & living[nearest[active]]]
    if not len(pairs):
        # Rounding can leave a ring of equal distances without a reciprocal pair; the nearest pair of all is always
        # right.
        first = active[np.argmax(best[active])]
        low, high = sorted((int(first), int(nearest[first])))
        return np.array([low]), np.array([high])
    return pairs, nearest[pairs]


def _merge(state: _State, keep: Ints, lose: Ints) -> None:
    share = (state.sizes[keep] / (state.sizes[keep] + state.sizes[lose])).astype(np.float32)
    with np.errstate(invalid="ignore"):
        bound = share * state.bound[keep] + (1 - share) * state.bound[lose]
    state.bound[keep] = np.where(np.isnan(bound), -np.inf, bound)
    state.sums[keep] += state.sums[lose]
    state.sizes[keep] += state.sizes[lose]
    state.means[keep] = state.sums[keep] / state.sizes[keep, None]
    state.root[lose] = keep
    state.root = state.root[state.root]
    state.forbidden.merge(state.root)
    _join_lists(state, keep, lose)


def _join_lists(state: _State, keep: Ints, lose: Ints) -> None:
    """Give each merged cluster the k best of both lists; what falls off raises its bound."""
    k = state.noted.shape[1]
    for low in range(0, len(keep), LOOKUP_ROWS):
        rows, other = keep[low : low + LOOKUP_ROWS], lose[low : low + LOOKUP_ROWS]
        names, score = _scores(state, rows, np.concatenate([state.noted[rows], state.noted[other]], axis=1))
        order = np.argsort(-score, axis=1, kind="stable")
        names, score = np.take_along_axis(names, order, 1), np.take_along_axis(score, order, 1)
        # A repeated or refused entry scores -inf; noting it is harmless.
        state.noted[rows] = names[:, :k]
        state.bound[rows] = np.maximum(state.bound[rows], score[:, k])


def _scores(state: _State, rows: Ints, listed: npt.NDArray[np.int32]) -> tuple[Ints, Floats]:
    """Names and mean cosines of what the (R, M) listed names have become; -inf for repeats, the row itself and
    forbidden pairs.
    """
    names = np.sort(state.root[listed], axis=1)
    score = np.einsum("rd,rmd->rm", state.means[rows], state.means[names])
    refused = names == rows[:, None]
    refused[:, 1:] |= names[:, 1:] == names[:, :-1]
    if len(state.forbidden.pairs):
        refused |= state.forbidden.has(rows[:, None], names, len(state.root))
    score[refused] = -np.inf
    return names, score


def _search_noted(state: _State, rows: Ints, limit: np.float32) -> Ints:
    """Set nearest and best of ``rows`` from their lists; return those for which the list is not enough."""
    for low in range(0, len(rows), LOOKUP_ROWS):
        block = rows[low : low + LOOKUP_ROWS]
        names, score = _scores(state, block, state.noted[block])
        top = score.argmax(axis=1)
        here = np.arange(len(block))
        state.nearest[block], state.best[block] = names[here, top], score[here, top]
    return rows[(state.best[rows] < state.bound[rows]) & (state.bound[rows] >= limit)]


def _search_all(state: _State, rows: Ints, active: Ints, threads: int) -> None:
    """Set nearest, best, list and bound of ``rows`` from all living clusters. Final clusters need not be seen: they
    are too far.
    """
    if not len(rows):
        return
    means = state.means[active]
    k = min(state.noted.shape[1], len(active) - 1)
    step = max(1, min(ROWS, BLOCK_BYTES // (4 * len(active))))

    def search(low: int) -> None:
        block = rows[low : low + step]
        here = np.arange(len(block))
        similarity = state.means[block] @ means.T
        similarity[here, np.searchsorted(active, block)] = -np.inf
        if len(state.forbidden.pairs):
            similarity[state.forbidden.has(block[:, None], active[None], len(state.root))] = -np.inf
        part = np.argpartition(similarity, -k, axis=1)[:, -k:]
        score = np.take_along_axis(similarity, part, axis=1)
        top = score.argmax(axis=1)
        state.nearest[block], state.best[block] = active[part[here, top]], score[here, top]
        state.noted[block, :k], state.noted[block, k:] = active[part], block[:, None]
        state.bound[block] = score.min(axis=1) if k < len(active) - 1 else -np.inf

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, range(0, len(rows), step)))


class Forbidden:
    """Pairs of clusters that must stay apart, kept up to date as clusters merge."""

    def __init__(self, cannot_link: Pairs | None) -> None:
        self.pairs = np.zeros((0, 2), np.int64) if cannot_link is None else cannot_link

    def merge(self, root: Ints) -> None:
        """Take the (C,) new names of the clusters."""
        if len(self.pairs):
            self.pairs = np.unique(np.sort(root[self.pairs], axis=1), axis=0)

    def has(self, a: Ints, b: Ints, count: int) -> npt.NDArray[np.bool_]:
        """Whether pairs of names (arrays that broadcast) are forbidden; there must be some."""
        codes = np.sort(self.pairs[:, 0] * count + self.pairs[:, 1])
        asked = np.minimum(a, b) * count + np.maximum(a, b)
        place = np.minimum(np.searchsorted(codes, asked), len(codes) - 1)
        return np.asarray(codes[place] == asked)


def exact_duplicates(X: Vectors) -> Labels:
    """Group rows that are equal bit for bit; thousands of copies would otherwise merge one pair per round."""
    _, first, inverse = np.unique(X, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse.ravel()])
