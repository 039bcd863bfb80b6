"""From probabilities of pairs to identities: the pruning of a tree with the highest expected BCubed F.

Average linkage of the probabilities gives a tree; every set of its nodes that covers each leaf once is a clustering.
With p(i, j) the probability that i and j are one identity, p(i, i) = 1, and r(i) = sum_j p(i, j) the size of i's
identity to be expected, a cluster C adds

    S(C) = sum over i, j in C of p(i, j) / |C|    to N x the expected BCubed precision,
    T(C) = sum over i, j in C of p(i, j) / r(i)   to N x the expected recall.

Both are sums over clusters, so for any weights the best pruning of precision and recall together follows from the
leaves up in O(N), each branch by itself: there is no cut at one height, and no threshold. The F is the best one over
``WEIGHTS``; what lies between two weights is then looked for by single merges and splits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

WEIGHTS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)  # of precision against recall

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def prune(
    merges: Ints, heights: Floats, precise: Floats, recalled: Floats, forbidden: float, forced: float
) -> tuple[list[int], float]:
    """Return the nodes of the best pruning, and its expected F.

    Args:
        merges: (M, 2) the two nodes that node N + m joins, children before parents. heights: (M,).
        precise, recalled: (N + M,) S and T of every node.
    """
    count = len(precise) - len(merges)
    best: tuple[list[int], float] = [], -1.0
    roots = np.setdiff1d(np.arange(len(precise)), merges.ravel()).tolist()
    pairs = merges.tolist()
    never, always = (heights > forbidden).tolist(), (heights <= forced).tolist()
    for weight in WEIGHTS:
        alone = (weight * precise + (1 - weight) * recalled).tolist()
        gain = list(alone)
        whole = [True] * len(gain)
        for number, (one, two) in enumerate(pairs):
            node = count + number
            apart = gain[one] + gain[two]
            if not always[number] and (never[number] or apart > alone[node]):
                gain[node], whole[node] = apart, False
        nodes, stack = [], list(roots)
        while stack:
            node = stack.pop()
            if whole[node]:
                nodes.append(node)
            else:
                stack.extend(pairs[node - count])
        value = float(_f(precise[nodes].sum(), recalled[nodes].sum(), count))
        if value > best[1]:
            best = nodes, value
    if not len(merges):
        return best
    return _improved(best[0], merges, precise, recalled, (heights <= forbidden), (heights > forced))


def _improved(
    nodes: list[int], merges: Ints, precise: Floats, recalled: Floats, may_join: Mask, may_split: Mask
) -> tuple[list[int], float]:
    """Split one node, or join two, as long as that raises F."""
    count = len(precise) - len(merges)
    chosen = np.zeros(len(precise), bool)
    chosen[nodes] = True
    more = np.stack([value[count:] - value[merges].sum(axis=1) for value in (precise, recalled)])  # of joining
    while True:
        total = precise[chosen].sum(), recalled[chosen].sum()
        now = float(_f(*total, count))
        joined = np.where(chosen[merges].all(axis=1) & may_join, _f(total[0] + more[0], total[1] + more[1], count), 0)
        split = np.where(chosen[count:] & may_split, _f(total[0] - more[0], total[1] - more[1], count), 0)
        step = joined if joined.max() >= split.max() else split
        at = int(np.argmax(step))
        if step[at] <= now * (1 + 1e-12):
            return np.flatnonzero(chosen).tolist(), now
        chosen[count + at] = not chosen[count + at]
        chosen[merges[at]] = ~chosen[merges[at]]


def _f(precise: Any, recalled: Any, count: int) -> Any:
    return 2 * precise * recalled / (precise + recalled) / count
