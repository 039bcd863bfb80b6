"""How many identities there are, by the same decision that writes the clusters, and between which limits.

The number is that of the clusters. How far off it may be is read off the decision itself: the numbers of identities
with all log-odds moved by ``SHIFT`` either way (the judge may be off on a set that it has not seen the like of), the
number that the probabilities of the pairs expect, and how many objects an identity has. Two linear quantile regressions
of log(true number / number of clusters) on these, with ``LEVEL`` of the sets between them, were fitted to simulated
sets that trained nothing (``packed_scenes.decision_training.limits``); their weights are part of those of the judge.
Where the embedder is good the interval is narrow; where it is lost it is wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from packed_scenes.cluster.decision.deciding import Decision, Evidence
from packed_scenes.cluster.decision.pruning import Floats

SHIFT = 2.0  # log-odds to either side
LEVEL = 0.9  # share of the sets whose true number lies in the interval
LIMITS = ("count.low", "count.high")  # names of the regressions among the weights
LOST = 0.6  # BCubed F to be expected below which the vectors do not tell the objects apart
STEPS = 24  # halvings when a count is looked for
FARTHEST = 12.0  # log-odds


@dataclass(frozen=True)
class Counted:
    """A count with its limits, and the decision that it is the number of clusters of."""

    decision: Decision
    low: int
    high: int

    @property
    def count(self) -> int:
        """Number of identities: that of the clusters."""
        return self.decision.count

    @property
    def lost(self) -> bool:
        """Whether the vectors hardly tell the objects apart."""
        return self.decision.expected_f < LOST


def count(evidence: Evidence) -> Counted:
    """Count the identities."""
    decision = evidence.decide()
    if evidence.judgement is None:
        return Counted(decision, 1, 1)
    about = figures(evidence, decision)
    low, high = (float(evidence.weights[name] @ about) for name in LIMITS)
    number = decision.count
    return Counted(
        decision,
        max(1, round(number * np.exp(min(low, 0.0)))),
        min(len(evidence.X), round(number * np.exp(max(high, 0.0)))),
    )


def figures(evidence: Evidence, decision: Decision) -> Floats:
    """Return the (5,) figures that the limits of a decision about two objects or more follow from: 1; logarithms of
    fewer, of more and of the expected number of identities, and of the number of objects, by the number of clusters.
    """
    assert evidence.judgement is not None
    number = decision.count
    mates = evidence.judgement.probability.sum(axis=1, dtype=np.float64)
    fewer = min(evidence.decide(shift=SHIFT).count, number)
    more = max(evidence.decide(shift=-SHIFT).count, number)
    expected = min(float((1 / (1 + mates)).sum()), number)
    return np.concatenate([[1.0], np.log(np.array([fewer, more, expected, len(mates)]) / number)])


def decide_for(evidence: Evidence, number: float) -> Decision:
    """The decision whose number of identities is nearest to one that is known otherwise: all log-odds are moved by what
    it takes.
    """
    low, high = -FARTHEST, FARTHEST
    best = evidence.decide()
    for _ in range(STEPS):
        if best.count == round(number):
            break
        middle = (low + high) / 2
        found = evidence.decide(shift=middle)
        if abs(found.count - number) < abs(best.count - number):
            best = found
        if found.count > number:
            low = middle
        else:
            high = middle
    return best
