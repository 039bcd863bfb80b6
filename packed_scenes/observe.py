"""The first half of the work, scene by scene: picture -> boxes -> unit vectors."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from packed_scenes.data.objects import Objects
from packed_scenes.data.scene import Scene
from packed_scenes.settings import Settings

if TYPE_CHECKING:
    from packed_scenes.detect import Detector
    from packed_scenes.embed import Embedder


@dataclass(frozen=True)
class Observation:
    """What was seen in one scene.

    Attributes:
        objects: boxes with scores and embeddings.
        seconds: wall time per stage.
        detection: how the detector looked (input size, tiles); empty for given boxes.
        warnings: lines for the user.
    """

    objects: Objects
    seconds: dict[str, float] = field(default_factory=dict)
    detection: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Observer:
    """Holds the models of a run; each is loaded when it is first needed (given boxes need no detector)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def detector(self) -> Detector:
        """The detector of the settings."""
        from packed_scenes.detect import Detector

        s = self.settings
        return Detector.load(
            s.weights,
            device=s.device,
            classes=list(s.classes) or None,
            confidence=s.confidence,
            image_size=s.image_size or "auto",
            max_objects=s.max_objects,
            trust=s.trust,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder of the settings."""
        from packed_scenes.embed import Embedder

        return Embedder.load(self.settings.embedder, device=self.settings.device)

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
            start = time.perf_counter()
            objects, info = detector.detect_with_info(scene.image)
            seconds["detect"] = time.perf_counter() - start
            detection, warnings = info.to_json(), tuple(info.warnings)
        embedder = self.embedder
        start = time.perf_counter()
        vectors = (
            embedder.embed(scene.image, objects.xyxy) if len(objects) else np.zeros((0, embedder.dimension), np.float32)
        )
        seconds["embed"] = time.perf_counter() - start
        return Observation(objects.replace(embedding=vectors), seconds, detection, warnings)


def weights_of(observer: Observer) -> dict[str, str]:
    """SHA-256 of the weights that the observer has used."""
    used = {"embedder": observer.embedder.weights_hash}
    return used | ({"detector": observer.detector.weights_hash} if "detector" in vars(observer) else {})
