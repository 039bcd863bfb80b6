"""Rules that choose where to cut average linkage by looking at the data alone.

**Adaptive.** The best cut depends on how many copies there are to find: where most identities occur once, nearly
every merge is wrong and the cut must be low. So the cut is the embedder's calibrated one, lowered by the mean size
of the clusters that it makes: ``t = c min(1, RATIO (N / K(c)) ** POWER)``. The two numbers were fitted on generated
shelves, packed_products and vehicle subsets, and hold on shelf_scenes, which had no part in the fit. Never raised:
scenes of many copies have a plateau above c, and a rule that also raised the cut gained nothing there and broke
embeddings whose calibrated cut is near the distance of strangers.

Seventeen other statistics of a scene (nearest-neighbour quantiles, low quantiles of all distances, spread under
shift, blur and light, crop height, sharpness, the silhouette's own choice) were fitted in its place or beside it and
predicted the best cut less well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cluster.base import Pairs, Vectors
from cluster.dense import Distances, Tree
from cluster.internal import silhouette_from_distances, simplified_silhouette
from cluster.labels import Labels
from cluster.reciprocal import reciprocal_merge

RATIO, POWER = 0.63, 0.76
ALONE = 0.5  # x calibrated: the own distance of a single row in the silhouette rule
MAX_CUTS = 64
SWEEP = (0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25, 1.45, 1.7, 2.0)  # x calibrated, where there is no tree to look at


def adaptive_threshold(calibrated: float, rows: int, clusters: int) -> float:
    """Return the cut for ``rows`` rows of which the calibrated cut makes ``clusters`` clusters."""
    return float(calibrated * min(1.0, RATIO * (rows / max(clusters, 1)) ** POWER))


def candidate_cuts(tree: Tree, low: float, high: float, limit: int = MAX_CUTS) -> list[float]:
    """Return at most ``limit`` ascending thresholds in [low, high], each midway between two merge heights; at least
    one.
    """
    heights = np.unique(np.concatenate([[low], tree.heights[(tree.heights > low) & (tree.heights < high)], [high]]))
    middle = (heights[1:] + heights[:-1]) / 2
    if len(middle) > limit:
        middle = middle[np.linspace(0, len(middle) - 1, limit).round().astype(int)]
    return [float(t) for t in middle]


def best_silhouette_cut(tree: Tree, distance: Distances, calibrated: float) -> float:
    """Return the cut around the calibrated one with the highest mean silhouette.

    A single row counts as lying ``ALONE * calibrated`` from its own kind: it scores well where everything else is
    farther than copies would be, and badly where it should have been merged.
    """
    best, chosen = -np.inf, calibrated
    for threshold in candidate_cuts(tree, SWEEP[0] * calibrated, min(SWEEP[-1] * calibrated, 2.0)):
        value = float(silhouette_from_distances(distance, tree.cut(threshold), alone=ALONE * calibrated).mean())
        if value > best:
            best, chosen = value, threshold
    return chosen


def merge_adaptively(
    X: Vectors, calibrated: float, *, start: Labels | None = None, apart: Pairs | None = None
) -> tuple[Labels, float]:
    """Average linkage at the adaptive cut without a tree: labels and cut (arguments as in ``reciprocal_merge``)."""
    merge = _continued(X, start, apart)
    low = merge(RATIO * calibrated, None)
    full = merge(calibrated, low)
    threshold = adaptive_threshold(calibrated, len(X), int(full.max()) + 1)
    return (full if threshold >= calibrated else merge(threshold, low)), threshold


def merge_by_silhouette(
    X: Vectors, calibrated: float, *, start: Labels | None = None, apart: Pairs | None = None
) -> tuple[Labels, float]:
    """Average linkage at the best simplified silhouette of ten cuts around the calibrated one: labels and cut."""
    merge = _continued(X, start, apart)
    best, chosen = -np.inf, SWEEP[0] * calibrated
    result = labels = merge(chosen, None)
    for factor in SWEEP:
        threshold = min(factor * calibrated, 2.0)
        labels = merge(threshold, labels)
        value = simplified_silhouette(X, labels, alone=ALONE * calibrated)
        if value > best:
            best, chosen, result = value, threshold, labels
    return result, chosen


def _continued(X: Vectors, start: Labels | None, apart: Pairs | None) -> Callable[[float, Labels | None], Labels]:
    """Return a function that merges on from an earlier result; forbidden pairs follow the renaming."""

    def merge(threshold: float, so_far: Labels | None) -> Labels:
        if so_far is None:
            return reciprocal_merge(X, threshold, start=start, apart=apart)
        if apart is None or start is None:
            return reciprocal_merge(X, threshold, start=so_far)
        first = np.unique(start, return_index=True)[1]
        return reciprocal_merge(X, threshold, start=so_far, apart=so_far[first[apart]])

    return merge
