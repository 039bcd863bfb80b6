"""Clusters near the threshold of a calibrated embedder, each branch of the tree decided by itself.

One cut for a whole scene jumps: two cuts with nearly the same silhouette may have many merges between them, and a shift
of three pixels turns one into the other. Here every merge of average linkage is made or not for itself, so that a small
change of the vectors changes only merges that were in doubt. A merge that joins n objects at height h is made if

    G(joined) + n (``PULL`` log(unit / h) + ``BELIEF`` (2 b - 1)) >= G(best pruning of its two parts),

where G(C) sums, over the members of C, the silhouette of each (against the nearest side branch on the way to the root;
an object alone has its copy ``SINGLETON_DISTANCE`` x unit away) and ``JUDGED`` times its share of the precision and
recall that the judge expects of C (:mod:`packed_scenes.cluster.decision.pruning`), and b is the belief that the best
single cut lies above h (:mod:`packed_scenes.cluster.decision.merges`). All is additive over
clusters, so the best pruning follows from the leaves up. Compare FOSC (Campello et al. 2013): the best local cuts of a
tree by an additive quality.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.decision.merges import belief
from packed_scenes.cluster.dense import Distances, Tree
from packed_scenes.cluster.labels import Labels

LOW, HIGH = 0.3, 2.5  # x unit: merges up to here are always made, above never
SINGLETON_DISTANCE = 0.7  # x unit: how far off the copy of an object alone would be
PULL = 0.4  # of the threshold, for a merge e times as high or low, per object; a silhouette is in [-1, 1]
BELIEF, SOFT = 0.1, 0.06  # of the scene's own best cut, per object; difference of silhouettes that counts 1 / e
JUDGED = 0.75  # of the judge
PRECISION = 0.6  # weight of the expected precision against the recall

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def prune_near(tree: Tree, distance: Distances, probability: Floats, unit: float) -> tuple[Labels, float]:
    """Return (N,) names and the height that best tells the merges that are made from the others.

    Args:
        tree: average linkage of the distances, N >= 2. distance: (N, N).
        probability: (N, N) that two objects are one identity, 1 on the diagonal, symmetric.
        unit: the embedder's threshold, a cosine distance.

    Time and memory: O(N²); the copies are two (N, N) float64.
    """
    count, parts, height = tree.count, tree.merges[:, :2].astype(np.int64), tree.heights
    gain = gains(tree, distance, probability, SINGLETON_DISTANCE * unit)
    pull = PULL * np.log(unit / np.maximum(height, 1e-9)) + BELIEF * (2 * belief(tree, distance, unit, soft=SOFT) - 1)
    pull *= tree.merges[:, 3]
    always, never = height <= LOW * unit, height > min(HIGH * unit, 2.0)
    made = np.ones(2 * count - 1, bool)
    for number, (one, two) in enumerate(parts.tolist()):
        node, apart = count + number, gain[one] + gain[two]
        if not always[number] and (never[number] or apart > gain[node] + pull[number]):
            made[node], gain[node] = False, apart
    name = np.where(made, np.arange(2 * count - 1), -1)
    for number in range(count - 2, -1, -1):
        if made[count + number]:
            name[parts[number]], made[parts[number]] = name[count + number], True
    labels = np.unique(name[:count], return_inverse=True)[1].astype(np.int64)
    return labels, _between(height, made[count:])


def gains(tree: Tree, distance: Distances, probability: Floats, singleton_distance: float) -> Floats:
    """(2 N - 1,) G of every node: from the root down, sums over what a node's members have in their node."""
    count, parts = tree.count, tree.merges[:, :2].astype(np.int64)
    size = np.concatenate([np.ones(count, np.int64), tree.merges[:, 3].astype(np.int64)])
    start = np.zeros(2 * count - 1, np.int64)
    for number in range(count - 2, -1, -1):
        one, two = parts[number]
        start[one], start[two] = start[count + number], start[count + number] + size[one]
    order = np.argsort(start[:count])
    distance, probability = distance[np.ix_(order, order)], probability[np.ix_(order, order)]
    away, mates = distance.sum(axis=1), probability.sum(axis=1)
    share, beside = 1 / mates, np.full(count, np.inf)
    gain = np.zeros(2 * count - 1)
    for node in range(2 * count - 2, -1, -1):
        rows, number = slice(start[node], start[node] + size[node]), size[node]
        if node < 2 * count - 2:  # the root has nothing beside it: silhouette 0
            own = away[rows] / (number - 1) if number > 1 else singleton_distance
            gain[node] = ((beside[rows] - own) / np.maximum(np.maximum(beside[rows], own), 1e-9)).sum()
        precise, recalled = mates[rows].sum() / number, mates[rows] @ share[rows]
        gain[node] += JUDGED * (PRECISION * precise + (1 - PRECISION) * recalled)
        if node < count:
            continue
        one, two = parts[node - count]
        left, right = (slice(start[part], start[part] + size[part]) for part in (one, two))
        between, likely = distance[left, right], probability[left, right]
        for own_rows, axis, others in ((left, 1, size[two]), (right, 0, size[one])):
            far = between.sum(axis=axis)
            away[own_rows] -= far
            mates[own_rows] -= likely.sum(axis=axis)
            np.minimum(beside[own_rows], far / others, out=beside[own_rows])
    return gain


def _between(height: Floats, made: npt.NDArray[np.bool_]) -> float:
    """The height up to which calling merges made is right the most often."""
    value = np.cumsum(np.where(made, 1, -1))
    best = int(np.argmax(value))
    if value[best] <= 0:
        return float(height[0]) / 2
    return float(height[best] + height[min(best + 1, len(height) - 1)]) / 2
