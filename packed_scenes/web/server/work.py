"""Looking at a project and changing it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from packed_scenes.data.errors import InputError
from packed_scenes.web.project import boxes, decisions
from packed_scenes.web.project.alike import find_alike
from packed_scenes.web.project.project import Project
from packed_scenes.web.project.review import review
from packed_scenes.web.server import pagedata
from packed_scenes.web.server.answers import (
    decimal,
    get,
    numbers,
    opened,
    picture,
    post,
    whole,
    words,
    workplace,
)
from packed_scenes.web.server.jobs import Job
from packed_scenes.web.server.opened import Opened
from packed_scenes.web.server.workplace import Workplace


def _state(request: Request) -> dict[str, Any]:
    held = opened(request)
    since = request.query_params.get("since")
    job = held.job
    if since is not None and since == _tag(held):
        return {"tag": since}
    return pagedata.state(held) | {"tag": _tag(held), "running": job is not None and not job.finished}


def _tag(held: Opened) -> str:
    """Says whether a page is up to date: edits, progress, uploads."""
    job = held.job
    at = "" if job is None else f"{job.number}.{job.stage}.{job.name}.{job.done}.{job.finished}.{len(held.failing)}"
    taught = zlib.crc32(json.dumps(pagedata.taught(held)).encode())
    return f"{held.project.version}/{at}/{len(held.incoming)}/{held.project.name}/{taught}"


def _scene(request: Request) -> dict[str, Any]:
    return pagedata.scene(opened(request).project, int(request.path_params["n"]))


def _members(request: Request) -> list[list[Any]]:
    return pagedata.members(opened(request).project, int(request.path_params["c"]))


def _photo(request: Request) -> Response:
    return picture(pagedata.photo_jpeg(opened(request).project, int(request.path_params["n"])))


def _thumb(request: Request) -> Response:
    held, number = opened(request), int(request.path_params["n"])
    key = f"thumb {number}"
    if key not in held.kept:
        held.kept[key] = pagedata.jpeg(held.project.image(number), side=pagedata.THUMB_SIDE)
    return picture(held.kept[key])


def _crop(request: Request) -> Response:
    project, row = opened(request).project, int(request.path_params["row"])
    if not 0 <= row < len(project.document):
        raise InputError("there is no such object")
    return picture(pagedata.crop_jpeg(project, row))


def _edit(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    place, held = workplace(request), opened(request)
    before = held.project.version
    more = _do(place, held, body)
    return {"said": "", "changed": held.project.version != before, "version": held.project.version} | more


def _do(place: Workplace, held: Opened, body: dict[str, Any]) -> dict[str, Any]:
    project, op = held.project, body.get("op")
    if op == "add":
        rows = boxes.add(project, whole(body["photo"]), body["boxes"], place.embed_of(held))
        return {"said": "1 box drawn" if len(rows) == 1 else f"{len(rows)} boxes added", "rows": rows}
    if op == "box":
        box = [decimal(v) for v in body["box"]]
        return {"said": boxes.change(project, whole(body["row"]), box, place.embed_of(held))}
    if not isinstance(op, str) or op not in _EDITS:
        raise InputError("there is no such edit")
    return {"said": _EDITS[op](project, body)}


def _undo(project: Project, _body: dict[str, Any]) -> str:
    what = project.undo()
    return "Nothing to undo" if what is None else f"Undone: {what}"


def _redo(project: Project, _body: dict[str, Any]) -> str:
    what = project.redo()
    return "Nothing to redo" if what is None else f"Done again: {what}"


def _move(project: Project, body: dict[str, Any]) -> str:
    to = body["to"]
    return decisions.move(project, numbers(body["rows"]), to if to is None or to == -1 else whole(to))


def _remove_photo(project: Project, body: dict[str, Any]) -> str:
    number = whole(body["photo"])
    what = f"Photo {project.photo(number).name} removed"
    project.commit(what, values={f"photo/{number}": None})
    return what


# Edits that need no network, by the name that the page sends: of (project, what the page sent), they return what was
# done in words.
_EDITS: dict[str, Callable[[Project, dict[str, Any]], str]] = {
    "undo": _undo,
    "redo": _redo,
    "rename": lambda project, body: decisions.rename(project, whole(body["c"]), words(body["name"])),
    "merge": lambda project, body: decisions.merge(project, numbers(body["groups"])),
    "move": _move,
    "split": lambda project, body: decisions.split(project, whole(body["c"])),
    "pairs": lambda project, body: decisions.say_pairs(project, numbers(body["rows"]), words(body["answer"])),
    "delete": lambda project, body: boxes.delete(project, numbers(body["rows"])),
    "never": lambda project, body: boxes.never(project, numbers(body["rows"])),
    "confidence": lambda project, body: boxes.set_confidence(project, decimal(body["value"])),
    "threshold": lambda project, body: decisions.set_threshold(project, decimal(body["value"])),
    "reach": lambda project, body: boxes.set_reach(project, decimal(body["value"])),
    "corrected": lambda project, body: boxes.mark_corrected(project, numbers(body["photos"]), bool(body["yes"])),
    "remove_photo": _remove_photo,
}


def _threshold(request: Request) -> dict[str, Any]:
    """What another distance would change, for the slider: groups in all, and the objects of a photo that would go."""
    project, photo = opened(request).project, int(request.query_params["photo"])
    with project.lock:
        after, view = decisions.regrouped(project, float(request.query_params["value"])), project.view()
    changed = after.cluster != view.grouping.cluster
    return {
        "groups": len(after.clusters), "were": len(view.grouping.clusters), "changed": int(changed.sum()),
        "rows": view.rows[changed & (view.photo == photo)].tolist(),
    }  # fmt: skip


def _review(request: Request) -> dict[str, Any]:
    project = opened(request).project
    with project.lock:
        found, view, columns = review(project), project.view(), project.document.columns
    cluster = view.grouping.cluster
    return {
        "questions": [{"a": q.first, "b": q.second, "same": round(q.same, 2),
                       "photos": [int(columns["photo"][q.first]), int(columns["photo"][q.second])],
                       "groups": cluster[np.searchsorted(view.rows, [q.first, q.second])].tolist()}
                      for q in found.questions],
        "groups": found.groups, "count": round(found.count, 1), "low": found.low, "high": found.high,
        "answered": found.answered, "enough": found.enough, "open": len(found.questions),
    }  # fmt: skip


def _alike(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """Look for more of the same: in one photo at once, in all of them as a job."""
    place, held = workplace(request), opened(request)
    project = held.project
    rows = numbers(body["rows"], max_length=4)
    project.view().local(rows)
    if body.get("everywhere"):
        order = [p.number for p in project.photos if p.source is not None]

        def work(job: Job) -> dict[str, Any]:
            found = []
            for done, number in enumerate(order):
                if job.stopped:
                    break
                job.tell("alike", project.photo(number).name)
                found.append(_proposals(place, held, rows, number))
                job.step(done + 1)
            return {"rows": rows, "found": [f for f in found if f["boxes"]]}

        place.start(held, "alike", work, total=len(order))
        return {"said": "Looking through all photos"}
    return {"rows": rows, "found": [_proposals(place, held, rows, whole(body["photo"]))]}


def _proposals(place: Workplace, held: Opened, rows: list[int], photo: int) -> dict[str, Any]:
    found = find_alike(held.project, rows, photo, place.embed_of(held))
    return {
        "photo": photo,
        "boxes": [[*box, round(s, 3)] for box, s in
                  zip(np.round(found.xyxy.astype(np.float64), 1).tolist(), found.similarity.tolist(), strict=True)],
    }  # fmt: skip


def _map(request: Request) -> dict[str, Any]:
    from packed_scenes.web.mapping import project_vectors

    held = opened(request)
    project = held.project
    how, dimensions = request.query_params.get("how", "pca"), int(request.query_params.get("d", "2"))
    if dimensions not in (2, 3):
        raise InputError("the map has 2 or 3 dimensions")
    view = project.view()
    key = ("map", how, dimensions)
    kept = held.kept.get(str(key))
    if kept is None or kept[0] != (len(project.document), project.confidence, len(view.rows)):
        points = project_vectors(project.document.columns["vector"][view.rows], dimensions=dimensions, how=how)
        kept = (len(project.document), project.confidence, len(view.rows)), points
        held.kept[str(key)] = kept
    flat = np.concatenate([kept[1], np.zeros((len(kept[1]), 3 - dimensions), np.float32)], axis=1)
    return {"points": np.round(flat.astype(np.float64), 4).tolist(), "rows": view.rows.tolist(),
            "cluster": view.grouping.cluster.tolist(), "photo": view.photo.tolist(), "d": dimensions}  # fmt: skip


ROUTES = [
    Route("/api/p/{key}/state", get(_state)),
    Route("/api/p/{key}/scene/{n:int}", get(_scene)),
    Route("/api/p/{key}/threshold", get(_threshold)),
    Route("/api/p/{key}/group/{c:int}", get(_members)),
    Route("/api/p/{key}/group/-1", get(lambda request: pagedata.members(opened(request).project, -1))),
    Route("/api/p/{key}/photo/{n:int}.jpg", get(_photo)),
    Route("/api/p/{key}/thumb/{n:int}.jpg", get(_thumb)),
    Route("/api/p/{key}/crop/{row:int}.jpg", get(_crop)),
    Route("/api/p/{key}/edit", post(_edit), methods=["POST"]),
    Route("/api/p/{key}/review", get(_review)),
    Route("/api/p/{key}/alike", post(_alike), methods=["POST"]),
    Route("/api/p/{key}/map", get(_map)),
]
