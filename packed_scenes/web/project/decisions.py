"""Grouping with what a person has decided: same, different, groups that were edited; and edits of groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.identify import identify
from packed_scenes.web import edits
from packed_scenes.web.edits import Grouping, Pairs
from packed_scenes.web.project.project import Project

SAME, DIFFERENT, UNSURE = "same", "different", "unsure"
AT_ONCE = 1500  # objects up to which an answer groups everything anew (half a second); above, only what it is about

Labels = npt.NDArray[np.int64]


def links(project: Project) -> dict[tuple[int, int], str]:
    """What was said about pairs of project rows (smaller first)."""
    found = {}
    for key, answer in project.document.keyed("link").items():
        a, _, b = key.partition("-")
        found[int(a), int(b)] = str(answer)
    return found


def link_pairs(project: Project) -> tuple[Pairs, Pairs]:
    """(M, 2) places among the visible rows of pairs that are the same, and of pairs that are different."""
    rows = project.view().rows
    place = {int(row): at for at, row in enumerate(rows.tolist())}
    pairs: dict[str, list[tuple[int, int]]] = {SAME: [], DIFFERENT: [], UNSURE: []}
    for (a, b), answer in links(project).items():
        if a in place and b in place:
            pairs[answer].append((place[a], place[b]))
    same, different = (np.array(pairs[k], np.int64).reshape(-1, 2) for k in (SAME, DIFFERENT))
    return same, different


def group(
    project: Project, grouping: Grouping, same: Pairs, different: Pairs, *, threshold: float | None,
    vectors: npt.NDArray[np.float32] | None = None,
) -> Grouping:  # fmt: skip
    """Group all visible boxes anew; what was decided holds.

    Args:
        project: gives vectors, boxes and settings.
        grouping: as it is now; numbers, names and pinned groups are taken from it.
        same, different: (M, 2) places of pairs.
        threshold: cosine distance up to which groups merge; None = chosen by the clusterer.
        vectors: (N, D) of all rows of the project; None = as they are.
    """
    view, columns = project.view(), project.document.columns
    vectors = columns["vector"] if vectors is None else vectors
    keep = ~((grouping.cluster == NOISE) & (NOISE in grouping.pinned))  # put aside by hand: stays there
    place = np.full(len(keep), -1)
    place[keep] = np.arange(int(keep.sum()))

    def inside(pairs: Pairs) -> Pairs:
        found = place[pairs].reshape(-1, 2)
        return found[(found >= 0).all(axis=1)]

    must, apart = edits.decided(grouping)
    must, apart = inside(np.concatenate([must, same])), inside(np.concatenate([apart, different]))
    must, apart = consistent(int(keep.sum()), must, apart)
    rows, photo = view.rows[keep], view.photo[keep]
    order = np.argsort(photo, kind="stable")  # the clusterer reads scene by scene
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    parts = [
        Objects.from_boxes(columns["xyxy"][some], embedding=vectors[some])
        for some in np.split(rows[order], np.flatnonzero(np.diff(photo[order])) + 1)
    ]
    constraints: dict[str, Any] = {}
    if len(must):
        constraints["must_link"] = back[must]
    if len(apart):
        constraints["cannot_link"] = back[apart]
    settings = replace(project.settings, threshold=threshold)
    found, info = identify(parts if len(rows) else [], settings=settings, card=project.card, constraints=constraints)
    labels = np.concatenate([np.zeros(0, np.int64), *(p.cluster for p in found if p.cluster is not None)])
    fresh = np.full(len(keep), NOISE, np.int64)
    fresh[keep] = enforce(labels[back] if len(labels) else labels, must, apart)
    used = info.get("threshold", grouping.threshold) if threshold is None else threshold
    return edits.regroup(grouping, fresh, threshold=round(float(used), 4))


def consistent(count: int, must: Pairs, apart: Pairs) -> tuple[Pairs, Pairs]:
    """Leave out pairs that must differ although other pairs make them one."""
    group = components(count, must)
    return must, apart[group[apart[:, 0]] != group[apart[:, 1]]] if len(apart) else apart


def components(count: int, pairs: Pairs) -> Labels:
    """Number the groups of rows that pairs join, (count,) int64."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def enforce(labels: Labels, must: Pairs, apart: Pairs) -> Labels:
    """Make labels agree with the pairs, for clusterers that take them as a hint or not at all."""
    out = labels.copy()
    if not len(must) and not len(apart):
        return out
    unit = components(len(out), must)
    for a, _ in must.tolist():
        mine = out[unit == unit[a]]
        if (mine != mine[0]).any() or mine[0] == NOISE:
            kept = mine[mine != NOISE]
            out[unit == unit[a]] = np.bincount(kept).argmax() if len(kept) else out.max(initial=NOISE) + 1
    for a, b in apart.tolist():
        if out[a] == out[b] != NOISE and unit[a] != unit[b]:
            out[unit == unit[b]] = out.max() + 1
    return out


# Edits of a project; each raises InputError and changes nothing if it cannot be done


