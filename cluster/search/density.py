"""Every density clustering out of one spanning tree: DBSCAN at any eps, HDBSCAN at any smallest cluster.

HDBSCAN's condensed tree is made in one pass from the root down and one pass of sums: linear, where the libraries
take seconds at 400,000 rows. One condensed tree serves both ways of selection. DBSCAN is exact given the tree and
``min_samples`` neighbours: core rows are those whose core distance is at most eps, chained by the tree's edges up to
eps; a border row has fewer than ``min_samples`` rows within eps, so all of them are in its list, and it goes to the
nearest core row among them (scikit-learn: to the cluster found first).

Sources: Ester et al. 1996; Campello, Moulavi and Sander 2013 (HDBSCAN*); Campello et al. 2015 (GLOSH).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled
from packed_scenes.cluster.search.graph import Neighbours
from packed_scenes.cluster.search.union import find

TINY = 1e-10  # equal rows would have infinite density

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hierarchy:
    """A single-linkage tree; node N + i is the i-th merge.

    Attributes:
        left: (N - 1,) int64 child nodes.
        right: (N - 1,) int64.
        height: (N - 1,) float64, ascending.
        size: (N - 1,) int64 rows below.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    height: Floats
    size: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Condensed:
    """The clusters of at least a given size that appear as density rises; cluster 0 is the whole.

    Attributes:
        parent: (C,) int64 cluster each splits from; -1 for the whole. Parents come before their children.
        stability: (C,) float64 excess of mass.
        peak: (C,) float64 highest density (1 / distance) at which a row leaves the cluster or one below it.
        home: (N,) int64 the last cluster each row was in.
        left_at: (N,) float64 density at which it left that one.
    """

    parent: npt.NDArray[np.int64]
    stability: Floats
    peak: Floats
    home: npt.NDArray[np.int64]
    left_at: Floats


def hierarchy(tree: Floats) -> Hierarchy:
    """Turn an ascending (N - 1, 3) spanning tree into merges."""
    return Hierarchy(*_merges(np.ascontiguousarray(tree[:, :2].astype(np.int64)), tree[:, 2]))


def condense(merges: Hierarchy, min_cluster_size: int) -> Condensed:
    """Condense a tree; ``min_cluster_size`` is 2 or more."""
    return Condensed(
        *_condense(merges.left, merges.right, np.maximum(merges.height, TINY), merges.size, min_cluster_size)
    )


def select(tree: Condensed, selection: str) -> Labels:
    """Return (N,) labels: clusters by excess of mass (``"eom"``) or the leaves (``"leaf"``); -1 = noise.

    The whole set is never a cluster.
    """
    kept = _excess_of_mass(tree.parent, tree.stability) if selection == "eom" else _leaves(tree.parent)
    # Every cluster takes the name of its selected ancestor; parents come first.
    name = np.full(len(kept), -1, np.int64)
    for cluster in range(1, len(kept)):
        name[cluster] = cluster if kept[cluster] else name[tree.parent[cluster]]
    return np.asarray(name[tree.home])


def dbscan(tree: Floats, graph: Neighbours, core: Floats, eps: float, min_samples: int) -> Labels:
    """Return (N,) DBSCAN labels.

    Args:
        tree: ascending mutual reachability tree of ``min_samples`` - 1 neighbours.
        graph: at least as many neighbours.
        core: (N,) distances to the (``min_samples`` - 1)-th neighbour.
        eps: distance.
        min_samples: rows within eps, the row itself counted, that make a core row.
    """
    ends = np.ascontiguousarray(tree[: np.searchsorted(tree[:, 2], eps, side="right"), :2].astype(np.int64))
    k = max(min_samples - 1, 1)
    return np.asarray(_core_components(ends, core <= eps, graph.index[:, :k], graph.distance[:, :k], eps))


def glosh(tree: Condensed) -> Floats:
    """Return (N,) outlier scores in [0, 1): how far below its cluster's peak density a row falls out."""
    return np.asarray(1 - tree.left_at / np.maximum(tree.peak[tree.home], 1e-300))


