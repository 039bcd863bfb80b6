"""Teaching a project: train the detector or the embedder, keep or discard what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.web.project import detector_teaching, embedder_teaching, teaching
from packed_scenes.web.project.adding import observe
from packed_scenes.web.project.project import Image
from packed_scenes.web.project.redetection import redetect, uncorrected
from packed_scenes.web.server.answers import decimal, get, numbers, opened, post, workplace
from packed_scenes.web.server.jobs import Job
from packed_scenes.web.server.models import changed, networks_of, observer_of
from packed_scenes.web.server.opened import Opened
from packed_scenes.web.server.workplace import Workplace


def _teach(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    place, held = workplace(request), opened(request)
    if held.job is not None and not held.job.finished:
        raise InputError("something is going on in this project already", remedy="Wait for it, or stop it.")
    kinds = {"detector": _teach_detector, "embedder": _teach_embedder}
    if body.get("kind") not in kinds:
        raise InputError("teach the detector or the embedder")
    return {"said": kinds[body["kind"]](place, held, body)}


def _teach_detector(place: Workplace, held: Opened, body: dict[str, Any]) -> str:
    project, what = held.project, body.get("what")
    if what == "keep":
        return detector_teaching.keep(project)
    if what == "discard":
        return detector_teaching.discard(project)
    if what == "again":
        return _again(place, held)
    if what == "resume":
        if not detector_teaching.interrupted(project):
            raise InputError("there is no training to go on with", remedy="Start one.")
        return _train(place, held, "detector", project.folder.path / teaching.FOLDER / "new" / "spec.json")
    if what != "train":
        raise InputError("train, resume, keep, discard or look again")
    spec = detector_teaching.prepare(project, numbers(body["photos"]), minutes=decimal(body["minutes"]))
    return _train(place, held, "detector", spec)


def _teach_embedder(place: Workplace, held: Opened, body: dict[str, Any]) -> str:
    project, what = held.project, body.get("what")
    if what == "keep":
        return _use(place, held, embedder_teaching.file_away(project))
    if what == "renew":
        if not changed(held):
            raise InputError("these objects are described by the network at hand")
        return _use(place, held, None)
    if what == "discard":
        teaching.remember(project, "embedder", None)
        if project.document.values.get("embedder") is None:
            return "The trained network is discarded"
        return _use(place, held, None)
    if what != "train":
        raise InputError("train, keep, discard or renew")
    return _train(place, held, "embedder", embedder_teaching.prepare(project, numbers(body["photos"])))


def _train(place: Workplace, held: Opened, kind: str, spec: Path) -> str:
    networks_of(held)  # what the training starts from may be opened here

    def work(job: Job) -> None:
        def report(line: dict[str, Any]) -> None:
            if line["stage"] != job.stage:
                job.begin(str(line["stage"]), done=int(line["done"]))
            job.total = int(line["total"])
            job.step(int(line["done"]))

        teaching.remember(held.project, kind, teaching.run(spec, report, lambda: job.stopped))

    place.start(held, "teach", work)
    return "The training has begun; you can go on working"


def _use(place: Workplace, held: Opened, value: dict[str, Any] | None) -> str:
    """Describe all objects anew with the taught network, or with the shipped one."""
    from packed_scenes.embed import Embedder

    project = held.project
    embedder = networks_of(held).embedder if value is None else Embedder.load(project.folder.path / value["file"])

    def work(job: Job) -> None:
        def embed(image: Any, boxes: Any) -> Any:
            with place.models:
                return embedder.embed(image, boxes)

        job.begin("renew")
        embedder_teaching.keep(project, embed, value=value, report=job.step, stop=lambda: job.stopped)
        if value is None and changed(held):  # undo would bring back vectors of a network that is not there any more
            project.history.settle()
            known = dict(project.folder.about.get("weights") or {})
            project.folder.save_about(weights=known | {"embedder": embedder.weights_hash})

    place.start(held, "renew", work, total=len(project.photos))
    return "All objects are described anew"


def _again(place: Workplace, held: Opened) -> str:
    """Find the boxes of all photos that are not marked as right with the detector in use."""
    project, observer = held.project, observer_of(held)
    photos = uncorrected(project)
    if not photos:
        raise InputError("every photo is marked as right", remedy="Add photos.")

    def look(image: Image, name: str) -> Objects:
        return observe(image, observer, name=name, models=place.models)[0]

    def work(job: Job) -> None:
        job.begin("again")
        redetect(project, photos, look, report=job.step, stop=lambda: job.stopped)

    place.start(held, "again", work, total=len(photos))
    return "Boxes are found anew on photos that are not marked as right"


def _compared(request: Request) -> list[dict[str, Any]]:
    return detector_teaching.compared(opened(request).project)


ROUTES = [
    Route("/api/p/{key}/teach", post(_teach), methods=["POST"]),
    Route("/api/p/{key}/compared", get(_compared)),
]
