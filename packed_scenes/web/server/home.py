"""Opening, making, importing, exporting projects, and bringing photos in."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import sha256_file
from packed_scenes.data.folders import list_images
from packed_scenes.data.shipped import SAMPLE_FOLDER
from packed_scenes.data.text import load_json
from packed_scenes.sources import safe_name
from packed_scenes.web.project.adding import Incoming, add_photos, incoming
from packed_scenes.web.project.folder import ABOUT, ASIDE, export_zip
from packed_scenes.web.project.sample import READY
from packed_scenes.web.server.answers import file, get, opened, picture, post, whole, words, workplace
from packed_scenes.web.server.guard import below
from packed_scenes.web.server.jobs import Job, sentence
from packed_scenes.web.server.models import networks_of, observer_of
from packed_scenes.web.server.opened import Opened
from packed_scenes.web.server.receiving import receive
from packed_scenes.web.server.workplace import Workplace

SAMPLES = ("shelf", "tray")
MAX_LISTED = 1000  # files left out that a project lists


def _home(request: Request) -> dict[str, Any]:
    place = workplace(request)
    recent = place.recent(visit=request.scope["visit"])
    return {
        "recent": recent,
        "first": place.first,
        "samples": [name for name in SAMPLES if (SAMPLE_FOLDER / f"{name}.jpg").is_file()],
        "folders": [str(folder) for folder in place.photos],
        "catalogue": place.catalogue_folder is not None,
        "max_upload": place.max_upload,
        "caps": {"photos": place.caps.photos, "pixels": place.caps.pixels},
    }


def _new(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    place, visit = workplace(request), request.scope["visit"]
    sample = body.get("sample")
    if sample is not None:
        if sample not in SAMPLES:
            raise InputError("there is no such sample")
        return {"key": open_sample(place, str(sample), visit)}
    return {"key": place.make(words(body.get("name", ""), max_length=80), owner=visit).key}


def open_sample(place: Workplace, sample: str, visit: str) -> str:
    """Make a project of a sample: from the result that ships where it fits the models, else by analysing it."""
    title = f"Sample {sample}"
    if sample == "shelf" and READY.is_file() and sample_fits(place):
        made = place.unpack(READY, title, owner=visit, prepare=_put_photo)
        made.project.folder.save_about(sample=True)
        return made.key
    made = place.make(title, owner=visit)
    made.project.folder.save_about(sample=True)
    path = SAMPLE_FOLDER / f"{sample}.jpg"
    _analyse_files(place, made, [(path.name, path)], total=1)
    return made.key


def _put_photo(folder: Path) -> None:
    """The photo of the sample ships beside the zip, not in it."""
    photo = folder / "photos" / f"{sha256_file(SAMPLE_FOLDER / 'shelf.jpg')[:16]}.jpg"
    photo.parent.mkdir(exist_ok=True)
    shutil.copyfile(SAMPLE_FOLDER / "shelf.jpg", photo)


def sample_fits(place: Workplace) -> bool:
    """Whether the analysed sample that ships was made with this embedder."""
    import zipfile

    try:
        with zipfile.ZipFile(READY) as archive:
            about = load_json(archive.read(ABOUT))
        return bool(about["weights"]["embedder"] == place.observer.embedder.weights_hash)
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        return False


def _about(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    name = " ".join(words(body.get("name"), max_length=80).split())
    if not name or not name.isprintable():
        raise InputError("this cannot be a name", remedy="Use printable characters.")
    opened(request).project.folder.save_about(name=name)
    return {"said": f"The project is called {name}"}


def _copy(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    made = workplace(request).copy(
        opened(request), words(body.get("name", ""), max_length=80), owner=request.scope["visit"]
    )
    return {"key": made.key, "said": f"Saved as {made.project.name}; work goes on in the copy"}


def _delete(request: Request) -> dict[str, Any]:
    workplace(request).remove(str(request.path_params["key"]), visit=request.scope["visit"])
    return {"said": "The project is deleted"}


def _export(request: Request) -> Response:
    held = opened(request)
    project = held.project
    with tempfile.TemporaryDirectory(prefix=ASIDE, dir=project.folder.path) as aside:
        out = Path(aside) / "project.zip"
        with project.lock:
            photos = [(p.sha256, p.source.path) for p in project.photos if p.source and p.source.path]
            export_zip(project.folder.path, photos, out)
        return file(out.read_bytes(), f"{safe_name(project.name)}.zip", "application/zip")


async def _upload(request: Request) -> Response:
    try:
        held = opened(request)
        name = words(request.query_params.get("name"), max_length=400)
        if len(held.incoming) >= workplace(request).caps.photos:
            raise InputError("these are too many files at once")
        path = await receive(request, held.project.folder.path / "incoming", workplace(request).max_upload)
    except InputError as error:
        return JSONResponse({"error": sentence(error)}, 400)
    except ClientDisconnect:  # nobody is there to be answered
        return Response(status_code=400)
    held.incoming.append((name, path))
    return JSONResponse({"waiting": len(held.incoming)})


async def _import(request: Request) -> Response:
    place = workplace(request)
    path: Path | None = None
    try:
        title = safe_name(Path(words(request.query_params.get("name", "project"), max_length=200)).stem)
        path = await receive(request, place.root / ".receiving", 40 * place.max_upload)

        made = await run_in_threadpool(place.unpack, path, title, owner=request.scope["visit"])
        made.project.folder.save_about(run=None, left_out=None, teach=None)
        key = made.key
    except InputError as error:
        return JSONResponse({"error": sentence(error)}, 400)
    except ClientDisconnect:
        return Response(status_code=400)
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
    return JSONResponse({"key": key})


def _analyse(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    place, held = workplace(request), opened(request)
    every = whole(body.get("every", place.caps.every), minimum=1)
    if body.get("folder"):
        path = below(words(body["folder"], max_length=4000), place.photos)
        _analyse_folder(place, held, path, every=every)
        return {"said": f"Reading {path.name}"}
    if not held.incoming:
        raise InputError("there is nothing to analyse", remedy="Drop photos first.")
    waiting, held.incoming = held.incoming, []
    try:
        _analyse_files(place, held, waiting, total=len(waiting), every=every, remove=True)
    except InputError:
        held.incoming = waiting
        raise
    return {"said": "Started"}


def _analyse_folder(place: Workplace, held: Opened, path: Path, *, every: int) -> None:
    from packed_scenes.frames import is_video

    if path.is_file():
        files = [path]
    else:
        videos = sorted(p for p in path.rglob("*") if is_video(p) and p.is_file())
        try:
            files = [*list_images([path]), *videos]
        except InputError:
            if not videos:
                raise
            files = videos
    _analyse_files(place, held, [(p.name, p) for p in files], total=len(files), every=every, keep=True)


def _analyse_files(
    place: Workplace, held: Opened, files: list[tuple[str, Path]], *, total: int, every: int = 30, keep: bool = False,
    remove: bool = False,
) -> None:  # fmt: skip
    from packed_scenes.frames import extract_frames, is_video

    observer = observer_of(held)

    def work(job: Job) -> dict[str, Any]:
        errors: list[tuple[str, str]] = held.failing
        errors.clear()
        count = 0

        def listed() -> Any:
            for name, path in files:
                try:
                    if keep:
                        below(str(path), place.photos)
                except InputError:
                    errors.append((name, "a link that leads outside the folders that were named at the start"))
                    continue
                if is_video(name):
                    job.tell("frames", name)
                    try:
                        frames = extract_frames(
                            path, held.project.folder.path / "frames" / safe_name(name), every=every
                        )[: place.caps.photos]
                    except InputError as error:
                        errors.append((name, str(error).removeprefix(f"{path}: ")))
                        continue
                    job.total += len(frames) - 1
                    for frame in frames:
                        yield Incoming(f"{Path(name).stem} {frame.stem.rsplit('_', 1)[-1]}.png", frame.read_bytes)
                else:
                    yield from incoming([(name, path)], caps=place.caps, keep=keep, errors=errors)

        def tell(stage: str, name: str) -> None:
            nonlocal count
            if stage == "read":
                count += 1
                job.step(count - 1)
                job.total = max(job.total, count)
            job.tell(stage, name)

        try:
            add_photos(
                held.project, listed(), observer, caps=place.caps, report=tell, stop=lambda: job.stopped,
                models=place.models, errors=errors,
            )  # fmt: skip
            held.project.folder.save_about(weights={
                "embedder": networks_of(held).embedder.weights_hash, "detector": observer.detector.weights_hash,
            })  # fmt: skip
        finally:
            held.project.folder.save_about(left_out=errors[:MAX_LISTED] or None)
            shutil.rmtree(held.project.folder.path / "frames", ignore_errors=True)
            if remove:
                for _, path in files:
                    path.unlink(missing_ok=True)
        job.step(job.total)
        return {"errors": [list(pair) for pair in errors]}

    place.start(held, "photos", work, total=total)


def _stop(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    held = opened(request)
    return {"said": "Nothing is going on" if held.job is None else held.job.stop()}


def _sample_picture(request: Request) -> Response:
    from packed_scenes.data.images import read_image
    from packed_scenes.web.server.pagedata import jpeg

    name = request.path_params["name"]
    if name not in SAMPLES:
        raise InputError("there is no such sample")
    return picture(jpeg(read_image(SAMPLE_FOLDER / f"{name}.jpg"), side=420))


ROUTES = [
    Route("/api/home", get(_home)),
    Route("/api/new", post(_new), methods=["POST"]),
    Route("/api/import", _import, methods=["PUT"]),
    Route("/api/sample/{name}.jpg", get(_sample_picture)),
    Route("/api/p/{key}/about", post(_about), methods=["POST"]),
    Route("/api/p/{key}/copy", post(_copy), methods=["POST"]),
    Route("/api/p/{key}", get(_delete), methods=["DELETE"]),
    Route("/api/p/{key}/export.zip", get(_export)),
    Route("/api/p/{key}/upload", _upload, methods=["PUT"]),
    Route("/api/p/{key}/analyse", post(_analyse), methods=["POST"]),
    Route("/api/p/{key}/stop", post(_stop), methods=["POST"]),
]
