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


def prune(merges: Ints, precise: Floats, recalled: Floats, objects: int) -> tuple[list[int], float]:
    """Return the nodes of the best pruning, and its expected F.

    Args:
        merges: (M, 2) the two nodes that node L + m joins, of L leaves, children before parents.
        precise, recalled: (L + M,) S and T of every node.
        objects: N, of which a leaf may hold several.
    """
    leaves = len(precise) - len(merges)
    best: tuple[list[int], float] = [], -1.0
    roots = np.setdiff1d(np.arange(len(precise)), merges.ravel()).tolist()
    pairs = merges.tolist()
    for weight in WEIGHTS:
        gain = (weight * precise + (1 - weight) * recalled).tolist()
        whole = [True] * len(gain)
        for node, (one, two) in enumerate(pairs, leaves):
            apart = gain[one] + gain[two]
            if apart > gain[node]:
                gain[node], whole[node] = apart, False
        nodes, stack = [], list(roots)
        while stack:
            node = stack.pop()
            if whole[node]:
                nodes.append(node)
            else:
                stack.extend(pairs[node - leaves])
        value = float(_f(precise[nodes].sum(), recalled[nodes].sum(), objects))
        if value > best[1]:
            best = nodes, value
    return _improved(best[0], merges, precise, recalled, objects) if len(merges) else best


def _improved(
    nodes: list[int], merges: Ints, precise: Floats, recalled: Floats, objects: int
) -> tuple[list[int], float]:
    """Split one node, or join two, as long as that raises F."""
    leaves = len(precise) - len(merges)
    chosen = np.zeros(len(precise), bool)
    chosen[nodes] = True
    more = np.stack([value[leaves:] - value[merges].sum(axis=1) for value in (precise, recalled)])  # of joining
    while True:
        total = precise[chosen].sum(), recalled[chosen].sum()
        now = float(_f(*total, objects))
        joined = np.where(chosen[merges].all(axis=1), _f(total[0] + more[0], total[1] + more[1], objects), 0)
        split = np.where(chosen[leaves:], _f(total[0] - more[0], total[1] - more[1], objects), 0)
        step = joined if joined.max() >= split.max() else split
        at = int(np.argmax(step))
        if step[at] <= now * (1 + 1e-12):
            return np.flatnonzero(chosen).tolist(), now
        chosen[leaves + at] = not chosen[leaves + at]
        chosen[merges[at]] = ~chosen[merges[at]]


def _f(precise: Any, recalled: Any, count: int) -> Any:
    return 2 * precise * recalled / (precise + recalled) / count
