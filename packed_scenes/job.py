"""A run as it is asked for: pictures, settings and a run folder, done at once or as photos arrive."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.data.errors import InputError
from packed_scenes.exporting import forms
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.analysis import Progress
    from packed_scenes.catalogue import Added
    from packed_scenes.results import Analysis

ENGINES = ("local", "ray")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to analyse, how, and where the results go.

    Attributes:
        pictures: photos, folders, videos and URLs.
        out: run folder; with the ray engine it may be a URL.
        settings: every choice that decides the result.
        boxes: box file to use instead of detecting.
        every: take every n-th frame of videos, and picture of folders.
        resume: reuse what an earlier run into ``out`` has observed.
        engine: ``local`` (this process) or ``ray`` (a Ray cluster).
        catalogue: folder of a catalogue that names what it knows and that the scenes are added to; made if it is not
            there.
        export: forms of :class:`packed_scenes.exporting.Form` that are written below ``out/export``, too.

    Raises:
        InputError: if these do not go together.
    """

    pictures: tuple[str, ...]
    out: str
    settings: Settings
    boxes: Path | None = None
    every: int = 1
    resume: bool = False
    engine: str = "local"
    catalogue: Path | None = None
    export: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.boxes is None:
            self.settings.require_detector()
        if self.engine not in ENGINES:
            raise InputError(f"engine must be local or ray, got {self.engine!r}")
        object.__setattr__(self, "export", forms(self.export))
        if self.export and self.engine == "ray":
            raise InputError("--engine ray goes without --export", remedy="Use --engine local for it.")
        if self.engine == "local" and "://" in self.out:
            raise InputError(
                "this engine writes local folders", file=self.out, remedy="Use --engine ray, or a local --out."
            )
        if self.engine == "ray" and self.catalogue is not None:
            raise InputError("--engine ray goes without --catalogue", remedy="Use --engine local for it.")


def run_job(job: Job, *, progress: Progress, warn: Callable[[str], None]) -> tuple[Analysis, Added | None]:
    """Analyse the pictures of a job and write its run folder.

    Args:
        job: what to do.
        progress: wraps the loops over scenes, given (scenes, label, total).
        warn: gets lines about videos that end early.

    Returns:
        What was found, and what was added to the catalogue if the job names one.

    Raises:
        InputError: if nothing could be analysed, or the run folder or the catalogue cannot be written.
    """
    if job.engine == "ray":
        from packed_scenes.engines.ray_data import analyze_on_ray

        return (
            analyze_on_ray(
                job.pictures, job.out, boxes=job.boxes, settings=job.settings, resume=job.resume, progress=progress
            ),
            None,
        )
    from packed_scenes.analysis import analyze
    from packed_scenes.frames import choose_frames
    from packed_scenes.runfolder import save_run

    catalogue = None
    if job.catalogue is not None:  # before the work, so that a wrong folder is said at once
        from packed_scenes.catalogue import Catalogue

        catalogue = Catalogue.create(job.catalogue)
    out = Path(job.out)
    stage = out / ".seen"
    if not job.resume and stage.is_dir():
        shutil.rmtree(stage)
    found = choose_frames(job.pictures, out / ".frames", every=job.every, warn=warn)
    result = analyze(found, boxes=job.boxes, settings=job.settings, stage=stage, progress=progress)
    added, failure = None, None
    if catalogue is not None:
        try:
            added = catalogue.add_analysis(result)
            result = catalogue.recognise(result)
        except Exception as error:  # such as vectors of another embedder: the run is worth saving all the same
            failure = error
    save_run(result, out, progress=progress)
    for form in job.export:
        result.export(form, out / "export")
    if failure is not None:
        raise failure
    return result, added


def watch_job(
    job: Job, *, every_seconds: float, until: str | None, progress: Progress, warn: Callable[[str], None]
) -> Iterator[Analysis]:
    """Analyse what arrives in the folders of a job; yields the analysis of all photos so far after each batch.

    Args:
        job: what to do; an earlier run into its folder is always gone on with.
        every_seconds: time between two polls of the folders.
        until: when to end (:meth:`packed_scenes.watch.Until.parse`).
        progress: wraps the loop over new photos.
        warn: gets a line for each photo that was left out.

    Raises:
        InputError: if the job has another engine or a catalogue, a folder is missing, or the run folder cannot be
            written.
    """
    from packed_scenes.data.boxes import read_boxes
    from packed_scenes.observe import Observer
    from packed_scenes.watch import Until, watch

    if job.engine != "local":
        raise InputError("--engine ray goes without --watch", remedy="Use --engine local for it.")
    if job.catalogue is not None:
        raise InputError("--watch does not fill a catalogue", remedy="Run again with --catalogue when it is done.")
    return watch(
        [Path(folder) for folder in job.pictures],
        Path(job.out),
        Observer(job.settings),
        boxes=None if job.boxes is None else read_boxes(job.boxes),
        every_seconds=every_seconds,
        until=Until.parse(until),
        progress=progress,
        warn=warn,
    )
