"""A folder that fills: photos are analysed in batches as they arrive, and identities keep their names.

A photo is taken when its size and time of change were the same at two polls in a row, so one that is still being
written waits. A writer that pauses for longer leaves a file that is cut off, which the reader refuses; it is tried
again when it has changed. What was seen of a photo stays in the run folder, so a stopped watch goes on where it was.

Cost of a batch: its own photos, and one clustering and the tables of everything so far (see docs/scale.md); overlays
are drawn again only where they look different. Memory: as :func:`packed_scenes.analyze`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.analysis import Progress, group_scenes
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.names import Names
from packed_scenes.observation import Observation
from packed_scenes.observe import Observer, observe_scenes, reason, weights_of
from packed_scenes.pictures import PictureCache, Source
from packed_scenes.results import Analysis
from packed_scenes.runfolder import save_run
from packed_scenes.sources import sources

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile

EVERY_SECONDS = 5.0

Stamp = tuple[int, int]


@dataclass(frozen=True)
class Until:
    """When a watch ends: after so many photos, at a time of day, or when a file appears; the default is never.

    Attributes:
        photos: number of photos analysed; those that cannot be read don't count.
        at: local time.
        marker: a file that the writer makes when no more photos come; all photos there are dealt with first.
    """

    photos: int | None = None
    at: datetime | None = None
    marker: Path | None = None

    @classmethod
    def parse(cls, text: str | None, *, now: datetime | None = None) -> Until:
        """Read ``500``, ``18:30`` (the next time that the clock shows it) or the path of a file.

        Raises:
            InputError: for no photos.
        """
        if text is None:
            return cls()
        if text.isdecimal():
            if int(text) < 1:
                raise InputError(f"--until needs at least one photo, got {text}")
            return cls(photos=int(text))
        try:
            clock = datetime.strptime(text, "%H:%M").time()
        except ValueError:
            return cls(marker=Path(text))
        now = now or datetime.now()
        at = datetime.combine(now.date(), clock)
        return cls(at=at if at > now else at + timedelta(days=1))

    def reached(self, photos: int, *, settled: bool) -> bool:
        """Say whether to end, given how many photos are analysed and whether those are all that are there."""
        if self.marker is not None:
            return settled and self.marker.exists()
        if self.at is not None:
            return datetime.now() >= self.at
        return self.photos is not None and photos >= self.photos


@dataclass
class _Photo:
    """A photo that was dealt with."""

    stamp: Stamp
    source: Source
    made: Observation | Exception


def watch(
    folders: Sequence[Path],
    out: Path,
    observer: Observer,
    *,
    boxes: BoxFile | None = None,
    every_seconds: float = EVERY_SECONDS,
    until: Until | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Analysis]:
    """Yield the analysis of all photos so far after each batch, written to the run folder ``out``.

    Photos that go away leave the result at the next batch, as if the folder were analysed anew.

    Args:
        folders: where photos appear, subfolders included; the run folder may lie inside.
        out: the run folder; one that an earlier watch left is gone on with.
        observer: the models and settings.
        boxes: given boxes, of photos named in the file.
        every_seconds: time between two polls of the folders.
        until: when to end.
        progress: wraps the loop over new photos, given (photos, label, total).
        warn: gets a line for each photo that was left out.

    Raises:
        InputError: if a folder is missing or the run folder cannot be written.
    """
    _check(folders, every_seconds)
    until = until or Until()
    names, cache = Names.of_run(out), PictureCache()
    seen: dict[Path, _Photo] = {}
    drawn: dict[str, str] = {}
    before: dict[Path, Stamp] = {}
    while True:
        now = _stamps(folders, out)
        new = _changed(before, now, seen)
        before = now
        given = {str(path): photo.source.name for path, photo in seen.items()}
        for path in [p for p in seen if p not in now or p in new]:
            scene = seen.pop(path).source.name
            names = names.without(scene)
            drawn.pop(scene, None)
            cache.drop(scene)
        changed = len(given) != len(seen)
        if new:
            if boxes is not None:
                boxes = boxes.assign([str(path) for path in now])
            found = sources(new, named={**names.scenes, **given})
            observed = observe_scenes(found, observer, given=boxes, stage=out / ".seen", cache=cache)
            seen |= _stamped(progress(observed, "new photos", len(found)) if progress else observed, now, warn)
        if (new or changed) and _observed(seen):
            analysis = _group([seen[path] for path in now if path in seen], observer, names, cache, boxes)
            save_run(analysis, out, drawn=drawn)
            names = Names.of_run(out)
            yield analysis
        done = _observed(seen)
        if until.reached(done, settled=all(path in seen for path in now)):
            return
        time.sleep(every_seconds)


def _stamped(
    observed: Iterable[tuple[Source, Observation | Exception]], now: Mapping[Path, Stamp], warn: Callable[[str], None]
) -> dict[Path, _Photo]:
    """New photos by path, with the stamp that they had when they were read; warns of those that were left out."""
    found: dict[Path, _Photo] = {}
    for source, made in observed:
        assert source.path is not None
        found[source.path] = _Photo(now[source.path], source, made)
        if isinstance(made, Exception):
            warn(f"left out: {source.where}: {reason(made)}")
    return found


def _observed(seen: Mapping[Path, _Photo]) -> int:
    """The number of photos that were not left out."""
    return sum(isinstance(photo.made, Observation) for photo in seen.values())


def _check(folders: Sequence[Path], every_seconds: float) -> None:
    if not every_seconds > 0:
        raise InputError(f"every_seconds must be more than 0, got {every_seconds}")
    for folder in folders:
        if not folder.is_dir():
            raise InputError("is no folder to watch", file=folder, remedy="Name a folder; photos may come later.")


def _changed(before: Mapping[Path, Stamp], now: Mapping[Path, Stamp], seen: Mapping[Path, _Photo]) -> list[Path]:
    """Photos that are new or others than they were, and have stopped growing."""
    still = [path for path, stamp in now.items() if before.get(path) == stamp]
    return [path for path in still if path not in seen or seen[path].stamp != now[path]]


def _group(
    photos: Sequence[_Photo], observer: Observer, names: Names, cache: PictureCache, given: BoxFile | None
) -> Analysis:
    return group_scenes(
        [(photo.source, photo.made) for photo in photos if isinstance(photo.made, Observation)],
        [(photo.source.where, reason(photo.made)) for photo in photos if isinstance(photo.made, Exception)],
        settings=observer.settings,
        card=observer.embedder.card,
        weights=weights_of(observer),
        seconds={},
        pictures=cache,
        names=names,
        given=given,
    )


def _stamps(folders: Sequence[Path], out: Path) -> dict[Path, Stamp]:
    """Size and time of change of every photo in the folders that is not of the run folder, in the order of a run."""
    own = out.resolve()
    found: dict[Path, Stamp] = {}
    for folder in folders:
        try:
            paths = list_images([folder], warn=lambda _: None)  # every few seconds
        except InputError:  # nothing there yet
            continue
        for path in paths:
            try:
                about = path.stat()
            except OSError:  # it vanished
                continue
            if about.st_size and not path.resolve().is_relative_to(own):
                found[path] = about.st_size, about.st_mtime_ns
    return found
