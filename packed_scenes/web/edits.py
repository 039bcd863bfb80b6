"""Edits of a clustering by hand: merge, split, move, rename, and a history to undo them.

All functions are pure: they take a grouping and return another. What a person has edited or named is *pinned*: when
the threshold moves afterwards, those clusters stay as they are and only the rest is grouped anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects

Labels = npt.NDArray[np.int64]

MAX_NAME = 120
MAX_STEPS = 200  # each holds one label per object


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which object belongs to which cluster, over all scenes.

    Attributes:
        cluster: (N,) int64, rows in the order of the scenes; -1 = noise.
        threshold: cosine distance with which the clusters that nobody edited were made.
        names: cluster -> name, for clusters that have objects.
        pinned: clusters that a person edited or named.
    """

    cluster: Labels
    threshold: float
    names: Mapping[int, str] = field(default_factory=dict)
    pinned: frozenset[int] = frozenset()

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


def regroup(grouping: Grouping, fresh: npt.ArrayLike, *, threshold: float, anchor: npt.ArrayLike) -> Grouping:
    """Take new clusters for the rows that nobody edited.

    Numbers follow ``anchor``, so that the same threshold gives the same numbers wherever the slider came from.

    Args:
        grouping: before.
        fresh: (F,) labels of the free rows (``grouping.free``), -1 = noise.
        threshold: how they were made.
        anchor: (N,) labels that lend their numbers, such as those of the first analysis.

    Raises:
        InputError: if the lengths disagree.
    """
    from packed_scenes.cluster.assign import keep_names

    free, labels = grouping.free, np.asarray(fresh, np.int64)
    if len(labels) != int(free.sum()):
        raise InputError(f"fresh must have shape ({int(free.sum())},), got {labels.shape}")
    numbers = keep_names(np.asarray(anchor, np.int64)[free], labels)
    taken = np.isin(numbers, list(grouping.pinned)) & (numbers != NOISE)
    if taken.any():
        above = max([*grouping.pinned, int(numbers.max(initial=0))]) + 1
        numbers[taken] = above + np.unique(numbers[taken], return_inverse=True)[1]
    cluster = grouping.cluster.copy()
    cluster[free] = numbers
    return replace(grouping, cluster=cluster, threshold=threshold)


def apply(grouping: Grouping, parts: Sequence[Objects]) -> list[Objects]:
    """Give the objects of the scenes their clusters and membership strengths.

    The strength is that of average linkage; in a pinned cluster it is 1, because a person has decided.

    Raises:
        InputError: if the number of objects disagrees.
    """
    from packed_scenes.cluster.average import membership

    counts = [len(part) for part in parts]
    if sum(counts) != len(grouping.cluster):
        raise InputError(f"the grouping has {len(grouping.cluster)} objects, the scenes have {sum(counts)}")
    probability = np.zeros(len(grouping.cluster), np.float32)
    kept = np.flatnonzero(grouping.cluster != NOISE)
    if len(kept):
        vectors = np.concatenate([p.embedding for p in parts if p.embedding is not None and len(p)])[kept]
        compact = np.unique(grouping.cluster[kept], return_inverse=True)[1].astype(np.int64)
        probability[kept] = np.clip(membership(vectors, compact, grouping.threshold), 0, 1)
        probability[~grouping.free & (grouping.cluster != NOISE)] = 1
    bounds = np.cumsum([0, *counts])
    return [
        part.replace(cluster=grouping.cluster[a:b], probability=probability[a:b])
        for part, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Step:
    """One state with the words for what led to it."""

    label: str
    grouping: Grouping


@dataclass(frozen=True, eq=False)
class History:
    """All states so far; a value, so that a failed edit leaves nothing behind."""

    now: Step
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    @classmethod
    def start(cls, grouping: Grouping) -> History:
        """Begin with what the analysis found."""
        return cls(Step("Analysis", grouping))

    def do(self, label: str, grouping: Grouping, *, fold: bool = False) -> History:
        """Add a state. With ``fold`` a step of the same label is replaced (a slider makes one step, not fifty)."""
        if fold and self.past and self.now.label == label:
            return History(Step(label, grouping), self.past)
        return History(Step(label, grouping), (*self.past, self.now)[-MAX_STEPS:])

    def undo(self) -> History:
        """Go one state back; at the beginning nothing happens."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redo(self) -> History:
        """Go one state forward again; at the end nothing happens."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])


def _settle(grouping: Grouping, cluster: Labels, names: Mapping[int, str], touched: Iterable[int]) -> Grouping:
    """Pin what was touched, and forget names and pins of clusters that have no objects any more."""
    there = {int(c) for c in np.unique(cluster)}
    return Grouping(
        cluster,
        grouping.threshold,
        {c: n for c, n in names.items() if c in there},
        frozenset((grouping.pinned | set(touched)) & there),
    )


def _fresh(grouping: Grouping) -> int:
    return max([int(grouping.cluster.max(initial=-1)), *grouping.pinned, *grouping.names]) + 1


def _check(grouping: Grouping, clusters: Iterable[int]) -> None:
    there = set(grouping.clusters)
    for cluster in clusters:
        if cluster not in there:
            raise InputError(f"there is no group {cluster}", remedy="It may have been merged; choose another.")
