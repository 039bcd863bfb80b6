"""Edits of a clustering by hand: merge, split, move, rename.

All functions are pure: they take a grouping and return another. What a person has edited or named is *pinned*: when
the threshold moves afterwards, its objects stay together, and apart from those of other pinned clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE

Labels = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int64]  # (M, 2)

MAX_NAME = 120


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which object belongs to which cluster, over all scenes.

    Attributes:
        cluster: (N,) int64, rows in the order of the scenes; -1 = noise.
        threshold: cosine distance with which the unedited clusters were made.
        names: cluster -> name, for clusters that have objects.
        pinned: clusters that a person edited or named.
        floor: new clusters get numbers from here on, so that a number is never given twice.
    """

    cluster: Labels
    threshold: float
    names: Mapping[int, str] = field(default_factory=dict)
    pinned: frozenset[int] = frozenset()
    floor: int = 0

    @property
    def clusters(self) -> list[int]:
        """The clusters that have objects, ascending, without noise."""
        return [int(c) for c in np.unique(self.cluster) if c != NOISE]

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """(N,) bool: rows that may be grouped anew."""
        return ~np.isin(self.cluster, list(self.pinned))

    def label(self, cluster: int) -> str:
        """What people call a cluster: its name, or its number."""
        return self.names.get(cluster) or ("Unsorted" if cluster == NOISE else f"Group {cluster}")


def rename(grouping: Grouping, cluster: int, name: str) -> Grouping:
    """Name a cluster; an empty text takes the name away.

    Raises:
        InputError: if there is no such cluster, the name is too long, unprintable, or another cluster has it.
    """
    _check(grouping, [cluster])
    text = " ".join(name.split())
    if len(text) > MAX_NAME or not text.isprintable():
        raise InputError("this cannot be a name", remedy=f"Use up to {MAX_NAME} printable characters.")
    if text and any(other == text for c, other in grouping.names.items() if c != cluster):
        raise InputError(f"another group is called {text!r}", remedy="Merge the two, or choose another name.")
    names = {c: n for c, n in grouping.names.items() if c != cluster} | ({cluster: text} if text else {})
    return replace(grouping, names=names, pinned=grouping.pinned | {cluster})


def merge(grouping: Grouping, clusters: Sequence[int]) -> Grouping:
    """Make several clusters one, under the number of the first and its name, or else the first name there is.

    Raises:
        InputError: if there are fewer than two different clusters, or one of them does not exist.
    """
    chosen = list(dict.fromkeys(clusters))
    if len(chosen) < 2:
        raise InputError("choose at least two groups to merge")
    _check(grouping, chosen)
    into = chosen[0]
    names = dict(grouping.names)
    name = next((names[c] for c in chosen if c in names), None)
    if name is not None:
        names[into] = name
    cluster = np.where(np.isin(grouping.cluster, chosen), into, grouping.cluster)
    return _settle(grouping, cluster, names, {into})


def move(grouping: Grouping, rows: Iterable[int], to: int | None) -> tuple[Grouping, int]:
    """Give objects to another cluster, to noise (-1), or to a new cluster (None).

    Returns:
        The grouping and the cluster that has them now.

    Raises:
        InputError: if there are no rows, a row or the cluster does not exist, or nothing would change.
    """
    chosen = np.unique(np.fromiter(rows, np.int64))
    if not len(chosen) or chosen[0] < 0 or chosen[-1] >= len(grouping.cluster):
        raise InputError("choose the objects to move")
    if to is not None and to != NOISE:
        _check(grouping, [to])
    target = _fresh(grouping) if to is None else to
    before = grouping.cluster[chosen]
    if np.all(before == target):
        raise InputError(f"these objects are in {grouping.label(target)} already")
    whole = len(np.unique(before)) == 1 and len(chosen) == int((grouping.cluster == before[0]).sum())
    if to is None and whole and before[0] != NOISE:
        raise InputError(f"these are all objects of {grouping.label(int(before[0]))}", remedy="Choose some of them.")
    cluster = grouping.cluster.copy()
    cluster[chosen] = target
    return _settle(grouping, cluster, grouping.names, {target, *before.tolist()}), target


