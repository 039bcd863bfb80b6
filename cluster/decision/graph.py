"""The tree of the judged pairs without an N x N matrix, for more objects than :mod:`cluster.dense` can hold.

Clusters that share a judged pair are neighbours. How alike two are is the mean probability over all pairs of their
members: those on the lists as judged, the others by the trend of the log-odds against the mean cosine distance of the
two clusters (a dot product of mean vectors). All reciprocal nearest neighbours merge at once, round by round, down to
``MIN_PROBABILITY``; what must be one identity is one leaf from the start. Memory: some 100 bytes per pair of the lists.
Time: a few sorts of the pairs per round, some 40 rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.constraints import Constraints
from packed_scenes.cluster.decision.judging import Judgement
from packed_scenes.cluster.decision.pruning import Floats, Ints, prune
from packed_scenes.cluster.labels import Labels, cluster_sums

MIN_PROBABILITY = 0.05  # mean probability below which no two clusters merge
FAINT = 0.01  # probability below which a pair is left out
NEVER = -1e12  # of a pair that must not be linked: its mean over any number of pairs is far below 0
ALIKE = 0.5  # clusters that merge at this are taken for one when the size of an identity is estimated
BLOCK = 2**19  # pairs whose mean vectors are looked up at a time


@dataclass
class _Pairs:
    """Neighbouring clusters ``one`` < ``two``: sum of the judged probabilities, how many, and the mean of all pairs."""

    one: Ints
    two: Ints
    total: Floats
    known: Floats
    mean: Floats


def decide_on_lists(X: Vectors, found: Judgement, constraints: Constraints | None) -> tuple[Labels, float]:
    """Return the (N,) names of the best clusters and their expected BCubed F.

    It is above 1 where identities are larger than the lists, as their sizes are expected too small.
    """
    group = np.arange(len(X)) if constraints is None else constraints.group
    tree = _Tree(X, found, group, constraints)
    leaf_size = tree.sizes.copy()
    tree.grow()
    merges, likeness, across = tree.result()
    count = len(leaf_size)
    size, inside = np.zeros((2, count + len(merges)))
    size[:count], inside[:count] = leaf_size, leaf_size**2
    expected = 1 + _listed(found)
    for number, (one, two) in enumerate(merges.tolist()):
        node = count + number
        size[node] = size[one] + size[two]
        inside[node] = inside[one] + inside[two] + 2 * across[number]
    # The lists of a large identity do not hold all its pairs: what merges easily estimates its size.
    mates = np.zeros(count + len(merges))
    for number in range(len(merges) - 1, -1, -1):
        node = count + number
        own = max(mates[node], inside[node] / size[node]) if likeness[number] >= ALIKE else mates[node]
        mates[merges[number]] = own
    share = 1 / np.maximum(expected, np.maximum(mates[:count], leaf_size)[group])
    shares, recalled = np.zeros((2, count + len(merges)))
    shares[:count] = np.bincount(group, share)
    recalled[:count] = leaf_size * shares[:count]
    for number, (one, two) in enumerate(merges.tolist()):
        node = count + number
        shares[node] = shares[one] + shares[two]
        recalled[node] = recalled[one] + recalled[two]
        recalled[node] += across[number] * (shares[one] / size[one] + shares[two] / size[two])
    chosen, value = prune(merges, inside / size, recalled, len(X))
    return _names(count, merges, chosen)[group], value


def _listed(found: Judgement) -> Floats:
    return np.asarray(found.probability.astype(np.float64).sum(axis=1))


def _names(count: int, merges: Ints, chosen: list[int]) -> Labels:
    name = np.full(count + len(merges), -1, np.int64)
    name[chosen] = np.arange(len(chosen))
    for number in range(len(merges) - 1, -1, -1):
        if name[count + number] >= 0:
            name[merges[number]] = name[count + number]
    return name[:count]


class _Tree:
    def __init__(self, X: Vectors, found: Judgement, group: Ints, constraints: Constraints | None) -> None:
        self.trend = found.trend
        sums, sizes = (X, np.ones(len(X))) if constraints is None else cluster_sums(X, group)
        self.sums, self.sizes = sums.astype(np.float32), sizes.astype(np.float64)
        self.nodes = np.arange(len(sizes))  # of the living clusters, by their place in ``sums``
        self.merges: list[Ints] = []
        self.likeness: list[Floats] = []
        self.across: list[Floats] = []
        self.made = len(sizes)
        self.pairs = self._first(found, group, constraints)

    def _first(self, found: Judgement, group: Ints, constraints: Constraints | None) -> _Pairs:
        count = len(group)
        chance, other = found.probability.ravel(), found.lists.index.ravel()
        keep = np.flatnonzero(chance >= np.float64(FAINT))
        one, two, total = keep // found.lists.length, other[keep], chance[keep].astype(np.float64)
        del chance, keep  # of the many pairs of a large set, no more than needed is held at once
        key = np.minimum(one, two) * count + np.maximum(one, two)
        del one, two
        key, inverse, times = np.unique(key, return_inverse=True, return_counts=True)
        total = np.bincount(inverse, total) / times
        del inverse, times
        if constraints is None:  # every object is a group
            return self._with_means(key, total, np.ones(len(total)))
        one, two = (group[rows] for rows in np.divmod(key, count))
        apart = one != two
        one, two, total = one[apart], two[apart], total[apart]
        never = constraints.cannot_link
        one, two = np.concatenate([one, never[:, 0]]), np.concatenate([two, never[:, 1]])
        total = np.concatenate([total, np.full(len(never), NEVER)])
        return self._joined(one, two, total, np.ones(len(total)))

    def _joined(self, one: Ints, two: Ints, total: Floats, known: Floats) -> _Pairs:
        """Pairs of clusters, each once, with their means."""
        key, inverse = np.unique(np.minimum(one, two) * len(self.sizes) + np.maximum(one, two), return_inverse=True)
        total = np.asarray(np.bincount(inverse, total, len(key)), np.float64)
        known = np.asarray(np.bincount(inverse, known, len(key)), np.float64)
        del inverse
        return self._with_means(key, total, known)

    def _with_means(self, key: Ints, total: Floats, known: Floats) -> _Pairs:
        """Pairs of clusters, each once, their names as ``one`` x number of clusters + ``two``."""
        low, high = np.divmod(key, len(self.sizes))
        every = self.sizes[low] * self.sizes[high]
        lacking = np.flatnonzero((known < every) & (total >= 0))
        mean = total.copy()
        for start in range(0, len(lacking), BLOCK):
            at = lacking[start : start + BLOCK]
            alike = np.einsum("pd,pd->p", self.sums[low[at]], self.sums[high[at]]) / every[at]
            odds = self.trend[0] + self.trend[1] * (1 - alike)
            mean[at] += (every[at] - known[at]) / (1 + np.exp(-np.clip(odds, -30, 30)))
        return _Pairs(low, high, total, known, mean / every)

    def grow(self) -> None:
        """Merge until nothing is alike enough."""
        while True:
            chosen = self._reciprocal()
            if not len(chosen):
                return
            self._merge(chosen)

    def _reciprocal(self) -> Ints:
        """Numbers of the pairs that are the most alike to both of their clusters; of equal ones the last one counts."""
        alike = np.flatnonzero(self.pairs.mean >= MIN_PROBABILITY)
        one, two, mean = self.pairs.one[alike], self.pairs.two[alike], self.pairs.mean[alike]
        most, last = np.full(len(self.sizes), -np.inf), np.full(len(self.sizes), -1, np.int64)
        for end in (one, two):
            np.maximum.at(most, end, mean)
        for end in (one, two):
            at = np.flatnonzero(mean == most[end])
            np.maximum.at(last, end[at], at)
        number = np.arange(len(alike))
        return np.asarray(alike[(last[one] == number) & (last[two] == number)], np.int64)

    def _merge(self, chosen: Ints) -> None:
        pairs = self.pairs
        one, two, mean = pairs.one[chosen], pairs.two[chosen], pairs.mean[chosen]
        every = self.sizes[one] * self.sizes[two]
        self.merges.append(np.stack([self.nodes[one], self.nodes[two]], axis=1))
        self.likeness.append(mean)
        self.across.append(np.minimum(mean, 1) * every)
        self.sums[one] += self.sums[two]
        self.sizes[one] += self.sizes[two]
        self.nodes[one] = self.made + np.arange(len(chosen))
        self.made += len(chosen)
        into = np.arange(len(self.sizes))
        into[two] = one
        left, right = into[pairs.one], into[pairs.two]
        changed = np.zeros(len(self.sizes), bool)
        changed[one] = True
        apart = left != right
        again = apart & (changed[left] | changed[right])
        same = apart & ~again
        fresh = self._joined(left[again], right[again], pairs.total[again], pairs.known[again])
        parts = (
            (getattr(pairs, name)[same], getattr(fresh, name)) for name in ("one", "two", "total", "known", "mean")
        )
        self.pairs = _Pairs(*(np.concatenate(part) for part in parts))

    def result(self) -> tuple[Ints, Floats, Floats]:
        """(M, 2) merged nodes, children before parents; (M,) mean probability; (M,) sum of probabilities across."""
        if not self.merges:
            return np.zeros((0, 2), np.int64), np.zeros(0), np.zeros(0)
        return np.concatenate(self.merges), np.concatenate(self.likeness), np.concatenate(self.across)
