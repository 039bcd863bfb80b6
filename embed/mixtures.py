"""Classes that hold two things: far groups inside a class, and where each of them belongs.

Two far groups alone prove little: a network that never saw a product puts its front and its back as far apart as two
products. Crops of two products come from somewhere, though: each group lies beside another class, and not the same one.
On packed_products the mixture's groups reach other classes at .39 and .00 of the distance usual within them (.32 and
.00 by a network that had never seen the set), front and back views at 1.0 and more, or both beside one variant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATIO = 2.8  # join height over the median class's; packed_products: the mixture 11, clean classes up to 2.3
SHARE = 0.15  # the smaller of the two groups; less are single mislabelled crops
MAX_NEIGHBOUR_RATIO = (
    1.0  # median distance to the nearest crop of the other class over the median distance within the group
)

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TwoGroups:
    """A class of two far groups.

    Attributes:
        label: the class.
        small, large: rows of the groups.
        height: cosine distance at which they join.
        usual: that of the median class.
        beside: the classes that the small and the large group lie beside, if each does and they differ.
    """

    label: int
    small: Rows
    large: Rows
    height: float
    median_height: float
    neighbour_classes: tuple[int, int] | None


def find_groups(
    vectors: Vectors, sample: dict[int, Rows], threshold: float
) -> tuple[list[TwoGroups], npt.NDArray[np.float64]]:
    """Find classes whose average-linkage tree joins two groups far above what is usual.

    Args:
        vectors: (N, D) unit rows.
        sample: rows of each class to look at; memory is quadratic in their number.
        threshold: the embedder's calibrated cosine distance.

    Returns:
        The classes, and (largest label + 1,) join heights, NaN where a class has under four crops.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    heights = np.full(max(sample) + 1, np.nan)
    groups: dict[int, tuple[Rows, Rows]] = {}
    for label, rows in sample.items():
        if len(rows) < 4:
            continue
        tree = linkage(vectors[rows].astype(np.float64), "average", metric="cosine")
        min_size = max(2, round(SHARE * len(rows)))
        # the highest join of two groups that are both more than a few outliers
        sizes = np.concatenate([np.ones(len(rows)), tree[:, 3]])
        smaller = np.minimum(sizes[tree[:, 0].astype(int)], sizes[tree[:, 1].astype(int)])
        joins = np.flatnonzero(smaller >= min_size)
        if not len(joins):
            heights[label] = 0.0
            continue
        heights[label] = tree[joins[-1], 2]
        parts = fcluster(tree, tree[joins[-1], 2] * (1 - 1e-9), "distance")
        first, second = np.argsort(-np.bincount(parts))[:2]
        groups[label] = rows[parts == second], rows[parts == first]
    median_height = float(np.nanmedian(heights)) if groups else 0.0
    limit = max(RATIO * median_height, 1.5 * threshold)
    found = []
    for label in sorted(label for label in groups if heights[label] > limit):
        small, large = groups[label]
        a, b = (_neighbour_class(vectors, rows, label, sample) for rows in (small, large))
        neighbour_classes = (a, b) if a is not None and b is not None and a != b else None
        found.append(TwoGroups(label, small, large, float(heights[label]), median_height, neighbour_classes))
    return found, heights


def _neighbour_class(vectors: Vectors, group: Rows, label: int, sample: dict[int, Rows]) -> int | None:
    """The class whose crops lie among a group's, as far as the group is wide; None if there is none."""
    own = vectors[group]
    if len(group) < 2:
        return None
    within = float(np.median((1 - own @ own.T)[np.triu_indices(len(group), 1)]))
    away = {
        other: float(np.median(1 - (own @ vectors[rows].T).max(axis=1)))
        for other, rows in sample.items()
        if other != label
    }
    nearest = min(away, key=lambda other: away[other])
    return nearest if away[nearest] <= MAX_NEIGHBOUR_RATIO * max(within, 1e-6) else None
