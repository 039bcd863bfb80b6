"""The loop over scenes: read ahead, reuse what is staged, observe the rest, set bad pictures aside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.observe import Observer
from packed_scenes.overlap import ahead_of
from packed_scenes.sources import PictureCache, Source
from packed_scenes.stage import Staged, load_stage, save_stage, stage_key

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile

Progress = Callable[[Iterable[Source], str, int], Iterable[Source]]


@dataclass(frozen=True)
class Ready:
    """A scene that still has to be observed.

    Attributes:
        scene: the picture.
        seconds: that reading it took.
        boxes: given boxes, clipped to the picture.
        warnings: of clipping.
        key: under which the observation is kept.
    """

    scene: Scene
    seconds: float
    boxes: Objects | None
    warnings: tuple[str, ...]
    key: str | None


def look(
    found: list[Source], observer: Observer, *, given: BoxFile | None, stage: Path | None, cache: PictureCache
) -> Iterator[tuple[Source, Staged | Exception]]:
    """Yield what is in each scene, in order; an exception stands for a picture that could not be used.

    The next pictures are read while the models work on this one. With a ``stage`` folder every observation is kept
    there before it is yielded, and what is there and still valid is not observed again.

    Memory: three decoded pictures besides the cache.
    """
    prepare = partial(_prepare, observer=observer, given=given, stage=stage, cache=cache)
    for source, made in ahead_of(found, prepare):
        if not isinstance(made, Ready):
            yield source, made
            continue
        try:
            staged = observed(made, observer)
            if stage is not None and made.key is not None:
                save_stage(stage / f"{source.name}.parquet", staged, made.key)
        except MemoryError as error:
            yield source, InputError(f"not enough memory ({error})", file=source.path, remedy="Use a smaller picture.")
        except Exception as error:  # whatever a picture sets off, the others go on; the reason is reported
            yield source, error
        else:
            yield source, staged


def observed(ready: Ready, observer: Observer) -> Staged:
    """Observe a scene."""
    seen = observer.observe(ready.scene, ready.boxes)
    seen = replace(seen, seconds={"read": ready.seconds, **seen.seconds}, warnings=(*ready.warnings, *seen.warnings))
    return Staged(seen, (ready.scene.height, ready.scene.width))


def ready(source: Source, scene: Scene, *, seconds: float, given: BoxFile | None, key: str | None) -> Ready:
    """Find the boxes given for a picture that was read.

    Raises:
        InputError: if boxes are given, but none for this picture, or one lies outside it.
    """
    boxes, clipped = given.for_image(source.where, size=(scene.width, scene.height)) if given else (None, [])
    return Ready(scene, seconds, boxes, tuple(clipped), key)


def reason(error: Exception) -> str:
    """One line that says why a picture was left out."""
    text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _prepare(
    source: Source, *, observer: Observer, given: BoxFile | None, stage: Path | None, cache: PictureCache
) -> Staged | Ready:
    """Take a scene from the stage folder, or read its picture."""
    key = None
    if stage is not None:
        raw = given.for_image(source.where)[0] if given else None
        key = stage_key(source.fingerprint(), observer.settings, raw)
        staged = load_stage(stage / f"{source.name}.parquet", key)
        if staged is not None:
            return staged
    start = time.perf_counter()
    scene = cache.get(source)
    seconds = time.perf_counter() - start
    return ready(source, scene, seconds=seconds, given=given, key=key)
