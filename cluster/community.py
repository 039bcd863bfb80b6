"""Communities of the kNN graph, from the igraph library (``pip install packed-scenes[graph]``).

Both look only at near pairs: edges of the graph within ``threshold``. On large collections (5,000 rows and more of
identities with many copies) Infomap scored best of all methods in the study; on scenes where most identities are
single, average linkage is better.
"""

from __future__ import annotations

import random
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Clusterer, Hints, Vectors
from packed_scenes.cluster.knn import neighbours
from packed_scenes.cluster.labels import Labels
from packed_scenes.data.errors import InputError, named
from packed_scenes.data.extras import remedy
from packed_scenes.data.thresholds import UNCALIBRATED


class Objective(StrEnum):
    """What Leiden maximises."""

    MODULARITY = "modularity"
    CPM = "CPM"  # constant Potts: edges within minus resolution x pairs within


class Communities(Clusterer):
    """Base: what both methods ask of the graph of near pairs; a subclass finds its communities.

    Args:
        threshold: cosine distance up to which two neighbours are joined by an edge.
        neighbours: edges per row at most.
        random_state: of what the method draws.
        search, device: see :mod:`packed_scenes.cluster.knn`.
    """

    def __init__(
        self,
        threshold: float = UNCALIBRATED,
        *,
        neighbours: int = 10,
        random_state: int = 0,
        search: str = "auto",
        device: str = "cpu",
    ) -> None:
        self.threshold = threshold
        self.neighbours = neighbours
        self.random_state = random_state
        self.search = search
        self.device = device

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        self._check()
        graph, weight = self._near_pairs(X)
        found = self._communities(graph, weight) if weight else None
        labels = np.arange(len(X)) if found is None else np.asarray(found.membership)
        return labels.astype(np.int64), np.ones(len(X))

    def _check(self) -> None:
        """Raise InputError for an option that the method does not know."""

    def _communities(self, graph: Any, weight: list[float]) -> Any:
        """Return igraph's clustering of the graph."""
        raise NotImplementedError

    def _near_pairs(self, X: Vectors) -> tuple[Any, list[float]]:
        """Return the igraph graph of neighbours within the threshold, each pair once, and its weights (cosine)."""
        try:
            import igraph
        except ImportError as error:
            raise InputError("igraph is not installed", remedy=f"{remedy('igraph')}, or use 'average'") from error
        if not 0 < self.threshold <= 2:
            raise InputError(f"threshold must be a cosine distance in (0, 2], got {self.threshold}")
        igraph.set_random_number_generator(random.Random(self.random_state))
        if len(X) < 2:
            return igraph.Graph(n=len(X)), []
        near = neighbours(X, self.neighbours, search=self.search, device=self.device)
        a = np.repeat(np.arange(len(X)), near.index.shape[1])
        b, similarity = near.index.ravel(), near.similarity.ravel()
        kept = (b >= 0) & (similarity >= max(1 - self.threshold, 1e-6))
        pairs = np.sort(np.column_stack([a[kept], b[kept]]), axis=1)
        pairs, first = np.unique(pairs, axis=0, return_index=True)
        return igraph.Graph(n=len(X), edges=pairs), np.clip(similarity[kept][first], 1e-6, 1).tolist()


class Infomap(Communities):
    """Infomap (Rosvall and Bergstrom 2008): groups that a random walk over near pairs seldom leaves.

    Args:
        threshold, neighbours, random_state, search, device: see :class:`Communities`.
        trials: starts; the best is kept.
    """

    def __init__(
        self,
        threshold: float = UNCALIBRATED,
        *,
        neighbours: int = 10,
        trials: int = 2,
        random_state: int = 0,
        search: str = "auto",
        device: str = "cpu",
    ) -> None:
        super().__init__(threshold, neighbours=neighbours, random_state=random_state, search=search, device=device)
        self.trials = trials

    def _communities(self, graph: Any, weight: list[float]) -> Any:
        return graph.community_infomap(edge_weights=weight, trials=self.trials)


class Leiden(Communities):
    """Leiden (Traag et al. 2019).

    Args:
        threshold, neighbours, random_state, search, device: see :class:`Communities`.
        objective: ``"modularity"`` or ``"CPM"``.
        resolution: of the objective; higher gives smaller groups.
    """

    def __init__(
        self,
        threshold: float = UNCALIBRATED,
        *,
        neighbours: int = 10,
        objective: str = "modularity",
        resolution: float = 1.0,
        random_state: int = 0,
        search: str = "auto",
        device: str = "cpu",
    ) -> None:
        super().__init__(threshold, neighbours=neighbours, random_state=random_state, search=search, device=device)
        self.objective = objective
        self.resolution = resolution

    def _check(self) -> None:
        named(Objective, self.objective, "objective")

    def _communities(self, graph: Any, weight: list[float]) -> Any:
        return graph.community_leiden(
            objective_function=str(self.objective), weights=weight, resolution=self.resolution, n_iterations=-1
        )
