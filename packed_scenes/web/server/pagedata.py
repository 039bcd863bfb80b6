"""What the page draws, as JSON values and small pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.objects import NOISE
from packed_scenes.web.project import detector_teaching, teaching
from packed_scenes.web.project.project import Image, Project
from packed_scenes.web.project.redetection import uncorrected
from packed_scenes.web.server.models import changed
from packed_scenes.web.server.opened import Opened

MAX_SIDE = 2800  # px of the photo in the browser: fine at four times the width of a screen column
CROP_SIDE, THUMB_SIDE = 160, 220
GREY = "#969696"
MAX_MEMBERS = 500  # members of a group that the page lists, those that fit worst first


def state(opened: Opened) -> dict[str, Any]:
    """The project as a whole: photos, groups, what undo would take back, the job that runs."""
    project = opened.project
    with project.lock:
        held = opened.kept.get("state")
        if held is None or held[0] != project.version:
            held = opened.kept["state"] = project.version, _content(project)
        return held[1] | {
            "key": opened.key,
            "name": project.name,
            "sample": bool(project.folder.about.get("sample")),
            "teach": taught(opened),
            "left_out": [list(pair) for pair in opened.left_out],
            "incoming": [name for name, _ in opened.incoming],
            "job": None if opened.job is None else opened.job.to_json(),
        }  # fmt: skip


def _content(project: Project) -> dict[str, Any]:
    """What changes with edits only."""
    view, history = project.view(), project.history
    values = project.document.values
    cluster = view.grouping.cluster
    photos, corrected = project.photos, set(project.document.keyed("corrected"))
    found = {p.number: int(n) for p, n in zip(photos, _counts(view.photo, [p.number for p in photos]), strict=True)}
    doubtful = view.photo[(view.probability < 0.6) & (cluster != NOISE)]
    unsure = _counts(doubtful, [p.number for p in photos])
    return {
        "version": project.version,
        "undo": history.undoable,
        "redo": history.redoable,
        "photos": [
            {"n": p.number, "name": p.name, "w": p.size[1], "h": p.size[0], "objects": found[p.number],
             "doubtful": int(d), "corrected": str(p.number) in corrected, "tag": p.sha256[:12],
             "there": p.source is not None, "warnings": list(p.about.get("warnings", []))}
            for p, d in zip(photos, unsure, strict=True)
        ],
        "groups": groups(project),
        "objects": len(view.rows),
        "threshold": project.threshold,
        "reach": project.reach,
        "confidence": project.confidence,
        "lowest": _lowest(project),
        "never": len(project.document.keyed("never")),
        "links": len(project.document.keyed("link")),
        "edits": len([k for k in values if k.startswith(("link/", "never/", "name/"))]),
    }  # fmt: skip


def taught(opened: Opened) -> dict[str, Any]:
    """What was trained and compared, what is in use, whether a training can go on, photos to look at anew, and whether
    the network at hand is another than the one that described the objects.
    """
    project = opened.project
    found, used = teaching.known(project), project.document.values.get("embedder")
    if "embedder" in found:
        kept = used is not None and used.get("sha256") == found["embedder"].get("sha256")
        found["embedder"] = found["embedder"] | {"kept": kept}
    in_use = {"detector": detector_teaching.in_use(project), "embedder": used is not None}
    return found | {
        "in_use": in_use, "interrupted": detector_teaching.interrupted(project),
        "uncorrected": len(uncorrected(project)), "changed": changed(opened), "refused": opened.refused,
    }  # fmt: skip


def _counts(numbers: npt.NDArray[np.int64], order: list[int]) -> npt.NDArray[np.int64]:
    known, count = np.unique(numbers, return_counts=True)
    table = dict(zip(known.tolist(), count.tolist(), strict=True))
    return np.array([table.get(n, 0) for n in order], np.int64)


def _lowest(project: Project) -> float:
    """The lowest score there is, for the slider's lower end."""
    columns = project.document.columns
    scores = columns["score"][columns["alive"] & ~columns["drawn"]]
    return round(float(scores.min()), 3) if len(scores) else 0.0


