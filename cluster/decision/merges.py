"""What average linkage of the distances themselves says about each pair: at which merge the two meet, and how.

Two members of one tight group that hardly resemble each other meet low in the tree, two look-alikes of different groups
meet high: each merge has seen all members of both sides, the distance of a pair has seen two. Where the embedder is
calibrated the places of the boxes enter as well (:mod:`packed_scenes.cluster.spatial`), and so does the belief about
the best cut near its threshold: every cut from ``LOW`` to ``HIGH`` times that counts by its silhouette, so that a
change of a few vectors moves the belief a little and never jumps from one cut to another.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.choose import HIGH, LOW, SINGLETON_DISTANCE, candidate_cuts
from packed_scenes.cluster.decision.lists import DENSE, Floats, Ints
from packed_scenes.cluster.dense import Distances, Tree, average_tree, cosine_distances
from packed_scenes.cluster.internal import silhouette_from_distances
from packed_scenes.cluster.spatial import spatial_distances

COUNT = 7  # figures per pair
FLOOR = 0.02  # added before a logarithm, as in :mod:`features`
CUTS = 16  # cuts that are judged
SOFT = 0.03  # difference of silhouettes at which a cut counts 1 / e of another one
SURE = 0.02  # belief below this, or as near to 1, says nothing more


def of_pairs(
    X: Vectors,
    index: Ints,
    *,
    typical: float,
    xyxy: npt.NDArray[np.float64] | None = None,
    scene: Ints | None = None,
    unit: float | None = None,
) -> Floats | None:
    """Return the (N, k, ``COUNT``) float32 figures of the pairs of the lists, the last of which says that there is a
    tree; None for more than ``DENSE`` rows.

    Args:
        X: (N, D) float32 unit rows, N >= 2. index: (N, k) lists.
        typical: logarithm of the usual distance of the nearest.
        xyxy: (N, 4) boxes in pixels of their scenes. scene: (N,) scene numbers.
        unit: the embedder's own threshold.

    Memory: four (N, N) float64, 130 MiB at most.
    """
    if len(X) > DENSE:
        return None
    distance = cosine_distances(X)
    if xyxy is not None and unit is not None:
        distance = spatial_distances(distance, xyxy, scene, reach=unit)
    tree = average_tree(distance)
    merge = _meeting(tree, index)
    height = np.log(tree.heights + FLOOR)
    above, below = _around(tree, height)
    size = tree.merges[:, 3]
    own = np.log(np.take_along_axis(distance, index, axis=1) + FLOOR)
    believed = belief(tree, distance, unit)[merge] if unit is not None else np.full(index.shape, 0.5)
    figures = (
        height[merge] - typical,
        height[merge] - own,
        above[merge],
        below[merge],
        np.log(size)[merge],
        np.log(believed / (1 - believed)),
        np.ones(index.shape),
    )
    return np.stack(figures, axis=-1, dtype=np.float32, casting="same_kind")


def _meeting(tree: Tree, index: Ints) -> Ints:
    """(N, k) number of the merge at which the two of each pair come together."""
    from scipy.cluster.hierarchy import cophenet
    from scipy.spatial.distance import squareform

    numbered = tree.merges.copy()
    numbered[:, 2] = np.arange(1, tree.count)
    return np.take_along_axis(squareform(cophenet(numbered)), index, axis=1).astype(np.int64) - 1


def _around(tree: Tree, height: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(N - 1,) how much higher each merge is merged on, and how much lower the higher of its own two parts is."""
    count = tree.count
    parts = tree.merges[:, :2].astype(np.int64)
    of_node = np.concatenate([np.full(count, np.log(FLOOR)), height])
    below = height - of_node[parts].max(axis=1)
    above = np.full(2 * count - 1, np.log(1 + FLOOR))
    above[parts] = height[:, None]
    return np.maximum(above[count:] - height, 0), below


def belief(tree: Tree, distance: Distances, unit: float, *, soft: float = SOFT) -> npt.NDArray[np.float64]:
    """Return (N - 1,) how likely the best cut near the threshold is above each merge of average linkage; a cut whose
    silhouette is lower by ``soft`` counts 1 / e.
    """
    low, high = LOW * unit, min(HIGH * unit, 2.0)
    cuts = np.array(candidate_cuts(tree, low, high, CUTS))
    alone = SINGLETON_DISTANCE * unit
    score = np.array([silhouette_from_distances(distance, tree.cut(t), singleton_distance=alone).mean() for t in cuts])
    edges = np.concatenate([[low], (cuts[1:] + cuts[:-1]) / 2, [high]])
    share = np.exp((score - score.max()) / soft) * np.diff(np.log(edges))
    below = np.concatenate([[0.0], np.cumsum(share / share.sum())])
    return np.asarray(np.clip(1 - np.interp(tree.heights, edges, below), SURE, 1 - SURE), np.float64)
