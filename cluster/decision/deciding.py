"""Which objects are one identity: the tree of the judged pairs, pruned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Hints, Vectors
from packed_scenes.cluster.constraints import Constraints, close
from packed_scenes.cluster.decision.graph import decide_on_lists
from packed_scenes.cluster.decision.judging import Judgement, all_pairs, judge
from packed_scenes.cluster.decision.network import Weights
from packed_scenes.cluster.decision.pruning import best_pruning
from packed_scenes.cluster.dense import DENSE_LIMIT, average_tree
from packed_scenes.cluster.labels import Labels
from packed_scenes.cluster.light import remove_scene_shifts

LEAST = 1e-9  # height of a merge that is judged certain; must-links lie at 0

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
        boxes: let the judge see the boxes. light: take out what the light of each scene adds.
        weights: of the judge; default those that ship.

    Memory: up to ``DENSE_LIMIT`` rows six (N, N) float64 while it is decided; above, that of the lists: some 600 bytes
    per pair, 10 to 20 KiB per object.
    """

    def __init__(
        self,
        X: Vectors,
        hints: Hints,
        *,
        unit: float | None = None,
        boxes: bool = True,
        light: bool = True,
        weights: Weights | None = None,
    ) -> None:
        known = hints if boxes else replace(hints, xyxy=None)
        self.constraints = close(len(X), hints) if hints.constrained else None
        self.judgement: Judgement | None = None
        if len(X) > 1:
            self.judgement = judge(X, xyxy=known.xyxy, scene=known.scene, unit=unit, weights=weights)
            if light and hints.scene is not None and hints.scene.max() > 0:
                X = remove_scene_shifts(X, hints.scene, threshold=self.judgement.boundary())
                self.judgement = judge(X, xyxy=known.xyxy, scene=known.scene, unit=unit, weights=weights)
        self.X = X

    def decide(self, *, shift: float = 0.0) -> Decision:
        """Decide which objects are one identity.

        Args:
            shift: added to the log-odds of all pairs: above 0 more is joined, below 0 less.
        """
        found = self.judgement
        if found is None:
            return Decision(np.zeros(1, np.int64), np.ones(1), 1.0, 0.0)
        found = replace(found, odds=found.odds + np.float32(shift), trend=(found.trend[0] + shift, found.trend[1]))
        if len(self.X) <= DENSE_LIMIT:
            return from_pairs(all_pairs(self.X, found), found, self.constraints)
        return from_lists(self.X, found, self.constraints)


def from_lists(X: Vectors, found: Judgement, constraints: Constraints | None) -> Decision:
    """Decide by the pairs of the lists alone, any N."""
    labels, value = decide_on_lists(X, found, constraints)
    same = labels[found.lists.index] == labels[:, None]
    chance = found.probability.astype(np.float64)
    inside = np.where(same, chance, 0).sum(axis=1) / np.maximum(same.sum(axis=1), 1)
    alone = np.bincount(labels)[labels] == 1
    sure = np.where(alone, np.exp(np.log1p(-np.minimum(chance, 1 - 1e-12)).sum(axis=1)), inside)
    return Decision(labels, sure, value, found.boundary())


def from_pairs(probability: Floats, found: Judgement, constraints: Constraints | None) -> Decision:
    """Decide by (N, N) probabilities."""
    if constraints is not None:
        probability = told(probability, constraints)
    distance = np.maximum(1 - probability, LEAST)
    np.fill_diagonal(distance, 0)
    tree = average_tree(distance, constraints)
    labels, value = best_pruning(tree, probability, forbidden=1.0, forced=0.0)
    return Decision(labels, confidence(probability, labels), value, found.boundary())


def told(probability: Floats, constraints: Constraints) -> Floats:
    """Probabilities with 1 for what must be, and 0 for what cannot be, one identity."""
    out = probability.copy()
    group = constraints.group
    linked = np.flatnonzero(np.bincount(group)[group] > 1)
    block = np.ix_(linked, linked)
    out[block] = np.where(group[linked][:, None] == group[linked], 1.0, out[block])
    if len(constraints.apart):
        apart = np.zeros((int(group.max()) + 1,) * 2, bool)
        apart[constraints.apart[:, 0], constraints.apart[:, 1]] = True
        out[(apart | apart.T)[np.ix_(group, group)]] = 0
    return out


def confidence(probability: Floats, labels: Labels) -> Floats:
    """Return (N,) how sure each object's place is, see :class:`Decision`."""
    count = int(labels.max()) + 1
    member = np.zeros((len(labels), count))
    member[np.arange(len(labels)), labels] = 1
    sizes = member.sum(axis=0)
    sums = probability @ member
    rows = np.arange(len(labels))
    own = (sums[rows, labels] - 1) / np.maximum(sizes[labels] - 1, 1)
    means = np.clip(sums / sizes, 0, 1 - 1e-12)
    means[rows, labels] = 0
    return np.where(sizes[labels] > 1, own, np.exp(np.log1p(-means).sum(axis=1)))
