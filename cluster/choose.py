"""Rules that choose where to cut average linkage by looking at the data.

**Adaptive.** The best cut moves with the scene: low where most identities occur once and variants stand beside each
other, high where there are many copies in bad light. The mean silhouette sees this, but by convention a single row
scores 0, so that merging two unlike rows (which score above 0 as a pair far from the rest) looks good: the plain rule
finds half of the identities of shelf_scenes. Here a single row scores as if it had a copy ``ALONE`` times the
embedder's calibrated cut away: well where everything else is farther than copies would be, badly where it should
have been merged. The cut is searched from half to 1.2 times the calibrated one.

The numbers were chosen on generated shelves, packed_products, vehicle subsets and simulated vectors under three
stages of the embedder; shelf_scenes and the reference's photo had no part in it. Means over these sets and stages,
BCubed F / pooled pairwise F: calibrated .885 / .751, adaptive .888 / .758; on shelf_scenes .905 / .854 and .919 / .878.

Tried in its place: lowering the calibrated cut by the mean size of the clusters it makes (.883 / .737, shelf_scenes
.914 / .864); sixteen other statistics of a scene fitted as predictors of the best cut (quantiles of
nearest-neighbour and of all distances, spread under shift, blur and light, crop height, sharpness): none was better;
the spread of shifted crops as a factor of the cut: within .01. Scaling distances by local density: shelf_scenes
+.015, vehicles +.008, but packed_products and simulated vectors -.003 to -.013.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from packed_scenes.cluster.base import Pairs, Vectors
from packed_scenes.cluster.dense import Distances, Tree
from packed_scenes.cluster.internal import silhouette_from_distances, simplified_silhouette
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.reciprocal import reciprocal_merge

LOW, HIGH = 0.5, 1.2  # x calibrated: where the adaptive cut is searched
SINGLETON_DISTANCE = 0.6  # x calibrated: how far off the copy of a single row would be
MAX_CUTS = 64
SWEEP = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)  # x calibrated, where there is no tree to look at
WIDE_SWEEP = (0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25, 1.45, 1.7, 2.0)
SILHOUETTE_ROWS = 20_000  # rows whose silhouette is taken at each cut of a sweep


def candidate_cuts(tree: Tree, low: float, high: float, max_cuts: int = MAX_CUTS) -> list[float]:
    """Return at most ``max_cuts`` ascending thresholds in [low, high], each midway between two merge heights; at least
    one.
    """
    heights = np.unique(np.concatenate([[low], tree.heights[(tree.heights > low) & (tree.heights < high)], [high]]))
    middle = (heights[1:] + heights[:-1]) / 2
    if len(middle) > max_cuts:
        middle = middle[np.linspace(0, len(middle) - 1, max_cuts).round().astype(int)]
    return [float(t) for t in middle]


def adaptive_cut(tree: Tree, distance: Distances, calibrated: float) -> float:
    """Return the cut near the calibrated one with the best silhouette, single rows judged as above."""
    cuts = candidate_cuts(tree, LOW * calibrated, min(HIGH * calibrated, 2.0))
    return _best_cut(tree, distance, cuts, SINGLETON_DISTANCE * calibrated)


def silhouette_cut(tree: Tree, distance: Distances) -> float:
    """Return the cut with the best silhouette by the usual convention, over the whole tree."""
    return _best_cut(tree, distance, candidate_cuts(tree, 0.0, 2.0), None)


def _best_cut(tree: Tree, distance: Distances, cuts: Sequence[float], singleton_distance: float | None) -> float:
    scores = [
        float(silhouette_from_distances(distance, tree.cut(t), singleton_distance=singleton_distance).mean())
        for t in cuts
    ]
    return cuts[int(np.argmax(scores))]


def merge_adaptively(
    X: Vectors, calibrated: float, *, start: Labels | None = None, cannot_link: Pairs | None = None
) -> tuple[Labels, float]:
    """Average linkage at the adaptive cut without a tree, by the simplified silhouette at the cuts of ``SWEEP``:
    labels and cut.

    Other arguments as in :func:`packed_scenes.cluster.reciprocal.reciprocal_merge`.
    """
    return _best_merge(
        X, [f * calibrated for f in SWEEP], SINGLETON_DISTANCE * calibrated, _continued(X, start, cannot_link)
    )


def merge_by_silhouette(
    X: Vectors, calibrated: float, *, start: Labels | None = None, cannot_link: Pairs | None = None
) -> tuple[Labels, float]:
    """The same by the usual convention at the cuts of ``WIDE_SWEEP``."""
    return _best_merge(X, [f * calibrated for f in WIDE_SWEEP], None, _continued(X, start, cannot_link))


def _best_merge(
    X: Vectors, cuts: Sequence[float], singleton_distance: float | None, merge: Callable[[float, Labels | None], Labels]
) -> tuple[Labels, float]:
    best, chosen = -np.inf, min(cuts[0], 2.0)
    result = labels = merge(chosen, None)
    for cut in cuts:
        threshold = min(cut, 2.0)
        labels = merge(threshold, labels)
        value = simplified_silhouette(X, labels, singleton_distance=singleton_distance, max_rows=SILHOUETTE_ROWS)
        if value > best:
            best, chosen, result = value, threshold, labels
    return result, chosen


def _continued(X: Vectors, start: Labels | None, cannot_link: Pairs | None) -> Callable[[float, Labels | None], Labels]:
    """Return a function that merges on from an earlier result; forbidden pairs follow the renaming."""

    def merge(threshold: float, so_far: Labels | None) -> Labels:
        if so_far is None:
            return reciprocal_merge(X, threshold, start=start, cannot_link=cannot_link)
        if cannot_link is None or start is None:
            return reciprocal_merge(X, threshold, start=so_far)
        first = np.unique(start, return_index=True)[1]
        return reciprocal_merge(X, threshold, start=so_far, cannot_link=so_far[first[cannot_link]])

    return merge
