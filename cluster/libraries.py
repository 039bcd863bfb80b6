"""Thin, uniform access to the library methods that serve as baselines: KMeans, DBSCAN and the other linkages."""

from __future__ import annotations

import warnings
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Clusterer, Hints, Vectors
from packed_scenes.cluster.dense import DENSE_LIMIT, Tree, cosine_distances
from packed_scenes.cluster.labels import Labels
from packed_scenes.data.errors import InputError, named
from packed_scenes.data.thresholds import UNCALIBRATED

KMEANS_GRID = 24


class KMeans(Clusterer):
    """KMeans on unit rows (spherical in effect: Euclidean and cosine order agree).

    Args:
        n_clusters: K, or ``"silhouette"`` to try a geometric grid of K and keep the best simplified silhouette.
        random_state: of the starting centres.
    """

    def __init__(self, n_clusters: int | str = "silhouette", *, random_state: int = 0) -> None:
        self.n_clusters = n_clusters
        self.random_state = random_state

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        if isinstance(self.n_clusters, str):
            if self.n_clusters != "silhouette":
                raise InputError(f"n_clusters must be a number or 'silhouette', got {self.n_clusters!r}")
            return self._search(X), np.ones(len(X))
        if self.n_clusters < 1:
            raise InputError(f"n_clusters must be 1 or more, got {self.n_clusters}")
        if self.n_clusters > len(X):
            self.warnings_.append(f"n_clusters {self.n_clusters} was lowered to the {len(X)} rows there are")
        return self._run(X, min(self.n_clusters, len(X))), np.ones(len(X))

    def _run(self, X: Vectors, k: int) -> Labels:
        from sklearn.cluster import KMeans as Library
        from sklearn.cluster import MiniBatchKMeans

        large = len(X) * k > 5e7
        model = (
            MiniBatchKMeans(k, random_state=self.random_state, n_init=1)
            if large
            else Library(k, random_state=self.random_state, n_init=4)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fewer distinct rows than K: fewer clusters come back, which is right
            return np.asarray(model.fit_predict(X), np.int64)

    def _search(self, X: Vectors) -> Labels:
        from packed_scenes.cluster.internal import simplified_silhouette

        grid = np.unique(np.geomspace(2, max(2, len(X) - 1), KMEANS_GRID).round().astype(int))
        best, chosen = -np.inf, np.zeros(len(X), np.int64)
        for k in grid[grid < len(X)]:
            labels = self._run(X, int(k))
            value = simplified_silhouette(X, labels)
            if value > best:
                best, chosen = value, labels
        return chosen


class DBSCAN(Clusterer):
    """DBSCAN (Ester et al. 1996): rows chained by distances up to ``eps``; the others are noise.

    Args:
        eps: cosine distance.
        min_samples: rows within ``eps``, the row itself counted as scikit-learn does, that make a core row.
    """

    def __init__(self, eps: float = 0.15, *, min_samples: int = 2) -> None:
        self.eps = eps
        self.min_samples = min_samples

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        import sklearn.cluster

        if not 0 < self.eps <= 2:
            raise InputError(f"eps must be a cosine distance in (0, 2], got {self.eps}")
        # |a - b|² = 2 (1 - cos) on unit rows; scikit-learn works in chunks, never on an N x N matrix.
        model = sklearn.cluster.DBSCAN(
            eps=float(np.sqrt(2 * self.eps)), min_samples=self.min_samples, algorithm="brute"
        )
        return np.asarray(model.fit_predict(X), np.int64), np.ones(len(X))


class Linkage(StrEnum):
    """How the distance between clusters is made from that of their members."""

    AVERAGE = "average"
    COMPLETE = "complete"
    SINGLE = "single"
    WEIGHTED = "weighted"


class Agglomerative(Clusterer):
    """Other linkages on cosine distance, for scenes (up to ``DENSE_LIMIT`` rows).

    Args:
        threshold: distance up to which clusters merge.
        linkage: ``"average"``, ``"complete"``, ``"single"`` or ``"weighted"``.
        n_clusters: cut into so many clusters instead.
    """

    def __init__(
        self, threshold: float = UNCALIBRATED, *, linkage: str = "complete", n_clusters: int | None = None
    ) -> None:
        self.threshold = threshold
        self.linkage = linkage
        self.n_clusters = n_clusters

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        from scipy.cluster.hierarchy import fcluster, linkage
        from scipy.spatial.distance import squareform

        if len(X) > DENSE_LIMIT:
            raise InputError(
                f"agglomerative takes up to {DENSE_LIMIT} rows, got {len(X)}",
                remedy="Use 'average', which has no limit",
            )
        method = named(Linkage, self.linkage, "linkage")
        if len(X) == 1:
            return np.zeros(1, np.int64), np.ones(1)
        tree = Tree(linkage(squareform(cosine_distances(X), checks=False), method.value), len(X))
        if self.n_clusters is not None:
            return fcluster(tree.merges, self.n_clusters, "maxclust").astype(np.int64) - 1, np.ones(len(X))
        return tree.cut(self.threshold), np.ones(len(X))