def groups(project: Project) -> list[dict[str, Any]]:
    """The groups, largest first, what is in none last: number, name, colour, objects, photos, example."""
    view = project.view()
    cluster = view.grouping.cluster
    if not len(cluster):
        return []
    order = np.argsort(cluster, kind="stable")
    numbers, start = np.unique(cluster[order], return_index=True)
    listed = []
    for number, rows in zip(numbers.tolist(), np.split(order, start[1:]), strict=True):
        best = int(rows[view.probability[rows].argmax()])
        listed.append({
            "c": number, "name": view.grouping.label(number), "named": number in view.grouping.names,
            "color": hexadecimal(view.colors.get(number)) if number != NOISE else GREY, "n": len(rows),
            "photos": len(np.unique(view.photo[rows])), "row": int(view.rows[best]),
            "unsure": int((view.probability[rows] < 0.6).sum()) if number != NOISE and len(rows) > 1 else 0,
        })  # fmt: skip
    return sorted(listed, key=lambda g: (g["c"] == NOISE, -g["n"], g["c"]))


def hexadecimal(color: tuple[int, int, int] | None) -> str:
    """Write a colour as ``#rrggbb``."""
    return GREY if color is None else "#{:02x}{:02x}{:02x}".format(*color)


def scene(project: Project, number: int) -> dict[str, Any]:
    """One photo: boxes with group, membership and score, weaker boxes below the slider, outlines of the places.

    Boxes are flat: row, x1, y1, x2, y2, group, probability, score, drawn by hand; ten thousand are 600 kB.
    """
    with project.lock:
        photo, view, columns = project.photo(number), project.view(), project.document.columns
        here = view.photo == number
        rows = view.rows[here]
        weak = np.flatnonzero(columns["alive"] & ~project.visible() & (columns["photo"] == number))
        boxes = np.round(columns["xyxy"].astype(np.float64), 1)
        places = [
            {"c": place.cluster, "label": place.label, "b": [round(v, 1) for v in place.bbox],
             "rings": [_flat(ring) for polygon in place.polygons for ring in polygon]}
            for place in project.places(number)
        ]  # fmt: skip
        return {
            "n": number, "version": project.version, "w": photo.size[1], "h": photo.size[0],
            "objects": [
                [row, *box, c, round(p, 2), round(s, 3), d]
                for row, box, c, p, s, d in zip(
                    rows.tolist(), boxes[rows].tolist(), view.grouping.cluster[here].tolist(),
                    view.probability[here].tolist(), columns["score"][rows].tolist(),
                    columns["drawn"][rows].astype(int).tolist(), strict=True,
                )
            ],
            "weak": [[row, *box, round(s, 3)] for row, box, s in
                     zip(weak.tolist(), boxes[weak].tolist(), columns["score"][weak].tolist(), strict=True)],
            "places": places,
        }  # fmt: skip


def _flat(ring: Any) -> list[float]:
    return [round(float(v), 1) for point in ring for v in point]


def members(project: Project, cluster: int) -> list[list[Any]]:
    """The objects of a group, least sure first: row, probability, photo, tag that changes with the box."""
    view = project.view()
    at = np.flatnonzero(view.grouping.cluster == cluster)
    at = at[np.argsort(view.probability[at], kind="stable")][:MAX_MEMBERS]
    return [[int(view.rows[k]), round(float(view.probability[k]), 2), int(view.photo[k])] for k in at.tolist()]


def photo_jpeg(project: Project, number: int) -> bytes:
    """A photo for the browser."""
    return jpeg(project.image(number), side=MAX_SIDE)


def crop_jpeg(project: Project, row: int) -> bytes:
    """One object."""
    from packed_scenes.aggregate.legend import cut

    columns = project.document.columns
    image = project.image(int(columns["photo"][row]))
    return jpeg(cut(image, columns["xyxy"][row]), side=CROP_SIDE)


def jpeg(image: Image, *, side: int) -> bytes:
    """Encode a picture as JPEG of at most ``side`` pixels."""
    from packed_scenes.catalogue.pictures import thumbnail

    return thumbnail(image, side=side)


def png(image: Image) -> bytes:
    """Encode a picture as PNG."""
    from PIL import Image as Pillow

    out = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(image)).save(out, format="PNG")
    return out.getvalue()