def say_pairs(project: Project, rows: Sequence[int], answer: str) -> str:
    """Keep what a person says about two or more objects: all the same, or each different from each other.

    Args:
        project: changes.
        rows: project rows.
        answer: ``same``, ``different`` or ``unsure`` (asked about, no consequence).

    Returns:
        Words for what was done.
    """
    if answer not in (SAME, DIFFERENT, UNSURE):
        raise InputError("answer same, different or unsure")
    with project.lock:
        view = project.view()
        at = view.local(rows)
        if len(at) < 2:
            raise InputError("choose two or more objects")
        if len(at) > 200 and answer != SAME:
            raise InputError("choose at most 200 objects at once")
        chosen = view.rows[at]
        pairs = _pairs_of(chosen, answer)
        values: dict[str, Any] = {f"link/{a}-{b}": answer for a, b in pairs}
        if answer == SAME:  # what was said before about these gives way
            inside = set(chosen.tolist())
            values |= {f"link/{a}-{b}": None for a, b in links(project)
                       if a in inside and b in inside and (a, b) not in pairs}  # fmt: skip
        what = f"{len(chosen)} objects {'not sure' if answer == UNSURE else answer}"
        if answer == UNSURE:
            project.commit(what, values=values)
            return what
        before, different = link_pairs(project)
        answered = np.searchsorted(view.rows, np.array(pairs, np.int64))
        if answer == SAME:
            same = np.concatenate([before, answered])
            different = consistent(len(view.rows), same, different)[1]
        else:
            different = np.concatenate([different, answered])
            same = _without(before, answered, len(view.rows))
            after = {tuple(pair) for pair in same.tolist()}
            gone = [view.rows[pair].tolist() for pair in before.tolist() if tuple(pair) not in after]
            values |= {f"link/{min(pair)}-{max(pair)}": None for pair in gone}
        grouping = _at_once(project.grouping, at, answer, different, project)
        if len(view.rows) <= AT_ONCE:
            grouping = group(project, grouping, same, different, threshold=grouping.threshold)
        return project.commit_grouping(what, grouping, values=values)


def _pairs_of(chosen: Labels, answer: str) -> list[tuple[int, int]]:
    """The pairs of rows that an answer is about: a chain where all are the same, else every pair."""
    if answer == SAME:
        return list(pairwise(chosen.tolist()))
    i, j = np.triu_indices(len(chosen), 1)
    return list(zip(chosen[i].tolist(), chosen[j].tolist(), strict=True))


def _without(same: Pairs, apart: Pairs, count: int) -> Pairs:
    """Drop what joins two rows that are now said to differ: the pairs around the second of them."""
    for a, b in apart.tolist():
        unit = components(count, same)
        if unit[a] == unit[b]:
            same = same[~((same == b).any(axis=1))]
    return same


def _at_once(grouping: Grouping, at: Labels, answer: str, different: Pairs, project: Project) -> Grouping:
    """The smallest change that makes the chosen objects agree with the answer."""
    cluster = grouping.cluster
    if answer == SAME:
        groups = [int(c) for c in dict.fromkeys(cluster[at].tolist()) if c != NOISE]
        if len(groups) > 1 and all(c in grouping.pinned for c in groups):
            return edits.merge(grouping, sorted(groups, key=lambda c: -int((cluster == c).sum())))
        into = next((c for c in groups if c in grouping.pinned), groups[0] if groups else None)
        wrong = at[cluster[at] != into] if into is not None else at
        if not len(wrong):
            return grouping
        loose = replace(grouping, pinned=grouping.pinned)
        after, _ = edits.move(loose, wrong.tolist(), into)
        return replace(after, pinned=after.pinned & grouping.pinned)  # the link holds them; the rest stays free
    vectors = project.document.columns["vector"][project.view().rows]
    after = grouping
    for a, b in different.tolist():
        mine = int(after.cluster[a])
        if mine != after.cluster[b] or mine == NOISE or b not in at or a not in at:
            continue
        rows = np.flatnonzero(after.cluster == mine)
        part = (vectors[rows] @ vectors[b] > vectors[rows] @ vectors[a]).astype(np.int64)
        part[rows == b], part[rows == a] = 1, 0
        split = edits.split(after, mine, part)
        keep = after.pinned | ({int(split.cluster[b]), int(split.cluster[a])} if mine in after.pinned else set())
        after = replace(split, pinned=split.pinned & keep)
    return after


def regrouped(project: Project, threshold: float) -> Grouping:
    """What the groups would be at another distance; nothing changes."""
    if not 0.005 <= threshold <= 1.5:
        raise InputError("the distance must lie between 0.005 and 1.5")
    with project.lock:
        same, different = link_pairs(project)
        return group(project, project.grouping, same, different, threshold=threshold)


def set_threshold(project: Project, threshold: float) -> str:
    """Group anew at another distance."""
    with project.lock:
        return project.commit_grouping("Similarity changed", regrouped(project, threshold))


def rename(project: Project, cluster: int, name: str) -> str:
    """Name a group."""
    with project.lock:
        before = project.grouping.label(cluster)
        after = edits.rename(project.grouping, cluster, name)
        what = f"{before} named {after.names[cluster]}" if cluster in after.names else f"Name {before} taken away"
        project.commit_grouping(what, after)
    return what


def merge(project: Project, clusters: Sequence[int]) -> str:
    """Make several groups one."""
    with project.lock:
        after = edits.merge(project.grouping, clusters)
        return project.commit_grouping(f"{len(set(clusters))} groups merged", after)


def move(project: Project, rows: Iterable[int], to: int | None) -> str:
    """Give objects to another group, to no group (-1) or to a new one (None)."""
    with project.lock:
        at = project.view().local(rows)
        after, target = edits.move(project.grouping, at.tolist(), to)
        what = f"{'1 object' if len(at) == 1 else f'{len(at)} objects'} moved to {after.label(target)}"
        return project.commit_grouping(what, after)


def split(project: Project, cluster: int) -> str:
    """Split a group in two where it is widest."""
    with project.lock:
        view = project.view()
        rows = view.rows[view.grouping.cluster == cluster]
        part = edits.halves(project.document.columns["vector"][rows])
        what = f"{view.grouping.label(cluster)} split"
        return project.commit_grouping(what, edits.split(view.grouping, cluster, part))
