"""New vectors to clusters that are already there, and names that stay when a grown collection is clustered again.

A new row goes to the cluster with the nearest mean of distances (1 - the dot product with its mean vector, the
distance that average linkage would look at) if that lies within the threshold, or within the cluster's own spread
where that is wider. What is left is linked among itself: groups are new clusters, and single rows are new clusters
or noise, as asked. In the clear cases, where each new row is near one cluster only, this is what a new fit of
everything would say; where a new row would bridge two clusters it is not, and ``doubtful`` names the rows whose
nearest member and nearest mean disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors, check_vectors
from packed_scenes.cluster.labels import NOISE, Labels, as_labels, canonical, cluster_sums
from packed_scenes.cluster.reciprocal import reciprocal_merge
from packed_scenes.data import InputError

ROWS = 1024


@dataclass(frozen=True)
class Assignment:
    """Where M new rows went.

    Attributes:
        labels: (M,) int64 cluster names; names from ``first_new`` on are new; -1 = noise.
        distance: (M,) float32 mean cosine distance to the members of the nearest cluster that was there before (2 if
            none).
        doubtful: (M,) bool, the nearest member belongs to another cluster than the nearest mean.
        first_new: lowest new name.
    """

    labels: Labels
    distance: npt.NDArray[np.float32]
    doubtful: npt.NDArray[np.bool_]
    first_new: int

    @property
    def is_new(self) -> npt.NDArray[np.bool_]:
        """(M,) bool: the row founded or joined a cluster that was not there before."""
        return self.labels >= self.first_new


@dataclass
class Assigner:
    """Clusters that take in new rows.

    Memory: all member vectors, 4 N D bytes, and K x D sums; a call adds blocks of ``ROWS x N`` float32.

    Args:
        X: (N, D) vectors of the clustering.
        labels: (N,) names, -1 = noise. Noise rows attract nothing.
        threshold: cosine distance up to which a row may join, such as ``AverageLinkage.threshold_``.
        single: what a row becomes that nothing is near to: ``"new"`` cluster (as linkage does) or ``"noise"`` (as
            density does).

    Raises:
        InputError: for shapes that disagree, a threshold outside [0, 2] or an unknown ``single``.
    """

    X: Vectors
    labels: Labels
    threshold: float
    single: str = "new"
    _sums: npt.NDArray[np.float64] = field(init=False, repr=False)
    _sizes: npt.NDArray[np.int64] = field(init=False, repr=False)
    _limits: npt.NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.X, self.labels = check_vectors(self.X), as_labels(self.labels)
        if len(self.X) != len(self.labels):
            raise InputError(f"vectors and labels must have the same length, got {len(self.X)} and {len(self.labels)}")
        if not 0 <= self.threshold <= 2:
            raise InputError(f"threshold must be a cosine distance in [0, 2], got {self.threshold}")
        if self.single not in ("new", "noise"):
            raise InputError(f"single must be 'new' or 'noise', got {self.single!r}")
        self._summarise()

    def _summarise(self) -> None:
        self._sums, self._sizes = cluster_sums(self.X, self.labels)
        self._limits = np.full(len(self._sizes), float(self.threshold))
        kept = np.flatnonzero(self.labels >= 0)
        names = self.labels[kept]
        own = np.einsum("nd,nd->n", self.X[kept], self._sums[names]) - 1
        apart = 1 - own / np.maximum(self._sizes[names] - 1, 1)
        # With two members the spread is one number and says little; the threshold stands.
        trusted = self._sizes[names] > 2
        np.maximum.at(self._limits, names[trusted], apart[trusted])

    def assign(self, new: npt.ArrayLike) -> Assignment:
        """Say where the (M, D) new rows belong; the clusters stay as they are.

        Raises:
            InputError: for bad vectors, see :func:`packed_scenes.cluster.base.check_vectors`, or another D.
        """
        rows = check_vectors(new)
        if rows.shape[1] != self.X.shape[1]:
            raise InputError(f"new vectors must have {self.X.shape[1]} columns, got {rows.shape[1]}")
        first_new = len(self._sizes)
        cluster, distance, member = self._nearest(rows)
        known = cluster >= 0
        known[known] &= distance[known] <= self._limits[cluster[known]]
        labels = np.where(known, cluster, NOISE)
        rest = np.flatnonzero(~known)
        if len(rest):
            fresh = canonical(reciprocal_merge(rows[rest], self.threshold))
            alone = np.bincount(fresh)[fresh] < 2
            labels[rest] = np.where(alone & (self.single == "noise"), NOISE, fresh + first_new)
        doubtful = known & (member != cluster)
        return Assignment(labels.astype(np.int64), distance.astype(np.float32), doubtful, first_new)

    def add(self, new: npt.ArrayLike) -> Assignment:
        """Assign new rows and take them in; later rows see them."""
        found = self.assign(new)
        self.X = np.concatenate([self.X, check_vectors(new)])
        self.labels = np.concatenate([self.labels, found.labels])
        self._summarise()
        return found

    def _nearest(self, rows: Vectors) -> tuple[Labels, npt.NDArray[np.float64], Labels]:
        """Per row: cluster with the nearest mean of distances, that distance, and the cluster of the nearest member."""
        kept = np.flatnonzero(self.labels >= 0)
        if not len(kept):
            nothing = np.full(len(rows), NOISE, np.int64)
            return nothing, np.full(len(rows), 2.0), nothing
        # A name between others may have no rows (labels from outside): it must attract none.
        means = (self._sums / np.maximum(self._sizes, 1)[:, None]).astype(np.float32)
        empty = self._sizes == 0
        cluster, distance, member = np.zeros(len(rows), np.int64), np.zeros(len(rows)), np.zeros(len(rows), np.int64)
        for low in range(0, len(rows), ROWS):
            block = rows[low : low + ROWS]
            apart = np.where(empty, np.float32(np.inf), 1 - block @ means.T)
            cluster[low : low + ROWS] = apart.argmin(axis=1)
            distance[low : low + ROWS] = apart.min(axis=1)
            member[low : low + ROWS] = self.labels[kept[(block @ self.X[kept].T).argmax(axis=1)]]
        return cluster, distance, member


def keep_names(previous: npt.ArrayLike, labels: npt.ArrayLike, *, rows: npt.ArrayLike | None = None) -> Labels:
    """Rename a new clustering so that clusters keep the names they had in the previous one.

    The pair of old and new cluster with the most rows in common is matched first (ties: lower old name, then lower
    new name), each name once; clusters without a match get the names after all old ones.

    Args:
        previous: (M,) old names, -1 = noise.
        labels: (N,) new names, -1 = noise.
        rows: (M,) where the old rows are among the new ones; default: the first M.

    Raises:
        InputError: if ``rows`` does not name M rows of N.
    """
    old, new = as_labels(previous, "previous"), as_labels(labels)
    where = np.arange(len(old)) if rows is None else np.asarray(rows, np.int64)
    inside = len(where) == len(old) <= len(new) and bool(np.all((where >= 0) & (where < len(new))))
    if not inside:
        raise InputError(f"rows must name the {len(old)} previous rows among the {len(new)} new ones")
    both = (old >= 0) & (new[where] >= 0)
    cells, common = np.unique(np.column_stack([old[both], new[where][both]]), axis=0, return_counts=True)
    names: dict[int, int] = {}
    taken: set[int] = set()
    for cell in np.lexsort((cells[:, 1], cells[:, 0], -common)):
        before, now = int(cells[cell, 0]), int(cells[cell, 1])
        if before not in taken and now not in names:
            names[now] = before
            taken.add(before)
    fresh = int(old.max(initial=-1)) + 1
    out = np.full(len(new), NOISE, np.int64)
    ordered = canonical(new)
    kept = ordered >= 0
    first = np.unique(ordered[kept], return_index=True)[1]
    renamed = np.empty(len(first), np.int64)
    for name, now in enumerate(new[kept][first].tolist()):
        if now not in names:
            names[now] = fresh
            fresh += 1
        renamed[name] = names[now]
    out[kept] = renamed[ordered[kept]]
    return out
