"""One prepared matrix with everything that its models share, made when first asked for.

A study fits hundreds of models in a space. The neighbour graph, a spanning tree for each ``min_samples``, a condensed
tree for each smallest cluster, the path of KMeans, the trees of linkages over one set of micro-clusters and the
distances between the judged rows are made once.

Memory at 416,314 rows x 16: rows 27 MB, graph 107 MB, trees and condensed trees 10-30 MB each (the last few kept),
judged rows 64 MB, about 400 MB while a tree is made.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.dense import DENSE_LIMIT
from packed_scenes.cluster.search import density, graph, linkage
from packed_scenes.cluster.search.crossings import crossings
from packed_scenes.cluster.search.grid import MAX_SAMPLES
from packed_scenes.cluster.search.knee_detection import knee
from packed_scenes.cluster.search.lloyd import Path, micro_clusters
from packed_scenes.cluster.search.scores import Sample, draw_sample
from packed_scenes.data import InputError

MICRO = 2000  # points that stand for a large set in agglomerative clustering: 32 MB of distances, .3 s per tree
SILHOUETTE_ROWS = 4096  # rows of the sample that silhouettes are taken on: 64 MB of distances
JUDGE_ALL = 6000  # up to so many rows all are judged
CACHED_TREES = 4  # trees of one kind that are kept at a time; the grid goes through them in order

T = TypeVar("T")
Vectors = npt.NDArray[np.float32]


class Space:
    """Rows of one space and the work that models on them share.

    Args:
        X: (N, D) finite rows, any float type, N >= 3; a memory-mapped matrix is read once.
        seed: of every random choice.
        threads: of the neighbour search.

    Attributes:
        X: (N, D) float32 rows with their mean taken away, which changes no distance and rounds less.
        shared_seconds: time spent so far on work that models share.

    Raises:
        InputError: for fewer than three rows, a wrong shape or numbers that are not finite.
    """

    def __init__(self, X: npt.ArrayLike, *, seed: int = 0, threads: int = 1) -> None:
        rows = np.asarray(X)
        if rows.ndim != 2 or len(rows) < 3 or not rows.shape[1]:
            raise InputError(f"a study needs a matrix of three rows or more, got shape {rows.shape}")
        mean = rows.mean(axis=0, dtype=np.float64)
        if not np.isfinite(mean).all():
            raise InputError("the matrix holds NaN or infinite numbers", remedy="Leave these rows out or repair them")
        self.X = np.ascontiguousarray(rows - mean.astype(np.float32), np.float32)
        self.seed = seed
        self.threads = threads
        self.shared_seconds = 0.0
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._depth = 0

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def graph(self) -> graph.Neighbours:
        """The ``MAX_SAMPLES`` nearest neighbours of every row."""
        return self._shared(lambda: graph.neighbours(self.X, MAX_SAMPLES, threads=self.threads, seed=self.seed))

    @cached_property
    def sample(self) -> Sample:
        """The rows that silhouettes judge, with their distances."""
        return self._shared(lambda: draw_sample(self.X, max_rows=SILHOUETTE_ROWS, all_up_to=JUDGE_ALL, seed=self.seed))

    @cached_property
    def path(self) -> Path:
        """KMeans solutions for growing k."""
        return self._shared(lambda: Path(self.X, seed=self.seed))

    @cached_property
    def micro(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Points that agglomerative clustering merges, and the point of each row: the rows themselves if few."""
        if len(self) <= DENSE_LIMIT:
            return self.X, np.arange(len(self), dtype=np.int32)
        return self._shared(lambda: micro_clusters(self.X, MICRO, seed=self.seed))

    @cached_property
    def _bridges(self) -> npt.NDArray[np.float64]:
        def make() -> npt.NDArray[np.float64]:
            between = graph.bridges_of(self.X, self.graph)
            return np.concatenate([between, crossings(self.X, self.graph, between, seed=self.seed)])

        return self._shared(make)

    def core(self, count: int) -> tuple[npt.NDArray[np.float64], float]:
        """The (N,) distances to the ``count``-th neighbour, and the knee of their curve."""

        def make() -> tuple[npt.NDArray[np.float64], float]:
            core = self.graph.core(count)
            return core, knee(core)

        return self._keep(("core", count), make)

    def tree(self, min_samples: int) -> npt.NDArray[np.float64]:
        """The ascending (N - 1, 3) mutual reachability tree; ``min_samples`` as HDBSCAN counts them."""

        def make() -> npt.NDArray[np.float64]:
            bridges = None if len(self) <= DENSE_LIMIT else self._bridges
            return graph.reachability_tree(self.X, self.graph, min_samples, bridges)

        return self._keep(("tree", min_samples), make)

    def hierarchy(self, min_samples: int) -> density.Hierarchy:
        """The merges of that tree."""
        return self._keep(("hierarchy", min_samples), lambda: density.hierarchy(self.tree(min_samples)))

    def condensed(self, min_samples: int, min_cluster_size: int) -> density.Condensed:
        """Its condensed tree."""
        return self._keep(
            ("condensed", min_samples, min_cluster_size),
            lambda: density.condense(self.hierarchy(min_samples), min_cluster_size),
        )

    def merge_tree(self, name: str) -> npt.NDArray[np.float64]:
        """The merges of a linkage over :attr:`micro`."""
        points, home = self.micro
        return self._keep(("linkage", name), lambda: linkage.merge_tree(points, np.bincount(home), name))

    def _keep(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = self._shared(make)
            alike = [other for other in self._kept if other[0] == key[0]]
            for other in alike[:-CACHED_TREES]:
                del self._kept[other]
        self._kept.move_to_end(key)
        kept: T = self._kept[key]
        return kept

    def _shared(self, make: Callable[[], T]) -> T:
        """Run ``make`` and count its time once, however deep it calls for other shared work."""
        start = time.perf_counter()
        self._depth += 1
        try:
            return make()
        finally:
            self._depth -= 1
            if not self._depth:
                self.shared_seconds += time.perf_counter() - start
