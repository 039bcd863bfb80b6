"""The k nearest neighbours by Euclidean distance, and a spanning tree of mutual reachability over them.

The same plan as :mod:`packed_scenes.cluster.knn` and :mod:`packed_scenes.cluster.spanning`, which know the cosine of
unit rows only: exact up to ``EXACT_LIMIT`` rows (faiss, blocked), IVF above; a minimum spanning forest inside the
graph (scipy's Kruskal); its components joined by Borůvka rounds over the rows of all components but the largest, once
for all trees. Up to ``DENSE_LIMIT`` rows the exact tree of all pairs. Memory: 8 N k bytes for the graph, 28 N k while
a tree is made; no N x N matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.dense import DENSE_LIMIT
from packed_scenes.cluster.knn import IVF_PROBES, drop_self
from packed_scenes.cluster.spanning import dense_tree, nearest_outside, representatives, shortest_bridges

EXACT_LIMIT = 60_000
TREE_NEIGHBOURS = 16  # edges per row that a tree looks at; core distances may reach farther
COLUMNS = 16384

Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of N rows, the row itself left out.

    Attributes:
        index: (N, k) int32, nearest first; -1 where the search found fewer.
        distance: (N, k) float32 Euclidean; infinite where there is none.
        exact: whether the search looked at every row.
    """

    index: npt.NDArray[np.int32]
    distance: npt.NDArray[np.float32]
    exact: bool

    def core(self, count: int) -> Floats:
        """Return (N,) distances to the ``count``-th neighbour; a row with fewer takes its farthest."""
        core = self.distance[:, min(count, self.distance.shape[1]) - 1].astype(np.float64)
        known = np.where(np.isfinite(self.distance), self.distance, -1).max(axis=1)
        return np.where(np.isfinite(core), core, np.maximum(known, 0)).astype(np.float64)


def neighbours(X: Rows, k: int, *, threads: int = 1, seed: int = 0) -> Neighbours:
    """Find the k nearest rows of each of (N, D) rows, N >= 2; k is lowered to N - 1."""
    import faiss

    k = min(k, len(X) - 1)
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        exact = len(X) <= EXACT_LIMIT
        engine: Any = faiss.IndexFlatL2(X.shape[1])
        if not exact:
            engine = faiss.IndexIVFFlat(engine, X.shape[1], int(4 * np.sqrt(len(X))), faiss.METRIC_L2)
            engine.cp.niter, engine.cp.max_points_per_centroid, engine.cp.seed = 6, 64, seed
            engine.train(X)
            engine.nprobe = IVF_PROBES
        engine.add(X)
        square, index = engine.search(X, k + 1)
    finally:
        faiss.omp_set_num_threads(before)
    index, square = drop_self(index, square)
    distance = np.sqrt(np.maximum(square, 0))
    return Neighbours(index, np.where(index < 0, np.float32(np.inf), distance), exact)


def reachability_tree(X: Rows, graph: Neighbours, min_samples: int, bridges: Floats | None = None) -> Floats:
    """Return the (N - 1, 3) float64 tree, ascending: two rows and their mutual reachability distance.

    Args:
        X: (N, D) float32 rows, N >= 2.
        graph: their neighbours.
        min_samples: neighbours, the row itself not counted, that a core distance reaches; 1 or more.
        bridges: :func:`bridges_of` the graph, where several trees are made of it.
    """
    if len(X) <= DENSE_LIMIT:
        edges = _dense_tree(X, min_samples)
    else:
        edges = _forest(graph, graph.core(min_samples), bridges_of(X, graph) if bridges is None else bridges)
    return np.asarray(edges[np.argsort(edges[:, 2])])


