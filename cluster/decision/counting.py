"""How many identities there are, by the same decision that writes the clusters, and between which limits.

The judge may be off on a set that it has not seen the like of: all its log-odds too high or too low by some amount. The
interval is the numbers of identities with all log-odds moved by ``SHIFT`` either way. Where the embedder is good the
odds are far from even and the number hardly moves; where it is lost the interval is wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from packed_scenes.cluster.decision.deciding import Decision, Evidence

SHIFT = 2.0  # log-odds to either side; not fitted: how often the interval holds is measured in the README of cluster
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
    less, more = evidence.decide(shift=SHIFT).count, evidence.decide(shift=-SHIFT).count
    return Counted(decision, min(less, decision.count), max(more, decision.count))


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
