"""Edges between dense parts that a graph of nearest neighbours lacks.

Where the neighbours of every row lie in its own dense part, parts hang together in the graph by chance: a few sparse
rows join them, in an order that is not that of their distances, and everything above the parts comes out wrong (on
25,000 simulated vehicles HDBSCAN split a group of 11,612 that the exact tree holds together). So the rows are parted
by the tree that the graph gives, and for each part and each of its nearest others a short crossing is looked for: from
the nearest of some sampled rows, the nearest row on the other side and back, until both stay (a local minimum of mutual
reachability, for three choices of its core distance). The crossings join the edges of the graph.

Memory: blocks of ``SAMPLE`` x 512 distances; time a few N D per part.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled
from packed_scenes.cluster.search.graph import Neighbours, reachability_tree
from packed_scenes.cluster.search.union import find

SAMPLE = 12_000  # rows whose distances between parts are all looked at
PER_PART = 40  # of them at least of each part
NEIGHBOUR_PARTS = 10  # other parts that a part looks for crossings to
CORES = (0, 5, 15)  # neighbours whose distance counts as the length of a crossing's end; 0 = plain distance
MIN_PART_SHARE = 0.0005  # share of the rows, or 10, that makes a part
MAX_PARTS = 1500

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def crossings(X: Rows, graph: Neighbours, bridges: Floats, *, seed: int = 0) -> Floats:
    """Return (M, 3) float64 edges between dense parts: two rows and their Euclidean distance.

    Args:
        X: (N, D) float32 rows.
        graph: their neighbours.
        bridges: edges that join its components.
        seed: of the sampled rows.
    """
    from packed_scenes.cluster.search.density import condense, hierarchy, select

    tree = reachability_tree(X, graph, 5, bridges)
    size = max(10, round(MIN_PART_SHARE * len(X)))
    found = select(condense(hierarchy(tree), size), "leaf")
    names, found[found >= 0] = np.unique(found[found >= 0], return_inverse=True)
    if not 2 <= len(names) <= MAX_PARTS:
        return np.zeros((0, 3))
    part = _spread_labels(np.ascontiguousarray(tree[:, :2].astype(np.int64)), found)
    members = np.argsort(part, kind="stable")
    begin = np.searchsorted(part[members], np.arange(len(names) + 1))
    starts = _starts(X, part, members, begin, np.random.default_rng([seed, 3]))
    edges = []
    for count in CORES:
        core = graph.core(count) if count else np.zeros(len(X))
        edges.append(_walk(X, core, members, begin, part, starts))
    ends = np.unique(np.sort(np.concatenate(edges), axis=1), axis=0)
    gap = X[ends[:, 0]].astype(np.float64) - X[ends[:, 1]]
    return np.column_stack([ends, np.sqrt(np.einsum("nd,nd->n", gap, gap))])


def _starts(
    X: Rows, part: npt.NDArray[np.int64], members: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], rng: Any
) -> npt.NDArray[np.int64]:
    """(M, 2): a row, and another part that is among the nearest of its own, by the distances of sampled rows."""
    share = min(1.0, SAMPLE / len(X))
    chosen = np.concatenate(
        [
            rng.choice(members[low:high], min(high - low, max(PER_PART, round(share * (high - low)))), replace=False)
            for low, high in pairwise(begin)
        ]
    )
    own = part[chosen]  # ascending: parts come one after the other
    first = np.searchsorted(own, np.arange(len(begin) - 1))
    rows = X[chosen]
    square = np.einsum("nd,nd->n", rows, rows)
    count = len(first)
    best, from_row = np.full((count, count), np.inf), np.zeros((count, count), np.int64)
    for low in range(0, len(chosen), 512):
        near = np.minimum.reduceat(square - 2 * rows[low : low + 512] @ rows.T, first, axis=1)
        near += square[low : low + 512, None]
        here = own[low : low + 512]
        for a in np.unique(here).tolist():
            inside = np.flatnonzero(here == a)
            at = near[inside].argmin(axis=0)
            length = near[inside[at], np.arange(count)]
            better = length < best[a]
            best[a, better], from_row[a, better] = length[better], chosen[low + inside[at[better]]]
    np.fill_diagonal(best, np.inf)
    k = min(NEIGHBOUR_PARTS, count - 1)
    others = np.argpartition(best, k - 1, axis=1)[:, :k]
    return np.column_stack([np.take_along_axis(from_row, others, axis=1).ravel(), others.ravel()])


@compiled
def _spread_labels(ends: Any, labels: Any) -> Any:  # pragma: no cover
    """Give unlabelled rows the part they hang on to first in the tree, whose edges are ascending."""
    count = len(labels)
    parent, name = np.arange(count), labels.copy()
    for e in range(len(ends)):
        a, b = find(parent, ends[e, 0]), find(parent, ends[e, 1])
        if name[a] < 0 or name[b] < 0 or name[a] == name[b]:
            parent[a] = b
            name[b] = max(name[a], name[b])
    out = np.empty(count, np.int64)
    for n in range(count):
        out[n] = max(name[find(parent, n)], 0)
    return out


@compiled
def _walk(X: Any, core: Any, members: Any, begin: Any, part: Any, starts: Any) -> Any:  # pragma: no cover
    """From each start to the nearest row of the other part and back, by mutual reachability, until both stay."""
    out = np.empty((len(starts), 2), np.int64)
    for s in range(len(starts)):
        here, other = starts[s, 0], starts[s, 1]
        own = part[here]
        there = -1
        for _ in range(4):
            to = _nearest_in(X, core, members[begin[other] : begin[other + 1]], here)
            if to == there:
                break
            there = to
            back = _nearest_in(X, core, members[begin[own] : begin[own + 1]], there)
            if back == here:
                break
            here = back
        out[s, 0], out[s, 1] = here, there
    return out


@compiled
def _nearest_in(X: Any, core: Any, rows: Any, to: int) -> int:  # pragma: no cover
    best, chosen = np.inf, rows[0]
    for row in rows:
        square = 0.0
        for d in range(X.shape[1]):
            gap = X[row, d] - X[to, d]
            square += gap * gap
        square = max(square, core[row] * core[row])
        if square < best:
            best = square
            chosen = row
    return int(chosen)
