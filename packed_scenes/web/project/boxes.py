"""Edits of boxes: add, move, resize, delete, never an object, and how sure a box must be to be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.web.project.project import Image, Project

MIN_SIDE = 3.0  # px, side of a box
MAX_BOXES = 3000  # boxes added in one step

Embed = Callable[[Image, npt.NDArray[np.float64]], npt.NDArray[np.float32]]  # picture, (M, 4) boxes -> unit rows
Boxes = npt.NDArray[np.float32]


def clean_boxes(boxes: Sequence[Sequence[float]], size: tuple[int, int]) -> Boxes:
    """Bring drawn boxes into order and inside the picture, (M, 4) float32.

    Raises:
        InputError: if a box is no box, or smaller than ``MIN_SIDE`` pixels.
    """
    try:
        array = np.asarray(boxes, np.float64).reshape(-1, 4)
    except (TypeError, ValueError) as error:
        raise InputError("a box has four numbers: left, top, right, bottom") from error
    if not np.isfinite(array).all() or not 0 < len(array) <= MAX_BOXES:
        raise InputError(f"give 1 to {MAX_BOXES} boxes of finite numbers")
    height, width = size
    low, high = np.minimum(array[:, :2], array[:, 2:]), np.maximum(array[:, :2], array[:, 2:])
    found = np.concatenate([low.clip(0, [width, height]), high.clip(0, [width, height])], axis=1).astype(np.float32)
    if ((found[:, 2:] - found[:, :2]) < MIN_SIDE).any():
        raise InputError(f"a box must be at least {MIN_SIDE:.0f} pixels wide and high, and inside the photo")
    return found


def add(project: Project, photo: int, boxes: Sequence[Sequence[float]], embed: Embed, *, what: str = "") -> list[int]:
    """Add boxes that a person drew or took over; they join groups as found ones do. Returns their rows."""
    where = project.photo(photo)
    found = clean_boxes(boxes, where.size)
    vectors = embed(project.image(photo), found.astype(np.float64))
    with project.lock:
        count = len(found)
        rows, file = project.history.append_rows({
            "photo": np.full(count, photo, np.int64), "xyxy": found, "score": np.ones(count, np.float32),
            "cluster": np.full(count, NOISE, np.int64), "alive": np.zeros(count, np.bool_),
            "drawn": np.ones(count, np.bool_), "vector": vectors.astype(np.float32),
        })  # fmt: skip
        label = what or ("1 box drawn" if count == 1 else f"{count} boxes added")
        bring_in(project, label, rows, file=file)
        return [int(row) for row in rows]


def bring_in(
    project: Project, what: str, rows: npt.NDArray[np.int64], *, file: str | None = None,
    values: dict[str, Any] | None = None, also: npt.NDArray[np.int64] | None = None,
    gone: npt.NDArray[np.int64] | None = None,
) -> None:  # fmt: skip
    """Make rows visible and put them into groups: that of the nearest object within the threshold, or new ones.

    Args:
        project: changes in one step.
        what: words for people.
        rows: which.
        file: that the rows lie in.
        values: what else changes.
        also: rows that become alive, too, but in no group.
        gone: rows that are taken away in the same step; new ones still join their groups.
    """
    columns, view = project.document.columns, project.view()
    vectors = columns["vector"]
    alive = rows if also is None else np.concatenate([rows, also])
    left_alive = np.ones(len(alive), np.bool_)
    if gone is not None:
        alive, left_alive = np.concatenate([alive, gone]), np.append(left_alive, np.zeros(len(gone), np.bool_))
    patches = project.document.patch("alive", alive, left_alive)
    cluster = np.full(len(rows), NOISE, np.int64)
    there = view.rows[view.grouping.cluster != NOISE]
    waiting = np.ones(len(rows), np.bool_)
    if len(there):
        for low in range(0, len(rows), 512):
            some = rows[low : low + 512]
            similarity = vectors[some] @ vectors[there].T
            best = similarity.argmax(axis=1)
            near = 1 - similarity[np.arange(len(some)), best] <= view.grouping.threshold
            cluster[low : low + 512][near] = columns["cluster"][there[best[near]]]
            waiting[low : low + 512] = ~near
    left = np.flatnonzero(waiting)
    if len(left):
        from packed_scenes.cluster import AverageLinkage

        fresh = np.zeros(1, np.int64)
        if len(left) > 1:
            fresh = AverageLinkage(view.grouping.threshold).fit_predict(vectors[rows[left]])
        cluster[left] = int(columns["cluster"].max(initial=NOISE)) + 1 + fresh
    project.commit(
        what, columns={**patches, **project.document.patch("cluster", rows, cluster)}, values=values or {}, rows=file
    )


def change(project: Project, row: int, box: Sequence[float], embed: Embed) -> str:
    """Move or resize a box; its vector is made anew, its group stays."""
    with project.lock:
        project.view().local([row])
        photo = int(project.document.columns["photo"][row])
        found = clean_boxes([box], project.photo(photo).size)
    vector = embed(project.image(photo), found.astype(np.float64))
    with project.lock:
        old = project.document.columns["xyxy"][row]
        same = np.allclose(old[2:] - old[:2], found[0, 2:] - found[0, :2], atol=0.6)
        document = project.document
        columns = {
            **document.patch("xyxy", [row], found),
            **document.patch("vector", [row], vector),
            **document.patch("drawn", [row], True),
        }
        what = "1 box moved" if same else "1 box resized"
        project.commit(what, columns=columns)
    return what


def delete(project: Project, rows: Iterable[int]) -> str:
    """Take boxes away: no objects, here."""
    with project.lock:
        view = project.view()
        chosen = view.rows[view.local(rows)]
        what = "1 box deleted" if len(chosen) == 1 else f"{len(chosen)} boxes deleted"
        project.commit(what, columns=project.document.patch("alive", chosen, False))
    return what


def never(project: Project, rows: Iterable[int]) -> str:
    """Take boxes away everywhere that look like these, now and in photos to come."""
    with project.lock:
        view = project.view()
        chosen = view.rows[view.local(rows)]
        if len(chosen) > 200:
            raise InputError("choose at most 200 objects at once")
        vectors = project.document.columns["vector"]
        alike = view.rows[unwanted(vectors[view.rows], vectors[chosen], project.threshold)]
        gone = np.union1d(alike, chosen)
        what = f"{len(gone)} boxes like this one taken away" if len(gone) > 1 else "1 box never an object"
        values = {f"never/{int(row)}": True for row in chosen}
        project.commit(what, columns=project.document.patch("alive", gone, False), values=values)
    return what


def unwanted(
    vectors: npt.NDArray[np.float32], never: npt.NDArray[np.float32], threshold: float
) -> npt.NDArray[np.bool_]:
    """(M,) whether a vector is as near to one that is never an object as two of one identity are."""
    if not len(never) or not len(vectors):
        return np.zeros(len(vectors), np.bool_)
    return np.asarray((vectors @ never.T).max(axis=1) >= 1 - threshold, np.bool_)


def mark_corrected(project: Project, photos: Sequence[int], yes: bool) -> str:
    """Say of photos that every object has its box and its group, so that they may teach; or take it back."""
    with project.lock:
        names = [project.photo(number).name for number in photos]
        whose = f"Photo {names[0]}" if len(names) == 1 else f"{len(names)} photos"
        what = f"{whose} {'marked as right' if yes else 'no longer marked as right'}"
        project.commit(what, values={f"corrected/{number}": True if yes else None for number in photos})
    return what


def set_confidence(project: Project, confidence: float) -> str:
    """Show found boxes from another score on; what appears joins the groups."""
    if not 0 <= confidence <= 1:
        raise InputError("the score must lie between 0 and 1")
    with project.lock:
        columns, before = project.document.columns, project.visible()
        after = columns["alive"] & (columns["drawn"] | (columns["score"] >= confidence))
        new = np.flatnonzero(after & ~before & (columns["cluster"] == NOISE))
        count = int((after & ~before).sum()) - int((before & ~after).sum())
        what = f"Score changed: {abs(count)} {'more' if count >= 0 else 'fewer'}"
        values = {"confidence": round(float(confidence), 4)}
        if len(new):
            bring_in(project, what, new, values=values)
        else:
            project.commit(what, values=values)
    return what


def set_reach(project: Project, reach: float) -> str:
    """Let places reach further or less far."""
    if not 0 <= reach <= 20:
        raise InputError("the reach must lie between 0 and 20 object sizes")
    project.commit("Reach changed", values={"reach": round(float(reach), 4)})
    return "Reach changed"
