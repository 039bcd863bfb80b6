"""Names from the catalogue, searching, reports, what can be taken away."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.web import downloads
from packed_scenes.web.project.naming import suggestions
from packed_scenes.web.server.answers import decimal, file, get, opened, picture, post, whole, words, workplace

PLAN_BYTES = 2_000_000


def _names(request: Request) -> dict[str, Any]:
    """Names to offer: of this project and the catalogue; and what its groups look like there."""
    place, held = workplace(request), opened(request)
    kept = place.catalogue()
    known = [] if kept is None else kept.identities()
    mine = list(held.project.grouping.names.values())
    key = (held.project.version, None if kept is None else kept.state)
    if held.kept.get("names at") != key:
        held.kept["names"] = [] if kept is None else suggestions(held.project, kept)
        held.kept["names at"] = key
    return {
        "names": sorted({*mine, *(i.name for i in known if i.name)}),
        "offers": held.kept["names"],
    }  # fmt: skip


def _catalogue(request: Request) -> dict[str, Any]:
    kept = workplace(request).catalogue()
    if kept is None:
        return {"there": False, "identities": [], "photos": 0}
    identities = kept.identities()
    seen = {}
    for identity in identities[:300]:
        found = kept.seen(identity.identity_id)
        if found:
            seen[identity.identity_id] = found[0].object_id
    return {
        "there": True,
        "photos": len(kept.scenes()),
        "identities": [
            {"id": i.identity_id, "name": i.name or "", "n": i.n_objects, "photos": i.n_scenes,
             "first": i.first_seen[:16].replace("T", " "), "last": i.last_seen[:16].replace("T", " "),
             "crop": seen.get(i.identity_id)}
            for i in identities
        ],
    }  # fmt: skip


def _catalogue_crop(request: Request) -> Response:
    kept = workplace(request).catalogue()
    number = int(request.path_params["id"])
    found = {} if kept is None else kept.crops([number])
    if number not in found:
        raise InputError("there is no such picture")
    return picture(found[number])


def _catalogue_add(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    from packed_scenes.web.project.naming import add_named

    kept, held = workplace(request).catalogue(), opened(request)
    if kept is None:
        raise InputError("the app keeps no catalogue", remedy="Start it with --catalogue FOLDER.")
    added = add_named(held.project, kept)
    said = (
        f"{added.n_objects} objects added: {len(added.known)} known identities seen again, {len(added.new)} new"
        if added.scenes else "These photos are in the catalogue already"
    )  # fmt: skip
    return {"said": said}


def _catalogue_rename(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    kept = workplace(request).catalogue()
    if kept is None:
        raise InputError("the app keeps no catalogue", remedy="Start it with --catalogue FOLDER.")
    kept.rename(whole(body["id"]), words(body["name"], max_length=120).strip() or None)
    return {"said": "Renamed in the catalogue"}


def _search(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """The most alike objects of a box on a photo, in this project or in the catalogue."""
    place, held = workplace(request), opened(request)
    project = held.project
    image = project.image(whole(body["photo"]))
    box = np.array([[decimal(v) for v in body["box"]]], np.float64)
    vector = place.embed_of(held)(image, box)[0]
    if body.get("where") == "catalogue":
        from packed_scenes.retrieval import Searcher

        kept = place.catalogue()
        if kept is None or not kept.scenes():
            raise InputError("the catalogue is empty", remedy="Add these photos to it first.")
        answer = Searcher.from_catalogue(kept).search(vector[None], top=12)[0]
        title = None if answer.identity is None else kept.identity(answer.identity).label
        hits = [{"crop": f"/api/catalogue/crop/{h.object_id}.jpg", "name": h.name or f"#{h.identity}",
                 "distance": round(h.distance, 3), "photo": h.scene} for h in answer.hits]  # fmt: skip
        return {"title": title, "hits": hits}
    view = project.view()
    if not len(view.rows):
        raise InputError("there are no objects to search in", remedy="Add photos first.")
    similarity = project.document.columns["vector"][view.rows] @ vector
    best = np.argsort(-similarity, kind="stable")[:24]
    grouping = view.grouping
    first = int(best[0])
    near = 1 - float(similarity[first]) <= grouping.threshold and grouping.cluster[first] != NOISE
    return {
        "title": grouping.label(int(grouping.cluster[first])) if near else None,
        "hits": [
            {"row": int(view.rows[k]), "name": grouping.label(int(grouping.cluster[k])),
             "distance": round(max(0.0, 1 - float(similarity[k])), 3), "photo": int(view.photo[k]),
             "c": int(grouping.cluster[k])}
            for k in best.tolist()
        ],
    }  # fmt: skip


def _report(request: Request) -> dict[str, Any]:
    project, number = opened(request).project, int(request.path_params["n"])
    found = downloads.report(project, number)
    return {
        "facings": len(found.objects),
        "products": sum(s.cluster != NOISE for s in found.totals),
        "boards": found.rows.count,
        "lines": [
            {"c": s.cluster, "name": project.grouping.label(s.cluster), "n": s.facings, "count": round(s.of_count, 4),
             "area": round(s.of_area, 4), "boards": sorted({x.row for x in found.lines if x.cluster == s.cluster})}
            for s in found.totals
        ],
        "gaps": [{"board": g.row, "room": g.room, "left": g.left, "right": g.right} for g in found.gaps],
    }  # fmt: skip


def _plan(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    from packed_scenes.aggregate import compare_layouts, layout_of
    from packed_scenes.aggregate.planogram import parse_planogram

    project = opened(request).project
    text = words(body["text"], max_length=PLAN_BYTES)
    found = compare_layouts(
        parse_planogram(text, file="the plan"), layout_of(downloads.report(project, whole(body["photo"])))
    )
    return {"agreement": round(found.agreement, 4), "missing": len(found.missing), "moved": len(found.moved),
            "extra": len(found.extra)}  # fmt: skip


def _download(request: Request) -> Response:
    project = opened(request).project
    kind = request.path_params["kind"]
    number = int(request.query_params.get("photo", "0"))
    if kind == "objects.csv":
        return file(downloads.objects_table(project), kind, "text/csv; charset=utf-8")
    if kind == "objects.json":
        return file(downloads.coco(project), kind, "application/json")
    if kind == "overlay.png":
        return file(downloads.overlay(project, number), f"{project.photo(number).name}.png", "image/png")
    if kind == "groups.png":
        return file(downloads.contact_sheet(project), kind, "image/png")
    if kind == "report.html":
        return file(downloads.report_page(project, number), f"{project.photo(number).name}.html", "text/html")
    if kind == "plan.csv":
        from packed_scenes.aggregate import layout_of, planogram_csv

        return file(planogram_csv(layout_of(downloads.report(project, number))), kind, "text/csv; charset=utf-8")
    if kind == "run.zip":
        return file(downloads.run_zip(project), kind, "application/zip")
    if kind.startswith("export-") and kind.endswith(".zip"):
        form = kind.removeprefix("export-").removesuffix(".zip")
        return file(downloads.exported(project, form), f"{form}.zip", "application/zip")
    raise InputError("there is no such file")


ROUTES = [
    Route("/api/p/{key}/names", get(_names)),
    Route("/api/p/{key}/search", post(_search), methods=["POST"]),
    Route("/api/p/{key}/report/{n:int}", get(_report)),
    Route("/api/p/{key}/plan", post(_plan), methods=["POST"]),
    Route("/api/p/{key}/download/{kind}", get(_download)),
    Route("/api/p/{key}/catalogue", post(_catalogue_add), methods=["POST"]),
    Route("/api/catalogue", get(_catalogue)),
    Route("/api/catalogue/rename", post(_catalogue_rename), methods=["POST"]),
    Route("/api/catalogue/crop/{id:int}.jpg", get(_catalogue_crop)),
]
