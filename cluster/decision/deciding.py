"""Which objects are one identity: the tree of the judged pairs, pruned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Hints, Vectors
from packed_scenes.cluster.constraints import close
from packed_scenes.cluster.decision.branches import prune_near
from packed_scenes.cluster.decision.coarser import join_pieces
from packed_scenes.cluster.decision.graph import FAINT, decide_on_lists
from packed_scenes.cluster.decision.judging import Judgement, all_pairs, judge
from packed_scenes.cluster.decision.network import Weights, load
from packed_scenes.cluster.dense import DENSE_LIMIT
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.near_threshold import cores_near, tree_near
from packed_scenes.cluster.scene_shift import remove_scene_shifts

# Where the embedder is calibrated, the judge expects of the clusters near its threshold at least .89 (shelves), .90
# (crops of goods), .75 (vehicles) of what it expects of its own; of people .61 and .71.
TRUST = 0.72

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """Identities of N objects.

    Attributes:
        labels: (N,) int64 names.
        probability: (N,) float64 how sure each object's place is. In company: the probability that another member of
            its cluster is the same identity. Alone: that no other object is.
        expected_f: BCubed F to be expected.
        boundary: the cosine distance that best tells the judged pairs apart.
    """

    labels: Labels
    probability: Floats
    expected_f: float
    boundary: float

    @property
    def count(self) -> int:
        """Number of identities."""
        return int(self.labels.max()) + 1


class Evidence:
    """What is known of N objects: the judged pairs, and what must or must not be.

    Args:
        X: (N, D) float32 unit rows, any N. hints: what else is known.
        unit: the embedder's own threshold, a cosine distance, if it has one.
        boxes: let the judge see the boxes. scene_shift: take out what the light of each scene adds.
        weights: of the judge; default those that ship.

    Memory: 9 KB an object, most of it the states of the pairs in the network; with a ``unit`` and up to
    ``DENSE_LIMIT`` rows that of :mod:`packed_scenes.cluster.near_threshold` and three (N, N) float64 as well.
    """

    def __init__(
        self,
        X: Vectors,
        hints: Hints,
        *,
        unit: float | None = None,
        boxes: bool = True,
        scene_shift: bool = True,
        weights: Weights | None = None,
    ) -> None:
        known = hints if boxes else replace(hints, xyxy=None)
        self.weights = weights = weights or load()
        self.constraints = close(len(X), hints) if hints.constrained else None
        self.judgement: Judgement | None = None
        if len(X) > 1:
            found = judge(X, xyxy=known.xyxy, scene=known.scene, unit=unit, weights=weights)
            if scene_shift and hints.scene is not None and hints.scene.max() > 0:
                # as cautious as the embedder's own threshold: a scene of one object would follow whatever is nearest
                boundary, near = found.boundary(), (found.lists.index, found.lists.distance)
                limit = boundary if unit is None else min(unit, boundary)
                X = remove_scene_shifts(X, hints.scene, threshold=limit, near=near)
                del found, near  # some hundred bytes an object, before the next is made
                found = judge(X, xyxy=known.xyxy, scene=known.scene, unit=unit, weights=weights)
            self.judgement = found
        self.X, self.hints, self.unit, self.boxes = X, hints, unit, boxes

    def decide(self, *, shift: float = 0.0) -> Decision:
        """Decide which objects are one identity.

        An embedder's own threshold holds where it was calibrated, and there it is hard to beat; elsewhere it is far
        off. So the clusters near it (:mod:`packed_scenes.cluster.decision.branches`) stand unless the judge expects an
        F that is lower by more than ``TRUST`` than that of its own.

        Args:
            shift: added to the log-odds of all pairs: above 0 more is joined, below 0 less, and the threshold of the
                embedder is not asked.
        """
        found = self.judgement
        if found is None:
            return Decision(np.zeros(1, np.int64), np.ones(1), 1.0, 0.0)
        if shift:
            found = replace(found, odds=found.odds + np.float32(shift), trend=(found.trend[0] + shift, found.trend[1]))
        labels, value = decide_on_lists(self.X, found, self.constraints)
        if not shift and self.constraints is None:
            labels, value = join_pieces(self.X, labels, value, self.weights)
        decision = Decision(labels, confidence(found, labels), min(value, 1.0), found.boundary())
        if shift or self.unit is None or len(self.X) > DENSE_LIMIT:
            return decision
        probability = all_pairs(self.X, found)
        probability[probability < FAINT] = 0
        labels, threshold = self._near(probability, self.unit)
        both = [expected_f(probability, names) for names in (labels, decision.labels)]
        if both[0] < TRUST * both[1]:
            return decision
        return Decision(labels, confidence(found, labels), both[0], threshold)

    def _near(self, probability: Floats, unit: float) -> tuple[Labels, float]:
        """The clusters near the embedder's threshold, and the height that separates them."""
        tree, distance = tree_near(self.X, self.hints, unit, spatial=self.boxes)
        return cores_near(self.X, self.hints, unit, tree) or prune_near(tree, distance, probability, unit)


def confidence(found: Judgement, labels: Labels) -> Floats:
    """Return (N,) how sure each object's place is, see :class:`Decision`, by the pairs of the lists."""
    same = labels[found.lists.index] == labels[:, None]
    chance = found.probability.astype(np.float64)
    inside = np.where(same, chance, 0).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
    alone = np.bincount(labels)[labels] == 1
    return np.asarray(np.where(alone, np.exp(np.log1p(-np.minimum(chance, 1 - 1e-12)).sum(axis=1)), inside))


def expected_f(probability: Floats, labels: Labels) -> float:
    """The BCubed F to be expected of any clusters, by the (N, N) probabilities of all pairs, 1 on the diagonal."""
    inside = np.where(labels[:, None] == labels, probability, 0).sum(axis=1)
    precision = float((inside / np.bincount(labels)[labels]).mean())
    recall = float((inside / probability.sum(axis=1)).mean())
    return 2 * precision * recall / (precision + recall)
