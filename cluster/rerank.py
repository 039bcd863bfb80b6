"""k-reciprocal re-ranking: two rows are near if they name each other, and the same others, as neighbours.

A cosine says how alike two crops are; whether that is alike *enough* depends on how crowded their surroundings are.
Each row is described by the rows with which it shares membership in nearest-neighbour lists (its reciprocal set, grown
by the sets of its members where two thirds of them agree), and two rows are compared by the Jaccard distance of these
descriptions. Source: Zhong et al. 2017, "Re-ranking Person Re-identification with k-reciprocal Encoding",
arXiv:1701.08398; written here over sparse matrices. Differences: cosine distance (half the squared Euclidean one of
unit rows) as it is, not divided by each row's largest; and ``reach``, without which rows that occur once are joined
to whatever names them.

Memory: reciprocal sets are sparse, about 2 k1 entries a row; the Jaccard similarities are formed in blocks of rows and
kept where they are not 0 (some 30 to 200 a row). No N x N matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.knn import neighbours
from packed_scenes.cluster.labels import Labels
from packed_scenes.data import InputError

BLOCK_PRODUCTS = 4_000_000  # products formed at once: 100 MB
EXTRA_NEIGHBOURS = 8  # x neighbours looked up where some are known to be different things

Sparse = Any  # scipy.sparse.csr_matrix, which has no types


def reciprocal_similarity(
    X: Vectors,
    *,
    k1: int = 6,
    k2: int = 2,
    reach: float | None = None,
    exclusive: Labels | None = None,
    search: str = "auto",
    threads: int = 2,
) -> Sparse:
    """Jaccard similarity of the reciprocal descriptions of unit rows.

    Args:
        X: (N, D) float32 unit rows, N >= 2.
        k1: neighbours asked of each row; about the largest number of members expected in a small cluster.
        k2: descriptions are averaged over so many nearest rows, the row itself included; 1 = not at all.
        reach: rows farther apart than this cosine distance are no neighbours; None = any distance.
        exclusive: (N,) rows of one name >= 0 are known to be different things (two boxes of one picture) and are no
            neighbours; -1 = nothing known.
        search, threads: see :func:`packed_scenes.cluster.knn.neighbours`.

    Returns:
        (N, N) CSR matrix of similarities in (0, 1], symmetric, 1 on the diagonal; what is not stored is 0. The
        distance is one minus it.

    Raises:
        InputError: for fewer than two rows, or k1 or k2 below 1.
    """
    from scipy.sparse import csr_matrix

    if k1 < 1 or k2 < 1:
        raise InputError(f"k1 and k2 must be at least 1, got {k1} and {k2}")
    count = len(X)
    wanted = max(k1, k2 - 1)
    graph = neighbours(X, wanted if exclusive is None else EXTRA_NEIGHBOURS * wanted, search=search, threads=threads)
    near = graph.index >= 0 if reach is None else (graph.index >= 0) & (graph.distance <= reach)
    if exclusive is not None:
        near &= (exclusive[graph.index] != exclusive[:, None]) | (exclusive < 0)[:, None]
    rank = np.cumsum(near, axis=1)

    def lists(k: int) -> Sparse:
        """(N, N) 0/1: the k nearest of each row, and the row itself."""
        kept = near & (rank <= k)
        rows = np.concatenate([np.nonzero(kept)[0], np.arange(count)])
        columns = np.concatenate([graph.index[kept], np.arange(count)])
        return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(count, count))

    def mutual(k: int) -> Sparse:
        found = lists(k)
        return csr_matrix(found.multiply(found.T))

    whole, half = mutual(k1), mutual(max(1, round(k1 / 2)))
    common = csr_matrix((whole @ half).multiply(whole))  # common[i, c] = members of c's half set that are in i's set
    size = np.asarray(half.sum(axis=1)).ravel()
    common.data = (common.data >= size[common.indices] * (2 / 3)).astype(np.float32)
    grown = csr_matrix(whole + common @ half)
    grown.eliminate_zeros()
    grown.sort_indices()

    weight = _normalised(grown, np.exp(-_distances(X, grown)))
    if k2 > 1:
        around = lists(k2 - 1)
        weight = csr_matrix(around.multiply(1 / np.asarray(around.sum(axis=1)))) @ weight
    return _jaccard(csr_matrix(weight))


def _distances(X: Vectors, pattern: Sparse) -> npt.NDArray[np.float32]:
    """Cosine distance of each stored pair."""
    rows = np.repeat(np.arange(len(X)), np.diff(pattern.indptr))
    out = np.empty(len(rows), np.float32)
    for low in range(0, len(rows), 1 << 18):
        part = slice(low, low + (1 << 18))
        out[part] = 1 - np.einsum("nd,nd->n", X[rows[part]], X[pattern.indices[part]])
    return np.maximum(out, 0)


def _normalised(pattern: Sparse, values: npt.NDArray[np.float32]) -> Sparse:
    out = pattern.astype(np.float32)
    out.data = values.astype(np.float32)
    total = np.asarray(out.sum(axis=1)).ravel()
    out.data /= np.repeat(total, np.diff(out.indptr))
    return out


def _jaccard(weight: Sparse) -> Sparse:
    """sum min / sum max of all pairs of rows (each of sum 1) that share a column."""
    from scipy.sparse import csr_matrix, vstack

    count = weight.shape[0]
    columns = weight.tocsc()
    shared = np.diff(columns.indptr)  # rows that have this column
    terms = np.asarray((weight != 0).astype(np.float64) @ shared)
    bounds = np.searchsorted(np.cumsum(terms), np.arange(1, terms.sum() // BLOCK_PRODUCTS + 1) * BLOCK_PRODUCTS)
    blocks = []
    for low, high in zip([0, *(bounds + 1)], [*(bounds + 1), count], strict=True):
        part = weight[low:high]
        row = np.repeat(np.arange(high - low), np.diff(part.indptr))
        times = shared[part.indices]
        start = np.cumsum(times) - times
        place = np.arange(times.sum()) - np.repeat(start - columns.indptr[part.indices], times)
        least = np.minimum(np.repeat(part.data, times), columns.data[place])
        pairs = (np.repeat(row, times), columns.indices[place])
        block = csr_matrix((least.astype(np.float64), pairs), shape=(high - low, count))
        block.sum_duplicates()
        block.data = np.clip(block.data / (2 - block.data), 0, 1).astype(np.float32)
        blocks.append(block.astype(np.float32))
    return csr_matrix(vstack(blocks))


def merge_reranked(
    X: Vectors,
    similarity: Sparse,
    threshold: float,
    *,
    mix: float = 0.3,
    group: Labels | None = None,
    cannot_link: npt.NDArray[np.int64] | None = None,
    exclusive: Labels | None = None,
    max_component: int = 4096,
) -> tuple[Labels, list[str]]:
    """Average linkage on ``(1 - mix) * (1 - similarity) + mix * cosine distance`` down to a threshold, for any N.

    A merge at a mean distance of at most the threshold needs one pair at most so far apart, so every cluster lies
    within one component of the graph of such pairs, and the components are merged one by one, exactly. ``threshold``
    must stay under ``1 - mix``: then a pair without common neighbours is never an edge.

    Args:
        X: (N, D) float32 unit rows.
        similarity: of :func:`reciprocal_similarity`.
        threshold: in [0, 1 - mix).
        mix: part of the cosine distance.
        group: (N,) names of must-link groups (:class:`packed_scenes.cluster.constraints.Constraints`); None = every row
            its own.
        cannot_link: (M, 2) pairs of such names that must stay apart.
        exclusive: (N,) rows of one name >= 0 stay apart, unless must-links join them.
        max_component: rows of the largest component that is merged at once (their square as float64); a larger one is
            cut by lowering the threshold for it, and a warning says so.

    Returns:
        (N,) int64 names 0 … K-1, and warnings.

    Raises:
        InputError: if the threshold is out of its range.
    """
    from packed_scenes.cluster.constraints import Constraints
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    if not (0 <= mix < 1 and 0 <= threshold < 1 - mix):
        raise InputError(f"needs 0 <= mix < 1 and 0 <= threshold < 1 - mix, got mix {mix} and threshold {threshold}")
    group = np.arange(len(X), dtype=np.int64) if group is None else group
    cannot_link = np.zeros((0, 2), np.int64) if cannot_link is None else cannot_link
    edges = similarity.tocoo()
    distance = (1 - mix) * (1 - edges.data) + mix * _distances(X, similarity)
    labels = np.full(len(X), -1, np.int64)
    warnings: list[str] = []
    waiting = [(np.arange(len(X)), float(threshold))]
    while waiting:
        rows, cut = waiting.pop()
        part = np.full(len(X), -1, np.int64)
        part[rows] = np.arange(len(rows))
        kept = (distance <= cut) & (part[edges.row] >= 0) & (part[edges.col] >= 0)
        names = _components(part[edges.row[kept]], part[edges.col[kept]], group[rows])
        order = np.argsort(names, kind="stable")
        for members in np.split(rows[order], np.flatnonzero(np.diff(names[order])) + 1):
            if len(members) > max_component and len(np.unique(group[members])) > 1 and cut > 1e-3:
                warnings.append(f"{len(members)} rows hang together at {cut:.2f}; they were cut at {cut * 0.8:.2f}")
                waiting.append((members, cut * 0.8))
                continue
            first = int(labels.max()) + 1
            if len(members) == 1 or len(members) > max_component:
                labels[members] = first
                continue
            _, local = np.unique(group[members], return_inverse=True)
            dense = (1 - mix) * (1 - similarity[members][:, members].toarray().astype(np.float64))
            dense += mix * cosine_distances(X[members])
            within = _within(cannot_link, group[members])
            if exclusive is not None:
                within = np.concatenate([within, _clashes(exclusive[members], local)])
            tree = average_tree(dense, Constraints(local.astype(np.int64), within))
            labels[members] = first + np.unique(tree.cut(cut), return_inverse=True)[1]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64), warnings


def _components(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], group: Labels) -> npt.NDArray[np.int32]:
    """Components of rows over edges and must-link groups."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    a, b = np.concatenate([a, np.arange(len(group))]), np.concatenate([b, first[inverse]])
    graph = coo_matrix((np.ones(len(a), np.int8), (a, b)), shape=(len(group), len(group)))
    found: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return found


def _within(cannot_link: npt.NDArray[np.int64], group: Labels) -> npt.NDArray[np.int64]:
    """The pairs whose two groups are both here, by their rank among the groups that are here."""
    here = np.unique(group)
    kept = cannot_link[np.isin(cannot_link, here).all(axis=1)]
    return np.searchsorted(here, kept).astype(np.int64)


def _clashes(exclusive: Labels, group: Labels) -> npt.NDArray[np.int64]:
    """Pairs of groups that hold rows of one exclusive name, each pair once."""
    a, b = np.nonzero((exclusive[:, None] == exclusive) & (exclusive >= 0) & (group[:, None] < group))
    return np.unique(np.column_stack([group[a], group[b]]), axis=0).astype(np.int64)
