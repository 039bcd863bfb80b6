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

BAND = 0.01  # of the weight of precision against recall, within which the same steps are looked at
TINY = 1e-9

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
        value = float(f_score(precise[nodes].sum(), recalled[nodes].sum(), objects))
        if value > best[1]:
            best = nodes, value
    return improve(best[0], merges, precise, recalled, objects) if len(merges) else best


def improve(nodes: list[int], merges: Ints, precise: Floats, recalled: Floats, objects: int) -> tuple[list[int], float]:
    """Split one node, or join two, whichever raises F the most, as long as that raises it.

    F is concave, so that a step by (s, t) raises it only if w s + (1 - w) t > 0, with w : 1 - w the direction of its
    gradient. Only steps that this holds for within ``BAND`` of w are looked at; all again when w has left the band.
    """
    leaves, every = len(precise) - len(merges), np.arange(len(merges))
    chosen, above = np.zeros(len(precise), bool), np.full(len(precise), -1)
    chosen[nodes], above[merges] = True, every[:, None]
    more = np.stack([value[leaves:] - value[merges].sum(axis=1) for value in (precise, recalled)])  # of joining
    total, middle, rows = np.zeros(2), np.inf, every

    def promising(of: Ints) -> Ints:
        low, high = (w * more[0, of] + (1 - w) * more[1, of] for w in (middle - BAND, middle + BAND))
        join, split = chosen[merges[of]].all(axis=1), chosen[leaves + of]
        may = join & (np.maximum(low, high) > -TINY) | split & (np.minimum(low, high) < TINY)
        return np.asarray(of[may], np.int64)

    while True:
        weight = total[1] ** 2 / max((total**2).sum(), TINY)
        if abs(weight - middle) > BAND:
            total = np.array([precise[chosen].sum(), recalled[chosen].sum()])
            middle = total[1] ** 2 / (total**2).sum()
            rows = promising(every)
        now = float(f_score(total[0], total[1], objects))
        joined = np.where(
            chosen[merges[rows]].all(axis=1), f_score(total[0] + more[0, rows], total[1] + more[1, rows], objects), 0
        )
        split = np.where(chosen[leaves + rows], f_score(total[0] - more[0, rows], total[1] - more[1, rows], objects), 0)
        step = joined if joined.max(initial=0) >= split.max(initial=0) else split
        if step.max(initial=0) <= now * (1 + 1e-12):
            return np.flatnonzero(chosen).tolist(), float(
                f_score(precise[chosen].sum(), recalled[chosen].sum(), objects)
            )
        at = int(rows[np.argmax(step)])
        total += more[:, at] * (-1 if chosen[leaves + at] else 1)
        chosen[leaves + at] = not chosen[leaves + at]
        chosen[merges[at]] = ~chosen[merges[at]]
        beside = np.unique([at, above[leaves + at], *(merges[at] - leaves)])  # what may be a step now
        fresh = promising(
            np.setdiff1d(beside[beside >= 0], rows[np.minimum(np.searchsorted(rows, beside), len(rows) - 1)])
        )
        rows = np.insert(rows, np.searchsorted(rows, fresh), fresh)


def f_score(precise: Any, recalled: Any, count: int) -> Any:
    """F of the sums of S and T over the chosen nodes, of ``count`` objects."""
    return 2 * precise * recalled / (precise + recalled) / count