def bridges_of(X: Rows, graph: Neighbours) -> Floats:
    """Return the (M, 3) float64 edges that join the components of the graph, by Euclidean distance.

    One set serves the trees of every ``min_samples``: an edge's mutual reachability follows from its length.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count, k = graph.index[:, :TREE_NEIGHBOURS].shape
    found = graph.index[:, :k].ravel() >= 0
    a, b = np.repeat(np.arange(count), k)[found], graph.index[:, :k].ravel()[found]
    density = graph.core(TREE_NEIGHBOURS)
    edges = np.zeros((0, 3))
    while True:
        ends = np.concatenate([a, edges[:, 0].astype(np.int64)]), np.concatenate([b, edges[:, 1].astype(np.int64)])
        adjacency = csr_matrix((np.ones(len(ends[0]), np.int8), ends), shape=(count, count))
        pieces, component = connected_components(adjacency, directed=False)
        if pieces == 1:
            return edges
        edges = np.concatenate([edges, _round_of_bridges(X, component, pieces, density)])


def _dense_tree(X: Rows, min_samples: int) -> Floats:
    from scipy.spatial.distance import pdist, squareform

    return dense_tree(squareform(pdist(X.astype(np.float64))), min(min_samples, len(X) - 1))


def _forest(graph: Neighbours, core: Floats, bridges: Floats) -> Floats:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    index, distance = graph.index[:, :TREE_NEIGHBOURS], graph.distance[:, :TREE_NEIGHBOURS]
    count, k = index.shape
    found = index.ravel() >= 0
    a = np.concatenate([np.repeat(np.arange(count, dtype=np.int32), k)[found], bridges[:, 0].astype(np.int32)])
    b = np.concatenate([index.ravel()[found], bridges[:, 1].astype(np.int32)])
    length = np.concatenate([distance.ravel()[found].astype(np.float64), bridges[:, 2]])
    reach = np.maximum(length, np.maximum(core[a], core[b]))
    # Zero would mean "no edge" in a sparse matrix, and equal rows have distance 0: shift, which keeps the order.
    shift = max(float(reach.mean()), 1e-12)
    matrix = csr_matrix((reach + shift, (a, b)), shape=(count, count))
    tree = minimum_spanning_tree(matrix, overwrite=True).tocoo()
    return np.column_stack([tree.row, tree.col, np.maximum(tree.data - shift, 0)])


def _round_of_bridges(X: Rows, component: npt.NDArray[np.int32], pieces: int, density: Floats) -> Floats:
    """One Borůvka round: the shortest edge out of each component but the largest, without cycles."""
    query = representatives(component, density)
    square = np.einsum("nd,nd->n", X, X)

    def reach(rows: npt.NDArray[np.int64], low: int, stop: int) -> Rows:
        values: Rows = square[low:stop] - 2 * (X[rows] @ X[low:stop].T)
        return values

    best, index = nearest_outside(
        component, query, reach, lambda rows, value: value + square[rows].astype(np.float64), columns=COLUMNS
    )
    return shortest_bridges(component, pieces, query, index, np.sqrt(np.maximum(best, 0)))


def induced_tree(graph: Neighbours, rows: npt.NDArray[np.int64]) -> Floats:
    """Return the ascending (M - 1, 3) tree of some rows (M, sorted) over the edges of the graph between them.

    The core distance is that to the nearest of them. Components are chained by edges of infinite length.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    place = np.full(len(graph.index), -1, np.int64)
    place[rows] = np.arange(len(rows))
    near = np.where(graph.index[rows] < 0, -1, place[graph.index[rows]])
    kept = near >= 0
    a, b = np.nonzero(kept)[0], near[kept]
    length = graph.distance[rows][kept].astype(np.float64)
    core = np.full(len(rows), np.inf)
    np.minimum.at(core, a, length)
    reach = np.maximum(length, np.maximum(core[a], core[b]))
    # The other end may not note this one: its core is then farther, or infinite, and the edge is as long as that.
    reach = np.where(np.isfinite(reach), reach, length)
    shift = max(float(reach.mean()), 1e-12) if len(reach) else 1.0
    matrix = csr_matrix((reach + shift, (a, b)), shape=(len(rows), len(rows)))
    pieces, component = connected_components(matrix, directed=False)
    tree = minimum_spanning_tree(matrix, overwrite=True).tocoo()
    first = np.unique(component, return_index=True)[1]
    chain = np.column_stack([first[:-1], first[1:], np.full(pieces - 1, np.inf)])
    edges = np.concatenate([np.column_stack([tree.row, tree.col, np.maximum(tree.data - shift, 0)]), chain])
    return np.asarray(edges[np.argsort(edges[:, 2], kind="stable")])
