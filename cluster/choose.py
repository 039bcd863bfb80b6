"""Rules that choose where to cut a tree by looking at the data alone."""

from __future__ import annotations

import numpy as np

from cluster.dense import Distances, Tree
from cluster.internal import silhouette_from_distances

MAX_CUTS = 64


def candidate_cuts(tree: Tree, limit: int = MAX_CUTS) -> list[float]:
    """Return at most ``limit`` thresholds that lie midway between distinct merge heights, ascending."""
    heights = np.unique(tree.heights[tree.heights <= 2])
    middle = (heights[1:] + heights[:-1]) / 2
    if len(middle) > limit:
        middle = middle[np.linspace(0, len(middle) - 1, limit).round().astype(int)]
    return [float(t) for t in middle]


def best_silhouette_cut(tree: Tree, distance: Distances) -> float:
    """Return the cut with the highest mean silhouette (singletons count 0); 0 where no cut makes 2 … N - 1 clusters."""
    best, chosen = -np.inf, 0.0
    for threshold in candidate_cuts(tree):
        labels = tree.cut(threshold)
        if 1 < labels.max() + 1 < len(labels):
            value = float(silhouette_from_distances(distance, labels).mean())
            if value > best:
                best, chosen = value, threshold
    return chosen
