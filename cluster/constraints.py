"""Must-link and cannot-link pairs: closed under what they imply, or refused when they contradict each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Hints, Pairs
from packed_scenes.cluster.labels import Labels
from packed_scenes.data import InputError

MAX_PAIRS = 4_000_000  # of rows known to be different: 64 MB, and a few seconds to close


@dataclass(frozen=True)
class Constraints:
    """Constraints over N rows in closed form.

    Attributes:
        group: (N,) int64, rows of one group are one identity (the closure of must-link); 0 … G-1 by first member.
        cannot_link: (M, 2) int64 pairs of different groups that are different identities, each pair once, smaller group
            first.
    """

    group: Labels
    cannot_link: Pairs


def close(count: int, hints: Hints) -> Constraints:
    """Close the constraints of ``hints`` over ``count`` rows.

    Raises:
        InputError: if a cannot-link pair is joined by must-links (names the first such pair).
    """
    group = _components(count, hints.must_link)
    cannot_link = np.zeros((0, 2), np.int64) if hints.cannot_link is None else group[hints.cannot_link].reshape(-1, 2)
    shown_once = np.zeros((0, 2), np.int64) if hints.exclusive is None else group[exclusive_pairs(hints.exclusive)]
    shown_once = shown_once[shown_once[:, 0] != shown_once[:, 1]]  # what a person joined is joined
    clash = np.flatnonzero(cannot_link[:, 0] == cannot_link[:, 1])
    if len(clash) and hints.cannot_link is not None:
        a, b = hints.cannot_link[clash[0]]
        raise InputError(
            f"rows {a} and {b} must not be linked, but must-link pairs join them", remedy="Remove one of the pairs"
        )
    return Constraints(group, np.unique(np.sort(np.concatenate([cannot_link, shown_once]), axis=1), axis=0))


def exclusive_pairs(exclusive: npt.NDArray[np.int64]) -> Pairs:
    """Return (M, 2) the pairs of rows with one name >= 0, smaller row first.

    Raises:
        InputError: if there are more than ``MAX_PAIRS``.
    """
    order = np.argsort(exclusive, kind="stable")
    order = order[exclusive[order] >= 0]
    size = np.unique(exclusive[order], return_counts=True)[1]
    total = int((size * (size - 1) // 2).sum())
    if total > MAX_PAIRS:
        raise InputError(
            f"{total} pairs of rows are known to be different, the limit is {MAX_PAIRS}",
            remedy="Take fewer pictures, or the k-reciprocal clusterer, which needs no list of pairs",
        )
    pairs = [np.zeros((0, 2), np.int64)]
    for rows in np.split(order, np.cumsum(size)[:-1]):
        a, b = np.triu_indices(len(rows), 1)
        pairs.append(np.column_stack([rows[a], rows[b]]))
    return np.concatenate(pairs)


def _components(count: int, pairs: Pairs | None) -> Labels:
    if pairs is None or not len(pairs):
        return np.arange(count, dtype=np.int64)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    names: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
