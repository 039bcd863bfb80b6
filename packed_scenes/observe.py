"""The first half of the work, scene by scene: picture -> boxes -> unit vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import Objects
from packed_scenes.data.read_ahead import try_ahead
from packed_scenes.data.scene import Scene
from packed_scenes.merged_boxes import split_merged
from packed_scenes.observation import Observation, load_observation, observation_key, save_observation
from packed_scenes.pictures import PictureCache, Source
from packed_scenes.second_look import rescore_doubtful
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.data.boxes import BoxFile
    from packed_scenes.detect import Detector
    from packed_scenes.embed import Embedder


class Stage(StrEnum):
    """What a run is doing."""

    LOAD = "load"
    DETECT = "detect"
    EMBED = "embed"
    GROUP = "group"


Report = Callable[[Stage, str], None]


class Observer:
    """Holds the models of a run; each is loaded when it is first needed (given boxes need no detector).

    Args:
        settings: of the run.
        models: an observer of the same settings whose models are used, so that they are loaded once.
        report: called before each stage with the stage and the scene's name (empty where there is none).
    """

    def __init__(self, settings: Settings, *, models: Observer | None = None, report: Report | None = None) -> None:
        self.settings = settings
        self._models = models
        self._report: Report = report or (lambda _stage, _name: None)

    @cached_property
    def detector(self) -> Detector:
        """The detector of the settings."""
        self._report(Stage.LOAD, "")
        if self._models is not None:
            return self._models.detector
        from packed_scenes.detect import Detector

        s = self.settings
        return Detector.load(
            s.weights,
            device=s.device,
            classes=list(s.classes) or None,
            confidence=s.confidence,
            image_size=s.image_size or "auto",
            max_objects=s.max_objects,
            class_names=s.class_names,
            trust=s.trust,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder of the settings."""
        if self._models is not None:
            return self._models.embedder
        from packed_scenes.embed import Embedder

        return Embedder.load(self.settings.embedder, device=self.settings.device)

    def load(self, *, detect: bool) -> None:
        """Load what a scene needs: the embedder, and to ``detect`` the detector."""
        if detect:
            _ = self.detector
        _ = self.embedder

    def observe(self, scene: Scene, boxes: Objects | None = None) -> Observation:
        """Detect (unless boxes are given) and embed the objects of one scene.

        Args:
            scene: the picture.
            boxes: boxes to use instead of detection; partly outside the picture is fine, wholly outside is not.
        """
        seconds: dict[str, float] = {}
        detection: dict[str, Any] = {}
        warnings: tuple[str, ...] = ()
        objects = boxes
        if objects is None:
            detector = self.detector
            self._report(Stage.DETECT, scene.name)
            start = time.perf_counter()
            objects, info = detector.detect_with_info(scene.image)
            seconds["detect"] = time.perf_counter() - start
            detection, warnings = info.to_json(), tuple(info.warnings)
        embedder = self.embedder
        self._report(Stage.EMBED, scene.name)
        start = time.perf_counter()
        vectors = (
            embedder.embed(scene.image, objects.xyxy) if len(objects) else np.zeros((0, embedder.dimension), np.float32)
        )
        seconds["embed"] = time.perf_counter() - start
        objects = objects.replace(embedding=vectors)
        if boxes is None and self.settings.second_look:
            found = len(objects)
            objects = split_merged(scene.image, objects, info.low_score_objects, embedder.embed)
            detection["split"] = len(objects) - found
            found = len(objects)
            objects = rescore_doubtful(objects, confidence=self.detector.confidence)
            detection["left_out"] = found - len(objects)
        return Observation(
            objects=objects, size=(scene.height, scene.width),
            seconds=seconds, detection=detection, warnings=warnings,
        )  # fmt: skip

    def track(self, items: Iterable[Any], label: str, total: int) -> Iterator[Any]:
        """Wrap the loop over scenes of :func:`packed_scenes.analyze` (its ``progress``): reports the grouping."""
        yield from items
        self._report(Stage.GROUP, "")


def observe_scenes(
    found: Sequence[Source], observer: Observer, *, given: BoxFile | None, stage: Path | None, cache: PictureCache
) -> Iterator[tuple[Source, Observation | Exception]]:
    """Yield what is in each scene, in order; an exception stands for a picture that could not be used.

    The next pictures are read while the models work on this one. With a ``stage`` folder every observation is kept
    there before it is yielded, and what is there and still valid is not observed again.

    Memory: three decoded pictures besides the cache.
    """

    def prepare(source: Source) -> tuple[Observation | Scene, float, str | None]:
        """Take a scene from the stage folder, or read its picture; the seconds of reading, and its key there."""
        key = None
        if stage is not None:
            raw = None if given is None else given.for_image(source.where)[0]
            key = observation_key(source.fingerprint(), observer.settings, raw)
            kept = load_observation(stage / f"{source.name}.parquet", key)
            if kept is not None:
                return kept, 0.0, key
        start = time.perf_counter()
        scene = cache.get(source)
        return scene, time.perf_counter() - start, key

    for source, made in try_ahead(prepare, found):
        if isinstance(made, Exception):
            yield source, made
            continue
        scene, seconds, key = made
        if isinstance(scene, Observation):
            yield source, scene
            continue
        observer.load(detect=given is None)  # a model that cannot be had is no fault of one picture
        try:
            boxes, clipped = boxes_for(scene, source.where, given)
            observed = observer.observe(scene, boxes).after_reading(seconds, warnings=clipped)
            if stage is not None and key is not None:
                save_observation(stage / f"{source.name}.parquet", observed, key)
        except MemoryError as error:
            yield source, InputError(f"not enough memory ({error})", file=source.path, remedy="Use a smaller picture.")
        except Exception as error:  # any failure costs its own picture only; the reason is reported
            yield source, error
        else:
            yield source, observed


def boxes_for(scene: Scene, where: str, given: BoxFile | None) -> tuple[Objects | None, list[str]]:
    """The boxes that are given for a picture, None = detect, and warnings of how they were clipped.

    Raises:
        InputError: if boxes are given, but none for this picture, or one lies outside it.
    """
    return (None, []) if given is None else given.for_image(where, size=(scene.width, scene.height))


def separate_errors(
    observed: Iterable[tuple[Source, Observation | Exception]], total: int
) -> tuple[list[tuple[Source, Observation]], list[tuple[str, str]]]:
    """Split what :func:`observe_scenes` yields into observations and the (file, reason) of pictures left out.

    Raises:
        Exception: the reason itself where the only picture failed.
    """
    observations: list[tuple[Source, Observation]] = []
    errors: list[tuple[str, str]] = []
    for source, made in observed:
        if isinstance(made, Observation):
            observations.append((source, made))
        elif total == 1:
            raise made
        else:
            errors.append((source.where, reason(made)))
    return observations, errors


def reason(error: Exception) -> str:
    """One line that says why a picture was left out."""
    text = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def weights_of(observer: Observer) -> dict[str, str]:
    """SHA-256 of the weights that the observer has used."""
    used = {"embedder": observer.embedder.weights_hash}
    return used | ({"detector": observer.detector.weights_hash} if "detector" in vars(observer) else {})
