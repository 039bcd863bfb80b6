"""Scores of a clustering without truth. Which of them may choose a model?

Measured on synthetic scenes of many tiny identities (N = 64 … 1000) and on real shelves:

- silhouette (exact): may choose a threshold where clusters have several members; merges too much where most are single
  (BCubed F on shelf_scenes .71), unless a single row is given an own distance to be judged by (``singleton_distance``,
  .90);
- silhouette (simplified): makes nearly the same choice at O(N K) cost, for large N;
- Calinski-Harabasz: can NOT choose when clusters are tiny (found 10 % of the identities);
- Davies-Bouldin: can NOT choose when clusters are tiny (best when everything is single).

All take unit rows and (N,) labels; noise rows (-1) are left out and their share must be read beside the score.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.labels import Labels, cluster_sums
from packed_scenes.data.arrays import unit_rows


def silhouette_from_distances(
    distance: npt.NDArray[np.float64], labels: Labels, *, singleton_distance: float | None = None
) -> npt.NDArray[np.float64]:
    """Exact silhouette of each row from (N, N) distances and names 0 … K-1 without noise (Rousseeuw 1987).

    Args:
        distance: (N, N) distances.
        labels: (N,) names.
        singleton_distance: taken as the distance of a single row to its own cluster. None = the usual convention,
            silhouette 0, which makes every merge of single rows look good.
    """
    rows = np.arange(len(labels))
    size = np.bincount(labels)
    if len(size) < 2:
        return np.zeros(len(labels))
    start = np.cumsum(size) - size
    total = np.add.reduceat(distance[np.argsort(labels, kind="stable")], start, axis=0).T
    a = total[rows, labels] / np.maximum(size[labels] - 1, 1)
    total /= size
    total[rows, labels] = np.inf
    return _ratio(a, total.min(axis=1), size[labels], singleton_distance)


def silhouette(X: Vectors, labels: Labels) -> float:
    """Mean exact silhouette on cosine distance, O(N²) time, blocks of rows; NaN unless there are 2 … N - 1 clusters.

    The mean cosine to a cluster is the dot product with its mean vector, so no N x N matrix is needed even for the
    exact value.
    """
    X, labels, defined = _without_noise(X, labels)
    if not defined:
        return float("nan")
    sums, sizes = cluster_sums(X, labels)
    total = 0.0
    for low in range(0, len(X), 1024):
        rows, own = X[low : low + 1024].astype(np.float64), labels[low : low + 1024]
        here = np.arange(len(rows))
        distance = 1 - (rows @ sums.T) / sizes
        a = distance[here, own] * sizes[own] / np.maximum(sizes[own] - 1, 1)
        distance[here, own] = np.inf
        total += float(_ratio(a, distance.min(axis=1), sizes[own]).sum())
    return total / len(X)


def simplified_silhouette(
    X: Vectors, labels: Labels, *, singleton_distance: float | None = None, max_rows: int | None = None
) -> float:
    """Silhouette with distances to unit mean vectors in place of mean distances to members; NaN as :func:`silhouette`.

    O(N K D) time. Source: Hruschka et al. 2004 ("simplified silhouette width").

    Args:
        X: (N, D) unit rows.
        labels: (N,) names, -1 = noise.
        singleton_distance: as in :func:`silhouette_from_distances`.
        max_rows: judge at most so many rows, evenly spaced.
    """
    X, labels, defined = _without_noise(X, labels)
    if not defined:
        return float("nan")
    sums, sizes = cluster_sums(X, labels)
    centre = unit_rows(sums).astype(np.float32)
    count = min(len(X), max_rows or len(X))
    judged = np.linspace(0, len(X) - 1, count).round().astype(np.int64)
    total = 0.0
    for low in range(0, count, 1024):
        rows = judged[low : low + 1024]
        own = labels[rows]
        here = np.arange(len(own))
        distance = 1 - X[rows] @ centre.T
        a = distance[here, own].copy()
        distance[here, own] = np.inf
        total += float(_ratio(a, distance.min(axis=1), sizes[own], singleton_distance).sum())
    return total / count


def calinski_harabasz(X: Vectors, labels: Labels) -> float:
    """Calinski and Harabasz 1974, higher is better. Show it, never choose by it when clusters are tiny. NaN as
    :func:`silhouette`.
    """
    from sklearn.metrics import calinski_harabasz_score

    X, labels, defined = _without_noise(X, labels)
    return float(calinski_harabasz_score(X, labels)) if defined else float("nan")


def davies_bouldin(X: Vectors, labels: Labels) -> float:
    """Davies and Bouldin 1979, lower is better. Show it, never choose by it when clusters are tiny. NaN as
    :func:`silhouette`.
    """
    from sklearn.metrics import davies_bouldin_score

    X, labels, defined = _without_noise(X, labels)
    return float(davies_bouldin_score(X, labels)) if defined else float("nan")


def _ratio(
    a: npt.NDArray[Any], b: npt.NDArray[Any], size: npt.NDArray[np.int64], singleton_distance: float | None = None
) -> npt.NDArray[np.float64]:
    if singleton_distance is not None:
        a = np.where(size > 1, a, singleton_distance)
    value = (b - a) / np.maximum(np.maximum(a, b), 1e-12)
    return np.asarray(value if singleton_distance is not None else np.where(size > 1, value, 0.0), np.float64)


def _without_noise(X: Vectors, labels: Labels) -> tuple[Vectors, Labels, bool]:
    kept = labels >= 0
    X, names = X[kept], np.unique(labels[kept], return_inverse=True)[1].astype(np.int64)
    return X, names, 1 < names.max(initial=-1) + 1 < len(names)
