"""The rule that names a winner among models of several spaces, and says why.

1. Out of the running: fewer than two clusters, more than one cluster for five rows, a largest cluster of more than
   nine tenths (two clusters, one of them a handful of odd rows, have the best silhouette of all and say nothing),
   more than half noise.
2. Quality is the silhouette above that of structureless rows in the same space
   (:mod:`packed_scenes.cluster.search.null_reference`), with every noise row counted as 0: leaving rows out cannot win.
   Where rows were sampled it is the root-mean-square form, which sees clusters that have no row in the sample.
3. The best few, at most three of a space and none that another equals, are fitted again on two overlapping parts of
   the rows. The score is quality times stability.

Calinski-Harabasz and Davies-Bouldin have no voice: with tiny clusters one finds a tenth of them and the other calls
every row its own (:mod:`packed_scenes.cluster.internal`). The reference takes out what few dimensions do to
silhouettes; that two descriptors may answer two different questions no score can take out, and a report must say so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_CLUSTERS_PER_ROW = 0.2  # clusters per row
MAX_CLUSTER_SHARE = 0.9
NOISE = 0.5
FINALISTS, PER_SPACE = 12, 3


@dataclass(frozen=True)
class Candidate:
    """What the rule is given.

    Attributes:
        key: of the model in its space.
        space: name of the space.
        rows: number of rows that were clustered.
        clusters: number of clusters.
        noise: share of noise.
        largest: share of the clustered rows in the largest cluster.
        silhouette: the form that the rule reads; NaN = undefined.
        reference: what it is where there is nothing to find.
    """

    key: str
    space: str
    rows: int
    clusters: int
    noise: float
    largest: float
    silhouette: float
    reference: float = 0.0

    @property
    def fault(self) -> str:
        """Why it is out of the running; empty if it is in."""
        if self.clusters < 2:
            return "fewer than two clusters"
        if self.clusters > max(2, MAX_CLUSTERS_PER_ROW * self.rows):
            return f"{self.clusters} clusters for {self.rows} rows"
        if self.largest > MAX_CLUSTER_SHARE:
            return f"one cluster holds {self.largest:.0%}"
        if self.noise > NOISE:
            return f"{self.noise:.0%} noise"
        return "no silhouette" if math.isnan(self.silhouette) else ""

    @property
    def quality(self) -> float:
        """Silhouette above the reference, noise rows counted as 0; 1 = perfect, 0 = as if there were nothing."""
        return (1 - self.noise) * (self.silhouette - self.reference) / max(1 - self.reference, 1e-9)


@dataclass(frozen=True)
class Choice:
    """A finalist.

    Attributes:
        candidate: the model.
        stability: ARI between two fits on parts of the rows.
    """

    candidate: Candidate
    stability: float

    @property
    def score(self) -> float:
        """Quality times stability; what the order is by."""
        return self.candidate.quality * max(self.stability, 0.0)


def finalists(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the best by quality, best first; those with a fault are left out.

    Of models with one result, such as HDBSCAN for neighbouring sizes, the first stands for all.
    """
    kept: list[Candidate] = []
    seen: set[tuple[object, ...]] = set()
    for one in sorted((c for c in candidates if not c.fault), key=lambda c: (-c.quality, c.key)):
        result = (one.space, one.clusters, one.noise, one.largest, one.silhouette)
        if sum(c.space == one.space for c in kept) < PER_SPACE and result not in seen:
            kept.append(one)
            seen.add(result)
        if len(kept) == FINALISTS:
            break
    return kept


def choose(finals: Iterable[Candidate], stability: Mapping[str, float]) -> list[Choice]:
    """Order the finalists by score, best first; ``stability`` is by key."""
    found = [Choice(one, stability[one.key]) for one in finals]
    return sorted(found, key=lambda c: (-c.score, -c.candidate.quality, c.candidate.key))
