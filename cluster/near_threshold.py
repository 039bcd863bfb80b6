"""Clusters near the threshold of an embedder that is calibrated for what is seen: the adaptive cut, or dense cores."""

from __future__ import annotations

from packed_scenes.cluster.base import Hints, Vectors
from packed_scenes.cluster.choose import adaptive_cut, merge_adaptively
from packed_scenes.cluster.constraints import close
from packed_scenes.cluster.dense import DENSE_LIMIT, average_tree, cosine_distances
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
    constraints = close(len(X), hints) if hints.constrained else None
    if len(X) > DENSE_LIMIT:
        if constraints is None:
            usual = mean_own_size(reciprocal_merge(X, calibrated))
            if usual >= LARGE_GROUP:
                return group_by_cores(X, calibrated, typical_size=usual), min(MAX_DISTANCE * calibrated, 2.0)
        start = None if constraints is None else constraints.group
        apart = None if constraints is None else constraints.cannot_link
        return merge_adaptively(X, calibrated, start=start, cannot_link=apart)
    distance = cosine_distances(X)
    if spatial and hints.xyxy is not None:
        distance = spatial_distances(distance, hints.xyxy, hints.scene, reach=calibrated)
    tree = average_tree(distance, constraints)
    if constraints is None:
        usual = mean_own_size(tree.cut(calibrated))
        if usual >= LARGE_GROUP:
            return group_by_cores(X, calibrated, typical_size=usual), min(MAX_DISTANCE * calibrated, 2.0)
    threshold = adaptive_cut(tree, distance, calibrated)
    return tree.cut(threshold), threshold