def split(grouping: Grouping, cluster: int, part: npt.ArrayLike) -> Grouping:
    """Split a cluster: its largest part keeps number and name, every other part becomes a new cluster.

    Args:
        grouping: before.
        cluster: which one.
        part: (M,) integers, the part of each of its M objects in the order of the rows (:func:`halves`).

    Raises:
        InputError: if there is no such cluster, the lengths disagree, or there is one part only.
    """
    _check(grouping, [cluster])
    rows = np.flatnonzero(grouping.cluster == cluster)
    parts = np.asarray(part, np.int64)
    if parts.shape != rows.shape:
        raise InputError(f"part must have shape {rows.shape}, got {parts.shape}")
    _, number, size = np.unique(parts, return_inverse=True, return_counts=True)
    if len(size) < 2:
        raise InputError(f"{grouping.label(cluster)} has only one part", remedy="Choose some of its objects instead.")
    rank = np.empty(len(size), np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    place = rank[number]
    labels = grouping.cluster.copy()
    labels[rows] = np.where(place == 0, cluster, _fresh(grouping) + place - 1)
    return _settle(grouping, labels, grouping.names, set(labels[rows].tolist()))


def halves(vectors: npt.NDArray[np.float32]) -> Labels:
    """Propose two parts of a cluster: the last merge of average linkage on cosine distance.

    Args:
        vectors: (M, D) unit rows, M >= 2.

    Returns:
        (M,) int64 of 0 and 1. Memory: the condensed M x M distances.

    Raises:
        InputError: if there are fewer than two objects.
    """
    if len(vectors) < 2:
        raise InputError("a single object cannot be split")
    from scipy.cluster.hierarchy import average, fcluster
    from scipy.spatial.distance import pdist

    tree = average(np.clip(pdist(vectors.astype(np.float64), "cosine"), 0, 2))
    part = fcluster(tree, 2, "maxclust").astype(np.int64)
    if len(np.unique(part)) < 2:  # equal distances: any cut is as good
        part = np.arange(len(vectors)) == 0
    return np.unique(part, return_inverse=True)[1].astype(np.int64)


def regroup(grouping: Grouping, fresh: npt.ArrayLike, *, threshold: float) -> Grouping:
    """Take a new clustering of all rows; clusters keep the numbers, and so the names, that most of their rows had.

    Args:
        grouping: before.
        fresh: (N,) labels, -1 = noise. What is pinned must still be together and apart (:func:`decided`).
        threshold: how they were made.

    Raises:
        InputError: if the lengths disagree.
    """
    from packed_scenes.cluster.assign import keep_names

    labels = np.asarray(fresh, np.int64)
    if labels.shape != grouping.cluster.shape:
        raise InputError(f"fresh must have shape {grouping.cluster.shape}, got {labels.shape}")
    out = keep_names(grouping.cluster, labels)
    for cluster in grouping.pinned - {NOISE}:  # theirs by decision, whoever has more rows
        now = labels[np.flatnonzero(grouping.cluster == cluster)[:1]]
        for number in now[now != NOISE].tolist():
            mine = labels == number
            out[(out == cluster) & ~mine] = _fresh(grouping) + len(labels) + cluster
            out[mine] = cluster
    highest = int(grouping.cluster.max(initial=NOISE))
    new = (out > highest) & ~np.isin(out, list(grouping.pinned))
    if new.any():
        out[new] = max(_fresh(grouping), highest + 1) + np.unique(out[new], return_inverse=True)[1]
    there = set(np.unique(out).tolist())
    return replace(
        grouping,
        cluster=out,
        threshold=threshold,
        names={c: n for c, n in grouping.names.items() if c in there},
        pinned=frozenset(grouping.pinned & there),
    )


def decided(grouping: Grouping) -> tuple[Pairs, Pairs]:
    """Say what the pinned clusters mean for a clustering: (M, 2) pairs of rows that are one, and that are not."""
    must, firsts = [np.zeros((0, 2), np.int64)], []
    for cluster in sorted(grouping.pinned - {NOISE}):
        rows = np.flatnonzero(grouping.cluster == cluster)
        if len(rows):
            must.append(np.column_stack([rows[:-1], rows[1:]]))
            firsts.append(int(rows[0]))
    a, b = np.triu_indices(len(firsts), 1)
    first = np.array(firsts, np.int64)
    return np.concatenate(must), np.column_stack([first[a], first[b]])


def strengths(grouping: Grouping, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Say how strongly each row belongs to its cluster, (N,) in [0, 1].

    That of average linkage; in a pinned cluster it is 1, because a person has decided.
    """
    from packed_scenes.cluster.average import membership

    probability = np.zeros(len(grouping.cluster), np.float32)
    kept = np.flatnonzero(grouping.cluster != NOISE)
    if len(kept):
        compact = np.unique(grouping.cluster[kept], return_inverse=True)[1].astype(np.int64)
        probability[kept] = np.clip(membership(vectors[kept], compact, grouping.threshold), 0, 1)
        probability[~grouping.free & (grouping.cluster != NOISE)] = 1
    return probability


def _settle(grouping: Grouping, cluster: Labels, names: Mapping[int, str], touched: Iterable[int]) -> Grouping:
    """Pin what was touched, and drop names and pins of clusters that have no objects any more."""
    there = {int(c) for c in np.unique(cluster)}
    return Grouping(
        cluster,
        grouping.threshold,
        {c: n for c, n in names.items() if c in there},
        frozenset((grouping.pinned | set(touched)) & there),
        grouping.floor,
    )


def _fresh(grouping: Grouping) -> int:
    return max([int(grouping.cluster.max(initial=-1)), *grouping.pinned, *grouping.names, grouping.floor - 1]) + 1


def _check(grouping: Grouping, clusters: Iterable[int]) -> None:
    there = set(grouping.clusters)
    for cluster in clusters:
        if cluster not in there:
            raise InputError(f"there is no group {cluster}", remedy="It may have been merged; choose another.")
