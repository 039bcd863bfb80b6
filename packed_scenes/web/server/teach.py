"""Teaching a project: train the detector or the embedder, keep or discard what came out."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from packed_scenes.data.errors import InputError
from packed_scenes.web.project import embedder_teaching, teaching
from packed_scenes.web.server.answers import decimal, numbers, opened, post, workplace
from packed_scenes.web.server.jobs import Job
from packed_scenes.web.server.opened import Opened
from packed_scenes.web.server.workplace import Workplace


def _teach(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    place, held = workplace(request), opened(request)
    project, what, kind = held.project, body.get("what"), body.get("kind")
    if kind not in ("detector", "embedder"):
        raise InputError("teach the detector or the embedder")
    if held.job is not None and not held.job.finished:
        raise InputError("something is going on in this project already", remedy="Wait for it, or stop it.")
    if what == "keep":
        return {
            "said": teaching.keep(project)
            if kind == "detector"
            else _use(place, held, embedder_teaching.file_away(project))
        }
    if what == "discard":
        if kind == "detector":
            return {"said": teaching.discard(project)}
        teaching.remember(project, "embedder", None)
        if project.document.values.get("embedder") is None:
            return {"said": "The trained network is discarded"}
        return {"said": _use(place, held, None)}
    if what != "train":
        raise InputError("train, keep or discard")
    photos = numbers(body["photos"])
    if kind == "detector":
        spec = teaching.prepare(project, photos, minutes=decimal(body["minutes"]))
    else:
        spec = embedder_teaching.prepare(project, photos)

    def work(job: Job) -> None:
        def report(line: dict[str, Any]) -> None:
            if line["stage"] != job.stage:
                job.begin(str(line["stage"]))
            job.total = int(line["total"])
            job.step(int(line["done"]))

        teaching.remember(project, kind, teaching.run(spec, report, lambda: job.stopped))

    place.start(held, "teach", work)
    return {"said": "The training has begun; you can go on working"}


def _use(place: Workplace, held: Opened, value: dict[str, Any] | None) -> str:
    """Describe all objects anew with the taught network, or with the shipped one."""
    from packed_scenes.embed import Embedder

    project = held.project
    embedder = place.observer.embedder if value is None else Embedder.load(project.folder.path / value["file"])

    def work(job: Job) -> None:
        def embed(image: Any, boxes: Any) -> Any:
            with place.models:
                return embedder.embed(image, boxes)

        job.begin("renew")
        embedder_teaching.keep(project, embed, value=value, report=job.step, stop=lambda: job.stopped)

    place.start(held, "renew", work, total=len(project.photos))
    return "All objects are described anew"


ROUTES = [Route("/api/p/{key}/teach", post(_teach), methods=["POST"])]
