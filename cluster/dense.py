"""Average linkage as a whole tree, for up to a few thousand rows, over any pair distances.

This is the route for a scene: the pair distances may carry a spatial prior, and rules that choose a cut can look at
every height. Memory: the (N, N) float64 distances and their condensed half, 200 MiB at ``DENSE_LIMIT`` rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.constraints import Constraints
from packed_scenes.cluster.labels import Labels
from packed_scenes.data.arrays import unit_rows

DENSE_LIMIT = 4096
FAR = 1e12  # stands for infinity, which scipy's linkage refuses; FAR / N² is still over any cosine distance

Distances = npt.NDArray[np.float64]


def cosine_distances(X: Vectors) -> Distances:
    """Return the (N, N) float64 cosine distances of unit rows: symmetric, in [0, 2], zero diagonal, 0 for equal
    rows.
    """
    rows = unit_rows(X.astype(np.float64))  # unit to 16 digits, as the library's cosine is
    distance = np.clip(1 - rows @ rows.T, 0, 2)
    distance[distance < 1e-12] = 0  # equal rows must not differ by rounding
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    return distance


@dataclass(frozen=True)
class Tree:
    """A dendrogram over N rows.

    Attributes:
        merges: (N - 1, 4) float64 in scipy's format.
        count: N.
    """

    merges: npt.NDArray[np.float64]
    count: int

    @property
    def heights(self) -> npt.NDArray[np.float64]:
        """(N - 1,) float64 merge distances, ascending; must-links at 0, forbidden merges above 2."""
        return self.merges[:, 2]

    def cut(self, threshold: float) -> Labels:
        """Return (N,) names of the clusters whose members merged at or under ``threshold``; by their first rows.

        As scipy's ``fcluster``, which takes a millisecond a call to check its arguments.
        """
        done = int(np.searchsorted(self.heights, max(threshold, 0), side="right"))
        root = np.arange(self.count + done)
        root[self.merges[:done, :2].astype(np.int64)] = self.count + np.arange(done)[:, None]
        while not np.array_equal(above := root[root], root):
            root = above
        _, first, name = np.unique(root[: self.count], return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[name]


def average_tree(distance: Distances, constraints: Constraints | None = None) -> Tree:
    """Build the average-linkage tree of (N, N) distances, N <= a few thousand.

    Must-link groups merge before everything; a merge that would join a forbidden pair lies above every threshold.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    count = len(distance)
    if count == 1:
        return Tree(np.zeros((0, 4)), 1)
    if constraints is not None:
        distance = _constrained(distance, constraints)
    merges = linkage(squareform(distance, checks=False), "average")
    merges[:, 2] = np.maximum(merges[:, 2], 0)
    return Tree(merges, count)


def _constrained(distance: Distances, constraints: Constraints) -> Distances:
    out = distance.copy()
    group, cannot_link = constraints.group, constraints.cannot_link
    # An average with one FAR part is far, so one member of each group is enough.
    first = np.unique(group, return_index=True)[1]
    a, b = first[cannot_link[:, 0]], first[cannot_link[:, 1]]
    out[a, b] = out[b, a] = FAR
    size = np.bincount(group)[group]
    linked = np.flatnonzero(size > 1)
    same = group[linked][:, None] == group[linked][None, :]
    block = out[np.ix_(linked, linked)]
    block[same] = -FAR
    out[np.ix_(linked, linked)] = block
    np.fill_diagonal(out, 0)
    return out
