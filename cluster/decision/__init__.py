"""Which objects are one identity, decided from the set itself: pairs judged in context, a tree, its best pruning.

For a set of N vectors (and boxes, where there are any):

1. ``lists``, ``box_pairs``, ``features``: the pairs of each object's nearest, each with figures that compare it with
   the rest of the set; ``merges``: where average linkage of the distances joins them;
2. ``network``, ``judging``: the probability that a pair is one identity, by a network that sees the whole set;
3. ``graph``, ``pruning``, ``deciding``: average linkage of the probabilities, and the pruning of its tree with the
   highest expected BCubed F. Near the threshold of an embedder that is calibrated for what is seen, clusters near it
   stand (``branches``). Pieces of identities that are larger than the lists are joined by their means (``coarser``).
   What is known for certain (must-links, cannot-links, once per picture) enters all but the last.

How it was trained and what it reaches: README.md of
``cluster``.
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.cluster.decision.counting import Counted as Counted
    from packed_scenes.cluster.decision.counting import count as count
    from packed_scenes.cluster.decision.counting import decide_for as decide_for
    from packed_scenes.cluster.decision.deciding import Decision as Decision
    from packed_scenes.cluster.decision.deciding import Evidence as Evidence
    from packed_scenes.cluster.decision.judging import Judgement as Judgement
    from packed_scenes.cluster.decision.judging import judge as judge

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Counted": "counting",
        "Decision": "deciding",
        "Evidence": "deciding",
        "Judgement": "judging",
        "count": "counting",
        "decide_for": "counting",
        "judge": "judging",
    },
)
