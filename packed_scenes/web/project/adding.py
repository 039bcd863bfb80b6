"""Photos into a project: read, find, describe, group; one change per photo, so that a crash loses at most one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.archive import Limits, read_zip
from packed_scenes.data.errors import InputError
from packed_scenes.data.files import read_bytes
from packed_scenes.data.images import decode_image
from packed_scenes.data.objects import NOISE, Objects
from packed_scenes.merged_boxes import split_merged
from packed_scenes.second_look import rescored
from packed_scenes.web.project.boxes import bring_in, unwanted
from packed_scenes.web.project.decisions import group, link_pairs
from packed_scenes.web.project.project import Image, Project

if TYPE_CHECKING:
    from packed_scenes.observe import Observer

MEGA = 1_000_000
BELOW = 0.4  # boxes are kept from this share of the detector's own score on, for the slider
MIN_BELOW = 40  # at least so many of them
OVERLAP = 0.5  # intersection over union from which a weaker box is the stronger one's

Report = Callable[[str, str], None]  # stage, name


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What one project may hold.

    Attributes:
        photos: number of photos.
        pixels: pixels of one photo; 50 million is the largest common phone photo.
        archive_bytes: unpacked size of an archive.
        every: of a video every n-th frame is taken.
    """

    photos: int = 1000
    pixels: int = 50 * MEGA
    archive_bytes: int = 2000 * MEGA
    every: int = 30


@dataclass(frozen=True)
class Incoming:
    """A file on its way in.

    Attributes:
        name: as people call it.
        content: reads its bytes.
        path: where it lies, if it is taken by reference; None = a copy is kept.
    """

    name: str
    content: Callable[[], bytes]
    path: Path | None = None


def incoming(files: Iterable[tuple[str, Path]], *, caps: Caps, keep: bool, errors: list[tuple[str, str]]) -> Iterator[
    Incoming
]:  # fmt: skip
    """List files; zip archives are opened, members one at a time.

    Args:
        files: (name, path).
        caps: the limits.
        keep: whether plain files stay where they are (taken by reference).
        errors: gets (name, reason) of archives that cannot be read.
    """
    for name, path in files:
        try:
            with open(path, "rb") as file:
                is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        except OSError as error:
            errors.append((name, f"cannot be read ({error.strerror})"))
            continue
        if not is_zip:
            yield Incoming(name, lambda path=path: read_bytes(path), path if keep else None)  # type: ignore[misc]
            continue
        limits, found = Limits(files=caps.photos * 10, total_bytes=caps.archive_bytes), 0
        try:
            for member, content in read_zip(path, name=name, limits=limits):
                found += 1
                yield Incoming(member, lambda content=content: content)  # type: ignore[misc]
        except InputError as error:
            errors.append((name, reason(error, name)))
        else:
            if not found:
                errors.append((name, "the archive holds no pictures"))


def add_photos(
    project: Project, files: Iterable[Incoming], observer: Observer, *, caps: Caps, report: Report,
    stop: Callable[[], bool] = lambda: False, models: AbstractContextManager[Any] | None = None,
    errors: list[tuple[str, str]] | None = None,
) -> list[tuple[str, str]]:  # fmt: skip
    """Analyse photos into a project, then group everything.

    Args:
        project: changes, photo by photo.
        files: what to read.
        observer: the models.
        caps: the limits.
        report: called with the stage (``read``, ``detect``, ``embed``, ``group``) and the photo's name.
        stop: asked before each photo; what is done stays.
        models: held while a model runs.
        errors: gets (name, reason) of what had to be left out, as it happens.

    Returns:
        The errors.

    Memory: one photo.
    """
    errors = [] if errors is None else errors
    first = not project.document.keyed("photo") or "threshold" not in project.document.values
    added = 0
    for file in files:
        if stop():
            break
        if len(project.document.keyed("photo")) >= caps.photos:
            errors.append((file.name, f"only {caps.photos} photos in one project"))
            continue
        report("read", file.name)
        try:
            content = file.content()
            image = decode_image(content, name=file.name, max_pixels=caps.pixels)
            sha256 = hashlib.sha256(content).hexdigest()
            if any(value["sha256"] == sha256 for value in project.document.keyed("photo").values()):
                raise InputError("this photo is there already")
            where: dict[str, Any] = {"path": str(file.path)} if file.path else {
                "file": project.folder.keep_photo(content, sha256, PurePath(file.name).suffix)
            }  # fmt: skip
            del content
            objects, detection = observe(image, observer, report=report, name=file.name, models=models)
            add_scene(project, file.name, image.shape[:2], objects, sha256=sha256, where=where, detection=detection)
            added += 1
        except InputError as error:  # one bad file never stops the rest
            errors.append((file.name, reason(error, file.name)))
    if added or _ungrouped(project):
        report("group", "")
        with project.lock:
            same, different = link_pairs(project)
            chosen = (project.folder.about.get("settings") or {}).get("threshold") if first else project.threshold
            after = group(project, project.grouping, same, different, threshold=chosen)
            project.commit_grouping("Groups of the new photos", after)
    return errors


