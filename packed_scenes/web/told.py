"""An observer that says what it is doing, so that a person can watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.observe import Observation, Observer

if TYPE_CHECKING:
    from packed_scenes.detect import Detector
    from packed_scenes.embed import Embedder


class Stage(StrEnum):
    """What is going on."""

    LOAD = "load"
    DETECT = "detect"
    EMBED = "embed"
    GROUP = "group"


Tell = Callable[[Stage, str], None]


class ToldObserver(Observer):
    """Observes with the models of another observer and tells each stage before it starts.

    Args:
        models: holds the models; they are loaded once, however many sessions there are.
        tell: called with the stage and the scene's name (empty where there is none).
    """

    def __init__(self, models: Observer, tell: Tell) -> None:
        super().__init__(models.settings)
        self._models = models
        self._tell = tell

    @cached_property
    def detector(self) -> Detector:
        """The shared detector."""
        self._tell(Stage.LOAD, "")
        return self._models.detector

    @cached_property
    def embedder(self) -> Embedder:
        """The shared embedder."""
        return self._models.embedder

    def observe(self, scene: Scene, boxes: Objects | None = None) -> Observation:
        """Detect (unless boxes are given) and embed the objects of one scene."""
        seconds: dict[str, float] = {}
        detection: dict[str, Any] = {}
        warnings: tuple[str, ...] = ()
        if boxes is None:
            detector = self.detector
            self._tell(Stage.DETECT, scene.name)
            start = time.perf_counter()
            boxes, info = detector.detect_with_info(scene.image)
            seconds["detect"] = time.perf_counter() - start
            detection, warnings = info.to_json(), tuple(info.warnings)
        self._tell(Stage.EMBED, scene.name)
        seen = super().observe(scene, boxes)
        return replace(seen, seconds=seconds | seen.seconds, detection=detection, warnings=(*warnings, *seen.warnings))

    def track(self, items: Iterable[Any], label: str, total: int) -> Iterator[Any]:
        """Wrap the loop over scenes of :func:`packed_scenes.analyze` (its ``progress``): tell when grouping starts."""
        yield from items
        self._tell(Stage.GROUP, "")
