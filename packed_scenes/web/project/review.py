"""Which pair to ask about next, and what the answers still leave open about the number of groups.

A pair of groups whose mean distance lies near the threshold may be one identity, and the two halves of a wide group
may be two. Each such question has a probability of "same" from its distance; the number of identities is the number
of groups, less one for every pair of groups that is the same, plus one for every group that is not. The interval is
that sum's mean and deviation (independent questions), 90 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE
from packed_scenes.web.edits import halves
from packed_scenes.web.project.decisions import links
from packed_scenes.web.project.project import Project

STEEPNESS = 6.0  # the probability falls from .88 to .12 over two thirds of the threshold
Z90 = 1.645
MIN_PROBABILITY = 0.02  # a question less probable than this either way is not asked
MIN_HALF_INTERVAL = 0.5  # half the interval, in groups, below which nothing that matters is open
MAX_GROUPS = 2000  # groups and members looked at
MAX_MEMBERS = 400  # members of a group that are looked at for a split
MAX_QUESTIONS = 40  # asked at a time

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Question:
    """Two objects to be compared.

    Attributes:
        first, second: project rows.
        same: probability that they are the same.
    """

    first: int
    second: int
    same: float


@dataclass(frozen=True)
class Review:
    """What is open.

    Attributes:
        questions: the most doubtful first.
        groups: number of groups now.
        count: expected number of identities.
        low, high: 90 % interval of it.
        answered: pairs answered so far.
        enough: whether the open questions no longer matter to the number.
    """

    questions: tuple[Question, ...]
    groups: int
    count: float
    low: int
    high: int
    answered: int
    enough: bool


def review(project: Project) -> Review:
    """Find the questions that are open.

    Memory: K x K similarities of at most ``MAX_GROUPS`` groups.
    """
    with project.lock:
        view = project.view()
        vectors = project.document.columns["vector"][view.rows]
        said = links(project)
        grouping = view.grouping
    clusters = grouping.clusters[:MAX_GROUPS]
    members = {c: np.flatnonzero(grouping.cluster == c) for c in clusters}
    asked = [*_pairs(vectors, members, grouping.threshold), *_splits(vectors, members, grouping.threshold)]
    known = _known(said, {int(row): at for at, row in enumerate(view.rows.tolist())}, grouping.cluster)
    open_: list[tuple[Question, bool]] = []
    for a, b, same, joined in asked:
        if grouping.cluster[a] in grouping.pinned and grouping.cluster[b] in grouping.pinned:
            continue  # a person has decided
        first, second = sorted((int(view.rows[a]), int(view.rows[b])))
        if (first, second) in said or (not joined and known(int(grouping.cluster[a]), int(grouping.cluster[b]))):
            continue
        open_.append((Question(first, second, same), joined))
    open_.sort(key=lambda item: (abs(item[0].same - 0.5), item[0].first))
    shift = sum((1 - q.same) if joined else -q.same for q, joined in open_)
    spread = float(np.sqrt(sum(q.same * (1 - q.same) for q, _ in open_)))
    groups = len(grouping.clusters)
    count = max(1.0, groups + shift) if groups else 0.0
    low, high = max(min(1, groups), int(np.floor(count - Z90 * spread))), int(np.ceil(count + Z90 * spread))
    half = Z90 * spread
    return Review(
        tuple(q for q, _ in open_[:MAX_QUESTIONS]),
        groups,
        count,
        low,
        high,
        len(said),
        half <= max(MIN_HALF_INTERVAL, 0.02 * count),
    )


def _same(distance: npt.NDArray[np.float64] | float, threshold: float) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(np.clip(STEEPNESS * (np.asarray(distance) - threshold) / threshold, -50, 50))))


def _pairs(vectors: Vectors, members: dict[int, npt.NDArray[np.int64]], threshold: float) -> list[
    tuple[int, int, float, bool]
]:  # fmt: skip
    """Each group and its nearest other: the two objects of them that are nearest to each other's mean."""
    clusters = list(members)
    if len(clusters) < 2:
        return []
    means = np.stack([vectors[members[c]].mean(axis=0) for c in clusters])
    similarity = means @ means.T
    np.fill_diagonal(similarity, -2)
    near = similarity.argmax(axis=1)
    found: dict[tuple[int, int], tuple[int, int, float, bool]] = {}
    for one, other in enumerate(near.tolist()):
        same = float(_same(1 - float(similarity[one, other]), threshold))
        if not MIN_PROBABILITY < same < 1 - MIN_PROBABILITY:
            continue
        pair = (min(one, other), max(one, other))
        a, b = (members[clusters[k]] for k in pair)
        found[pair] = (
            int(a[(vectors[a] @ means[pair[1]]).argmax()]), int(b[(vectors[b] @ means[pair[0]]).argmax()]), same, False,
        )  # fmt: skip
    return list(found.values())


def _splits(vectors: Vectors, members: dict[int, npt.NDArray[np.int64]], threshold: float) -> list[
    tuple[int, int, float, bool]
]:  # fmt: skip
    """Each group that is wide: the central objects of its two halves."""
    found = []
    for rows in members.values():
        if len(rows) < 2:
            continue
        some = vectors[rows[:MAX_MEMBERS]]
        total = some.sum(axis=0)
        wide = float((1 - (some @ total - 1) / max(len(some) - 1, 1)).max())
        if _same(wide, threshold) > 1 - MIN_PROBABILITY:
            continue  # even its loosest member is near
        part = halves(some)
        one, two = some[part == 0], some[part == 1]
        same = float(_same(1 - float(one.mean(axis=0) @ two.mean(axis=0)), threshold))
        if MIN_PROBABILITY < same < 1 - MIN_PROBABILITY:
            a = rows[:MAX_MEMBERS][part == 0][(one @ one.mean(axis=0)).argmax()]
            b = rows[:MAX_MEMBERS][part == 1][(two @ two.mean(axis=0)).argmax()]
            found.append((int(a), int(b), same, True))
    return found


def _known(said: dict[tuple[int, int], str], place: dict[int, int], cluster: npt.NDArray[np.int64]):  # type: ignore[no-untyped-def]
    """Whether something was said about any two members of two groups."""
    groups = {
        frozenset((int(cluster[place[a]]), int(cluster[place[b]])))
        for a, b in said
        if a in place and b in place and NOISE not in (cluster[place[a]], cluster[place[b]])
    }
    return lambda one, other: frozenset((one, other)) in groups
