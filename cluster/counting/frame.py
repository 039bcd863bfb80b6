"""The sampling frame of a count: a first clustering into units, and how likely an item belongs to a unit.

Everything the sampling needs is the distance of an item to the mean of a unit (which is its mean distance to the
members), so no N x N matrix is made: N x K products in blocks of 1,024 rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cluster.base import Vectors, check_vectors
from cluster.labels import Labels, canonical, cluster_sums, singletons
from cluster.reciprocal import reciprocal_merge

BLOCK = 1024

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bond:
    """How likely an item at a mean cosine distance from a unit is of its identity: a falling logistic curve.

    Attributes:
        middle: the distance at which it is as likely as not.
        slope: how fast it falls, in units of distance.

    It steers what is asked. A wrong curve costs questions and widens the interval, it does not bias the estimate.
    """

    middle: float
    slope: float

    def __call__(self, distance: npt.ArrayLike) -> Floats:
        """Probabilities for distances of any shape."""
        from scipy.special import expit

        return np.asarray(expit((self.middle - np.asarray(distance, np.float64)) / self.slope), np.float64)


class Frame:
    """Unit rows in units (average linkage at ``cut``).

    Args:
        X: (N, D) vectors.
        cut: mean cosine distance up to which items join a unit. Any cut gives an unbiased count; near the embedder's
            best the fewest questions are needed.
        labels: (N,) units found otherwise, instead of linkage; noise rows become units of one.

    Attributes:
        X: (N, D) float32 unit rows. labels: (N,) int64, 0 … K-1 by size. sizes: (K,). means: (K, D) float32.
        own: (N,) mean distance of each item to the others of its unit; 0 where it is alone.
        members: per unit its items, the most central first.
    """

    def __init__(self, X: npt.ArrayLike, *, cut: float, labels: npt.ArrayLike | None = None) -> None:
        self.X: Vectors = check_vectors(X)
        self.cut = cut
        found = reciprocal_merge(self.X, cut) if labels is None else singletons(np.asarray(labels))
        self.labels: Labels = canonical(found)
        sums, self.sizes = cluster_sums(self.X, self.labels)
        self.means = np.ascontiguousarray(sums / self.sizes[:, None], np.float32)
        size = self.sizes[self.labels]
        within = np.einsum("nd,nd->n", self.X, sums[self.labels]) - 1
        self.own: Floats = np.where(size > 1, np.clip(1 - within / np.maximum(size - 1, 1), 0, 2), 0)
        order = np.lexsort((self.own, self.labels))
        self.members: list[Ints] = np.split(order, np.cumsum(self.sizes)[:-1])

    def __len__(self) -> int:
        return len(self.X)

    @cached_property
    def count(self) -> int:
        """Number of units, K."""
        return len(self.sizes)

    def distances(self, row: int) -> Floats:
        """(K,) mean distances of one item to every unit; 2 to its own."""
        out: Floats = np.clip(1 - self.means @ self.X[row], 0, 2).astype(np.float64)
        out[self.labels[row]] = 2
        return out

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Give (rows, (rows, K) distances to every unit, 2 to the own) for all items."""
        for low in range(0, len(self), BLOCK):
            rows = slice(low, min(low + BLOCK, len(self)))
            out = np.clip(1 - self.X[rows] @ self.means.T, 0, 2).astype(np.float64)
            out[np.arange(len(out)), self.labels[rows]] = 2
            yield rows, out


class Frames:
    """The frames of one set of vectors by their cut, each made once: a person who takes an answer back should not wait.

    Args:
        X: (N, D) vectors.
    """

    def __init__(self, X: npt.ArrayLike) -> None:
        self.X: Vectors = check_vectors(X)
        self._made: dict[float, Frame] = {}

    def at(self, cut: float) -> Frame:
        """The frame at a cut."""
        if cut not in self._made:
            self._made[cut] = Frame(self.X, cut=cut)
        return self._made[cut]