@compiled
def _merges(ends: Any, height: Any) -> Any:  # pragma: no cover
    count = len(ends) + 1
    parent = np.arange(2 * count - 1)
    size = np.ones(2 * count - 1, np.int64)
    left, right = np.empty(count - 1, np.int64), np.empty(count - 1, np.int64)
    for m in range(count - 1):
        a, b = find(parent, ends[m, 0]), find(parent, ends[m, 1])
        node = count + m
        parent[a] = node
        parent[b] = node
        size[node] = size[a] + size[b]
        left[m], right[m] = a, b
    return left, right, height.copy(), size[count:]


@compiled
def _condense(left: Any, right: Any, height: Any, size: Any, smallest: int) -> Any:  # pragma: no cover
    count = len(left) + 1
    inside = np.zeros(2 * count - 1, np.int64)  # the cluster a node belongs to
    fell_at = np.full(2 * count - 1, -1.0)  # density at which it left that cluster; -1 = it is the cluster's trunk
    parent, birth = np.empty(count + 1, np.int64), np.empty(count + 1)
    stability, peak = np.zeros(count + 1), np.zeros(count + 1)
    parent[0], birth[0] = -1, 0.0
    clusters = 1
    for node in range(2 * count - 2, count - 1, -1):
        m = node - count
        a, b = left[m], right[m]
        c = inside[node]
        if fell_at[node] >= 0:
            inside[a] = inside[b] = c
            fell_at[a] = fell_at[b] = fell_at[node]
            continue
        density = 1.0 / height[m]
        na = size[a - count] if a >= count else 1
        nb = size[b - count] if b >= count else 1
        if na >= smallest and nb >= smallest:
            stability[c] += (density - birth[c]) * (na + nb)
            for child in (a, b):
                inside[child] = clusters
                parent[clusters], birth[clusters] = c, density
                clusters += 1
        else:
            peak[c] = max(peak[c], density)
            for child, n in ((a, na), (b, nb)):
                inside[child] = c
                if n < smallest:
                    stability[c] += (density - birth[c]) * n
                    fell_at[child] = density
    for c in range(clusters - 1, 0, -1):
        peak[parent[c]] = max(peak[parent[c]], peak[c])
    return (
        parent[:clusters].copy(), stability[:clusters].copy(), peak[:clusters].copy(),
        inside[:count].copy(), fell_at[:count].copy(),
    )  # fmt: skip


@compiled
def _excess_of_mass(parent: Any, stability: Any) -> Any:  # pragma: no cover
    count = len(parent)
    best, below = np.empty(count), np.zeros(count)
    kept, has_child = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for c in range(count - 1, 0, -1):
        kept[c] = not has_child[c] or below[c] <= stability[c]
        best[c] = stability[c] if kept[c] else below[c]
        below[parent[c]] += best[c]
        has_child[parent[c]] = True
    covered = np.zeros(count, np.bool_)
    for c in range(1, count):
        covered[c] = covered[parent[c]] or kept[parent[c]]
        if covered[c]:
            kept[c] = False
    return kept


@compiled
def _leaves(parent: Any) -> Any:  # pragma: no cover
    leaf = np.ones(len(parent), np.bool_)
    leaf[0] = False
    for c in range(1, len(parent)):
        leaf[parent[c]] = False
    return leaf


@compiled
def _core_components(ends: Any, is_core: Any, index: Any, distance: Any, eps: float) -> Any:  # pragma: no cover
    count = len(is_core)
    parent = np.arange(count)
    for e in range(len(ends)):
        a, b = find(parent, ends[e, 0]), find(parent, ends[e, 1])
        parent[max(a, b)] = min(a, b)
    labels = np.full(count, -1)
    for n in range(count):
        if is_core[n]:
            labels[n] = find(parent, n)
    for n in range(count):
        if not is_core[n]:
            for k in range(index.shape[1]):
                near = index[n, k]
                if near >= 0 and distance[n, k] <= eps and is_core[near]:
                    labels[n] = labels[near]
                    break
    return labels
