"""Clusters near the threshold of an embedder that is calibrated for what is seen: the adaptive cut, or dense cores."""

from __future__ import annotations

from packed_scenes.cluster.base import Hints, Vectors
from packed_scenes.cluster.choose import adaptive_cut, merge_adaptively
from packed_scenes.cluster.constraints import close
from packed_scenes.cluster.dense import DENSE_LIMIT, Distances, Tree, average_tree, cosine_distances
from packed_scenes.cluster.density_cores import LARGE_GROUP, MAX_DISTANCE, group_by_cores, mean_own_size
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.reciprocal import reciprocal_merge
from packed_scenes.cluster.spatial import spatial_distances


def cluster_near(X: Vectors, hints: Hints, calibrated: float, *, spatial: bool) -> tuple[Labels, float]:
    """Return (N,) names and the cosine distance that was used.

    Where the groups at the calibrated cut are large, and there are no constraints, clusters go by their dense cores
    (:mod:`packed_scenes.cluster.density_cores`); else average linkage at the cut near the calibrated one with the best
    silhouette (:mod:`packed_scenes.cluster.choose`).

    Args:
        X: (N, D) float32 unit rows, any N. hints: what else is known.
        calibrated: the embedder's own threshold.
        spatial: use the boxes, up to ``DENSE_LIMIT`` rows (:mod:`packed_scenes.cluster.spatial`).
    """
    if len(X) > DENSE_LIMIT:
        constraints = close(len(X), hints) if hints.constrained else None
        if constraints is None:
            usual = mean_own_size(reciprocal_merge(X, calibrated))
            if usual >= LARGE_GROUP:
                return group_by_cores(X, calibrated, typical_size=usual), min(MAX_DISTANCE * calibrated, 2.0)
        start = None if constraints is None else constraints.group
        apart = None if constraints is None else constraints.cannot_link
        return merge_adaptively(X, calibrated, start=start, cannot_link=apart)
    tree, distance = tree_near(X, hints, calibrated, spatial=spatial)
    cores = cores_near(X, hints, calibrated, tree)
    if cores is not None:
        return cores
    threshold = adaptive_cut(tree, distance, calibrated)
    return tree.cut(threshold), threshold


def tree_near(X: Vectors, hints: Hints, calibrated: float, *, spatial: bool) -> tuple[Tree, Distances]:
    """Return average linkage of up to ``DENSE_LIMIT`` rows, and its (N, N) distances; arguments as above."""
    distance = cosine_distances(X)
    if spatial and hints.xyxy is not None:
        distance = spatial_distances(distance, hints.xyxy, hints.scene, reach=calibrated)
    return average_tree(distance, close(len(X), hints) if hints.constrained else None), distance


def cores_near(X: Vectors, hints: Hints, calibrated: float, tree: Tree) -> tuple[Labels, float] | None:
    """Return the clusters by their dense cores and the farthest distance, where groups are large and nothing is known
    for certain, else None; arguments as above.
    """
    usual = 0.0 if hints.constrained else mean_own_size(tree.cut(calibrated))
    if usual < LARGE_GROUP:
        return None
    return group_by_cores(X, calibrated, typical_size=usual), min(MAX_DISTANCE * calibrated, 2.0)
