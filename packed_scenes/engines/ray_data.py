"""The same run on many machines: the stages as Ray Data operators, files in local, shared or object storage.

    read (tasks) -> observe (actors that hold the models) -> [cluster, in the driver] -> draw (tasks)

Ray schedules, limits what is read ahead when its memory fills, and repeats the work of a lost worker or machine; what
Ray gives up is submitted again (``ray_rounds``). The observation of a picture is kept in ``OUT/.seen`` when
it is known, so nothing is observed twice, and a run that was broken off is gone on with by either engine. The second
half (identities, congregations) is the same code on the same vectors as in one process, so its results are the same to
the byte.

Memory: per machine, the object store with pictures between the operators (24 MB for 8 megapixels) and the models of
its actors; in the driver, all vectors and boxes (N x D float32).
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.extras import remedy
from packed_scenes.engines.ray_rounds import RETRIES, Row, rounds
from packed_scenes.engines.ray_workers import Observing, draw, read
from packed_scenes.observation import Observation, parse_observation
from packed_scenes.observe import Observer, reason, separate_errors, weights_of
from packed_scenes.pictures import Picture, PictureCache, Source
from packed_scenes.settings import Settings
from packed_scenes.sources import given_boxes, sources
from packed_scenes.storage import Storage, is_url

if TYPE_CHECKING:
    from packed_scenes.aggregate.colors import Color
    from packed_scenes.analysis import Progress
    from packed_scenes.data.boxes import BoxFile
    from packed_scenes.results import Analysis, SceneResult
    from packed_scenes.sources import GivenBoxes

READ_CPUS = 0.25  # reading a photo takes a twentieth of the time of observing it on a core
OBSERVE_CPUS = 0.75  # with a reader beside it, one core


@contextmanager
def cluster() -> Iterator[None]:
    """Join the Ray cluster of ``RAY_ADDRESS``, or start one on this machine for as long as the block lasts.

    A cluster that is joined already is used and left alone. Nothing is reported to anybody.

    Raises:
        InputError: if Ray is not installed or the cluster is not there.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Under `uv run` Ray would start every worker by another `uv run` in a copy of the folder; workers use what is here.
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    try:
        import ray
    except ImportError as error:
        raise InputError("the Ray engine needs Ray", remedy=f"{remedy('ray')}, or use --engine local.") from error
    if ray.is_initialized():
        yield
        return
    address = os.environ.get("RAY_ADDRESS") or "local"
    folder = tempfile.mkdtemp(prefix="ray-") if address == "local" else None  # short: it holds sockets' paths
    more: dict[str, Any] = {} if folder is None else {"_temp_dir": folder, "include_dashboard": False}
    try:
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", **more)
        except ConnectionError as error:
            raise InputError(
                f"no Ray cluster at {address}", remedy="Start one (ray start --head), or unset RAY_ADDRESS."
            ) from error
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def analyze_on_ray(
    pictures: Picture | Sequence[Picture],
    out: str,
    *,
    boxes: GivenBoxes | None = None,
    settings: Settings | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    make_observer: Callable[[Settings], Observer] = Observer,
) -> Analysis:
    """Analyse pictures on the Ray cluster and write the run folder: what ``analyze(...).save(out)`` would write.

    Args:
        pictures: as of :func:`packed_scenes.analyze`; every machine must be able to read them.
        out: path or URL of the run folder; every machine must be able to write it.
        boxes: given boxes.
        settings: of the run.
        resume: reuse what an earlier run into ``out`` has observed.
        progress: wraps the loops over scenes, given (scenes, label, total).
        make_observer: makes the models in each actor.

    Raises:
        InputError: if nothing could be analysed, the run folder cannot be written, or there is no cluster.
    """
    from packed_scenes.analysis import group_scenes

    settings = settings or Settings()
    found = [replace(s, path=s.path.resolve()) if s.path else s for s in sources(pictures)]  # workers start elsewhere
    given = given_boxes(boxes, found)
    store = Storage(out if is_url(out) else str(Path(out).resolve()))
    if not resume:
        store.delete(".seen")
    track = progress or (lambda items, _label, _total: items)
    with cluster():
        start = time.perf_counter()
        weights: dict[str, str] = {}
        observed = observe_on_ray(found, settings, store, given, make_observer, weights)
        observations, errors = separate_errors(track(observed, "scenes", len(found)), len(found))
        observer = make_observer(settings)
        analysis = group_scenes(
            observations,
            errors,
            settings=settings,
            card=observer.embedder.card,
            weights=weights_of(observer) | weights,
            seconds={"observe": time.perf_counter() - start},
            pictures=PictureCache(),
            given=given,
        )
        save_on_ray(analysis, store, track)
    return analysis


