"""Where groups are large: dense cores, and the rest joined to the nearest.

Hundreds of crops of one product do not lie around one point: most form a core, and other sides, covered or badly lit
crops form fragments as far from it as another product's core may be (.3-.5, with an embedder calibrated at .2). No
one cut of average linkage is right for both. Density sees the cores: HDBSCAN whose smallest cluster is a share of the
usual group and whose clusters are not split below half of the calibrated distance. A row outside every core joins the
nearest one within ``MAX_DISTANCE``; what is left is grouped by average linkage at the calibrated cut.

Whether groups are large is seen at the calibrated cut, where such data break into pieces that are still large: the
size of a row's own cluster, mean over the rows.

The numbers were chosen on draws of 8 classes of packed_products (60 of each; 12 % of each) that an embedder had never
seen, and on 7 … 13 drawn products with 15 … 120 views. Mean ARI of the three: calibrated cut .74 .74 .76, adaptive .77
.79 .77, usual silhouette .80 .86 .81, the best cut by the truth .86 .91 .86, this .90 .93 .86. In its place: a fixed
smallest core of 5 .85 .87 .86; no least distance .87 .92 .86; "leaf" clusters .78 .61 .87; fragments of average linkage
joined to the nearest large cluster .88 .88 .82; Infomap .78 .52 -; Leiden (modularity) .89 .65 -.

``LARGE_GROUP``: in 112 sets with 2 … 180 crops a product it gained where the mean size was 7 and more (39 of 46 from 15
on, ARI +.09 in the mean) and lost below 5; on generated shelves with their boxes it still lost .05 at 11.
"""

from __future__ import annotations

import numpy as np

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.density import HDBSCAN
from packed_scenes.cluster.labels import NOISE, Labels, cluster_sums
from packed_scenes.cluster.reciprocal import reciprocal_merge

LARGE_GROUP = 15.0  # mean size of a row's own cluster at the calibrated cut, from which groups count as large
MIN_CORE_SHARE = 0.2  # smallest core, as a share of that size
MIN_CORE_ROWS = 5  # rows of a core at least
NEIGHBOURS = 3
CORE = 0.5  # x calibrated: rows nearer than this are not distinguished
MAX_DISTANCE = 2.5  # x calibrated: mean distance up to which a row belongs to a core


def mean_own_size(labels: Labels) -> float:
    """Mean over the rows of the size of their own cluster: 1 if all are single, N if all are one."""
    sizes = np.bincount(labels).astype(np.float64)
    return float((sizes**2).sum() / max(sizes.sum(), 1.0))


def group_by_cores(X: Vectors, calibrated: float, *, typical_size: float) -> Labels:
    """Return the (N,) names of clusters of large groups; nothing is noise.

    Memory: that of :class:`packed_scenes.cluster.HDBSCAN` and one N x cores matrix of similarities.

    Args:
        X: (N, D) float32 unit rows.
        calibrated: the embedder's own threshold.
        typical_size: :func:`mean_own_size` at that threshold.
    """
    smallest = max(MIN_CORE_ROWS, round(MIN_CORE_SHARE * typical_size))
    model = HDBSCAN(smallest, NEIGHBOURS, metric="euclidean", epsilon=CORE * calibrated)
    labels = model.fit(X).labels_.copy()
    outside = labels == NOISE
    count = model.n_clusters_
    if count:
        sums, sizes = cluster_sums(X[~outside], labels[~outside])
        distance = 1 - X[outside] @ (sums / sizes[:, None]).astype(np.float32).T
        nearest = distance.argmin(axis=1)
        near = distance[np.arange(len(nearest)), nearest] <= MAX_DISTANCE * calibrated
        labels[outside] = np.where(near, nearest, NOISE)
    rest = np.flatnonzero(labels == NOISE)
    if len(rest):
        labels[rest] = count + reciprocal_merge(X[rest], calibrated)
    return labels