def _ungrouped(project: Project) -> bool:
    """Whether a photo came last: what added it was killed before it grouped, or found nothing to change."""
    values = project.history.done[project.history.at - 1].values if project.history.at else {}
    return any(key.startswith("photo/") and before is None for key, (before, _) in values.items())


def observe(
    image: Image,
    observer: Observer,
    *,
    report: Report = lambda *_: None,
    name: str = "",
    models: AbstractContextManager[Any] | None = None,
) -> tuple[Objects, dict[str, Any]]:
    """Find and describe the objects of a picture, the doubtful ones below the detector's own score, too.

    Those of at least the ``confidence`` that is returned are what :meth:`packed_scenes.observe.Observer.observe` finds.
    """
    models = models or nullcontext()
    detector, embedder = observer.detector, observer.embedder
    report("detect", name)
    with models:
        found, info = detector.detect_with_info(image)
    report("embed", name)
    with models:
        found = found.replace(embedding=embedder.embed(image, found.xyxy))
        if observer.settings.second_look:
            found = split_merged(image, found, info.low_score_objects, embedder.embed)
            found = found.replace(score=rescored(found))  # what it doubts stays, below the slider
        weaker = _weaker(found, info.low_score_objects, detector.confidence)
        weaker = weaker.replace(embedding=embedder.embed(image, weaker.xyxy))
    about = {"confidence": detector.confidence, "warnings": list(info.warnings)}
    return Objects.concat([found, weaker.replace(object_id=[f"w{k}" for k in range(len(weaker))])]), about


def _weaker(found: Objects, low_score_objects: Objects, confidence: float) -> Objects:
    """What the detector saw below its own score, where nothing was found."""
    from packed_scenes.data.overlaps import pairwise_iou

    weak = low_score_objects.select(low_score_objects.score >= BELOW * confidence)
    if len(weak) and len(found):
        weak = weak.select(pairwise_iou(weak.xyxy, found.xyxy).max(axis=1) < OVERLAP)
    return weak.select(slice(0, max(MIN_BELOW, len(found))))


def add_scene(
    project: Project, name: str, size: Sequence[int], objects: Objects, *, sha256: str, where: dict[str, Any],
    detection: dict[str, Any],
) -> int:  # fmt: skip
    """Add one analysed photo; returns its number."""
    from packed_scenes.sources import safe_name

    with project.lock:
        document = project.document
        number = 1 + max([int(k) for k in document.keyed("photo")] + [int(document.columns["photo"].max(initial=-1))])
        shown = safe_name(PurePath(name.replace("\\", "/")).stem)
        taken = {str(value["name"]) for value in document.keyed("photo").values()}
        base, count = shown, 1
        while shown in taken:
            count += 1
            shown = f"{base} {count}"
        vector = objects.embedding
        assert vector is not None
        total = len(objects)
        rows, file = np.zeros(0, np.int64), None
        if total:
            rows, file = project.history.append_rows({
                "photo": np.full(total, number, np.int64), "xyxy": objects.xyxy, "score": objects.score,
                "cluster": np.full(total, NOISE, np.int64), "alive": np.zeros(total, np.bool_),
                "drawn": np.zeros(total, np.bool_), "vector": vector,
            })  # fmt: skip
        never = vector_rows(project, "never")
        keep = rows[~unwanted(vector, never, project.threshold)] if total else rows
        values: dict[str, Any] = {
            f"photo/{number}": {"name": shown, "size": [int(size[0]), int(size[1])], "sha256": sha256, **where,
                                "warnings": detection.get("warnings", [])},
        }  # fmt: skip
        confidence = document.values.get("confidence", detection.get("confidence", 0.0))
        values["confidence"] = confidence
        sure = keep[document.columns["score"][keep] >= confidence]
        weak = np.setdiff1d(keep, sure)
        what = f"Photo {shown} added"
        bring_in(project, what, sure, file=file, values=values, also=weak)  # below the slider: there, in no group
        return number


def vector_rows(project: Project, key: str) -> npt.NDArray[np.float32]:
    """The vectors of the rows that are kept under a key, such as ``never/17``."""
    rows = [int(row) for row in project.document.keyed(key)]
    return np.asarray(project.document.columns["vector"][rows], np.float32)


def reason(error: Exception, name: str) -> str:
    """What went wrong, without the name in front."""
    return str(error).removeprefix(f"{name}: ")