def observe_on_ray(
    found: Sequence[Source],
    settings: Settings,
    store: Storage,
    given: BoxFile | None,
    make_observer: Callable[[Settings], Observer],
    weights: dict[str, str],
) -> Iterator[tuple[Source, Observation | Exception]]:
    """Yield what is in each scene, in order; an exception stands for a picture that could not be used.

    ``weights`` is given the SHA-256 of the weights that the actors have used.
    """
    import ray

    actors, gpus = _actors(settings)
    held: dict[int, Observation | Exception] = {}
    works: list[Row] = []
    for number, source in enumerate(found):
        try:
            works.append({"number": number, "work": pickle.dumps((source, given and _only(given, source)))})
        except InputError as error:
            held[number] = error
    if not works:
        yield from ((found[number], error) for number, error in held.items())
        return

    def operators(rows: Any) -> Any:
        rows = rows.map(partial(read, settings=settings, store=store), num_cpus=READ_CPUS, max_retries=RETRIES)
        return rows.map(
            Observing,
            fn_constructor_kwargs={"make_observer": make_observer, "settings": settings, "store": store},
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors),
            num_cpus=OBSERVE_CPUS,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=RETRIES,
        )

    following = 0
    for row in rounds(works, operators):
        held[row["number"]] = _result(row)
        weights |= json.loads(row["weights"])
        while following in held:
            yield found[following], held.pop(following)
            following += 1
    lost = InputError("its worker was lost again and again", remedy="Run again with --skip-existing, or leave it out.")
    for number in range(following, len(found)):
        yield found[number], held.pop(number, lost)


def save_on_ray(analysis: Analysis, store: Storage, track: Progress) -> None:
    """Write the run folder: overlays and tables by tasks, what is of all scenes by the driver."""
    from packed_scenes.aggregate import ContactSheet, assign_colors
    from packed_scenes.data.images import write_image
    from packed_scenes.data.read_ahead import try_ahead
    from packed_scenes.report import PICTURES
    from packed_scenes.runfolder import DRAWERS, save_report, save_summary

    start = time.perf_counter()
    scenes = analysis.scenes
    colors = assign_colors([scene.objects for scene in scenes])
    works = [{"number": i, "work": pickle.dumps(_drawing(scene, colors))} for i, scene in enumerate(scenes)]
    one = partial(draw, store=store, show=analysis.settings.overlay)
    drawn = rounds(works, lambda rows: rows.map(one, num_cpus=1, max_retries=RETRIES))
    errors, done = analysis.left_out, set()
    for row in track(drawn, "drawing", len(scenes)):
        done.add(row["number"])
        if row["error"]:
            failure = pickle.loads(row["error"])
            if len(scenes) == 1:
                raise failure
            errors.append((scenes[row["number"]].source.where, reason(failure)))
    errors += [(s.source.where, "its worker was lost while drawing") for i, s in enumerate(scenes) if i not in done]

    sheet = ContactSheet([(scene.name, scene.objects) for scene in scenes], colors=colors)
    wanted = set(sheet.scenes_needed)
    shown = [scene for scene in scenes if scene.name in wanted]
    for scene, picture in try_ahead(lambda scene: scene.source.scene().image, shown, workers=DRAWERS):
        if not isinstance(picture, Exception):  # its overlay failed, too, and is listed
            sheet.add(scene.name, picture)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as overlays:
        for scene in scenes[:PICTURES]:
            overlay = store.read(f"{scene.name}/overlay.jpg")
            if overlay is not None:
                place = Path(overlays, scene.name)
                place.mkdir()
                (place / "overlay.jpg").write_bytes(overlay)
        crops = sheet.first_crops()
        save_report(analysis, Path(folder), errors, overlays=Path(overlays), colors=colors, crops=crops)
        write_image(Path(folder) / "clusters.png", sheet.draw())
        save_summary(analysis, Path(folder), errors, seconds=time.perf_counter() - start)
        if not errors:
            store.delete("errors.csv")
        for file in sorted(Path(folder).iterdir(), key=lambda file: file.name == "run.json"):  # the record last
            store.write(file.name, file.read_bytes())


def _actors(settings: Settings) -> tuple[int, int]:
    """How many actors hold models, and how many GPUs each of them has."""
    import ray

    there = ray.cluster_resources()
    gpus = 0 if settings.device == "cpu" else int(there.get("GPU", 0))
    if settings.device == "cuda" and not gpus:
        raise InputError("no machine of the Ray cluster has a GPU", remedy="Use --device auto or cpu.")
    return (gpus, 1) if gpus else (max(1, int(there.get("CPU", 1))), 0)


def _only(given: BoxFile, source: Source) -> BoxFile:
    """The boxes of one picture alone, so that no task carries those of all."""
    name = given.name_of(source.where)
    return replace(given, scenes={name: given.scenes[name]}, assigned={source.where: name}, unclear={})


def _drawing(scene: SceneResult, colors: dict[int, Color]) -> tuple[SceneResult, dict[int, Color]]:
    """What drawing a scene needs: no vectors, its own clusters' colours."""
    assert scene.objects.cluster is not None
    here = np.unique(scene.objects.cluster[scene.objects.cluster >= 0]).tolist()
    return replace(scene, objects=scene.objects.replace(embedding=None)), {c: colors[c] for c in here}


def _result(row: Row) -> Observation | Exception:
    if row["error"]:
        error: Exception = pickle.loads(row["error"])
        return error
    staged = parse_observation(row["staged"], None)
    return staged if staged is not None else InputError("a kept observation is damaged", remedy="Run again.")
