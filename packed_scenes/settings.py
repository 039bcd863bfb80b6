"""Every choice of a run in one frozen value, so that a run folder can say how it was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from packed_scenes.data.checks import is_number
from packed_scenes.data.errors import InputError

# Choices that belong together, by name.
PRESETS: dict[str, dict[str, Any]] = {
    # People: nobody twice in a picture, groups of people who stand together, a wider cut for things that change their
    # appearance. Only confident detections are counted: trackers start from a score of .5 to .6 (ByteTrack, Zhang et
    # al. 2022).
    "crowd": {
        "classes": ("person",), "confidence": 0.5, "embedder": "person", "once": True, "congregate": "height",
        "reach": 0.5, "cut": "equal-error",
    },
    # Cars: the same, by the embedder that ships (it learned vehicles).
    "vehicles": {
        "classes": ("car", "truck", "bus"), "confidence": 0.5, "once": True, "congregate": "height", "reach": 0.5,
        "cut": "equal-error",
    },
}  # fmt: skip
# Domains outside that of the bundled detector, for which a preset needs another model.
NEEDS_DETECTOR = {"crowd": "people", "vehicles": "vehicles"}
_WHOLE = ("max_objects", "image_size", "seed")
_CHOICES = {
    "device": ("auto", "cpu", "cuda"),
    "cut": ("chosen", "equal-error"),
    "congregate": ("identity", "height"),
    "overlay": ("places", "boxes", "both"),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides the result of a run, apart from the pictures.

    Attributes:
        preset: the preset that the settings started from, if any.
        weights: detector weights (file or ultralytics name); None = the bundled ones.
        classes: detector class names to keep; empty = all.
        class_names: names by number of a detector file that has none, or others.
        confidence: lowest detection score kept; None = the value that balances precision and recall on the weights'
            card.
        image_size: detector input size in pixels (longer side); None = chosen from the picture.
        max_objects: most objects kept per scene; reaching it is a warning.
        second_look: halve low scores of detections that resemble no confident one of their scene, and split boxes
            around two copies.
        embedder: name or file of the embedder.
        clusterer: name in the registry of `cluster`.
        threshold: cosine distance at which clusters stop merging; None = chosen by the clusterer.
        reach: closing reach of congregations as a fraction of the cluster's typical object size, or of each object's
            height.
        cut: without a threshold: ``chosen`` by the clusterer, or the embedder's ``equal-error`` distance, wider, for
            things that change their looks, such as people who walk.
        congregate: ``identity``: congregations are of one identity; ``height``: groups of whoever stand together,
            measured in each one's height.
        once: no two objects of one picture are the same (people, cars).
        linked: pictures are frames in the order of their numbers, and boxes are followed from one to the next.
        overlay: what is drawn on the photos: ``places`` (outlines of congregations), ``boxes`` or ``both``.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: seeds everything that draws random numbers.
        trust: allow weights that can run code when they are loaded.
    """

    preset: str | None = None
    weights: str | None = None
    classes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    confidence: float | None = None
    image_size: int | None = None
    max_objects: int = 3000
    second_look: bool = True
    embedder: str = "default"
    clusterer: str = "default"
    threshold: float | None = None
    reach: float = 0.3
    cut: str = "chosen"
    congregate: str = "identity"
    once: bool = False
    linked: bool = False
    overlay: str = "both"
    device: str = "auto"
    seed: int = 0
    trust: bool = False

    def __post_init__(self) -> None:
        classes: Any = self.classes  # whatever a caller gives
        names = (classes,) if isinstance(classes, str) or not isinstance(classes, Iterable) else tuple(classes)
        if not all(isinstance(name, str) for name in names):
            raise InputError(f"classes must be names of classes, got {classes!r}")
        object.__setattr__(self, "classes", names)
        if self.preset is not None and self.preset not in PRESETS:
            raise InputError(f"unknown preset {self.preset!r}", remedy=f"Known: {', '.join(PRESETS)}.")
        self._check_numbers()
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name} must be {', '.join(known[:-1])} or {known[-1]}, got {getattr(self, name)!r}")
        if self.clusterer != "default":  # said before anything is read, whatever is found in the pictures
            from packed_scenes.cluster.registry import REGISTRY

            REGISTRY.check(self.clusterer)

    def _check_numbers(self) -> None:
        for name in (*_WHOLE, "confidence", "threshold", "reach"):
            value: Any = getattr(self, name)
            if value is not None and not is_number(value):
                raise InputError(f"{name} must be a number, got {value!r}")
            if name in _WHOLE and value is not None and value != int(value):
                raise InputError(f"{name} must be a whole number, got {value!r}")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InputError(f"confidence must lie between 0 and 1, got {self.confidence}")
        if self.threshold is not None and not 0 < self.threshold <= 2:
            raise InputError(f"threshold is a cosine distance between 0 and 2, got {self.threshold}")
        if not 0 <= self.reach <= 20:
            raise InputError(f"reach is a fraction of the object size between 0 and 20, got {self.reach}")
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}")
        if self.max_objects < 1:
            raise InputError(f"max_objects must be at least 1, got {self.max_objects}")
        if self.image_size is not None and self.image_size < 32:
            raise InputError(f"image_size must be at least 32 px, got {self.image_size}")

    @classmethod
    def choose(cls, *, preset: str | None = None, **said: Any) -> Settings:
        """Make settings from a preset and what the user said; what was said wins.

        Args:
            preset: a name in :data:`PRESETS`, or None.
            said: fields; None = not said.

        Raises:
            InputError: if the preset is unknown or a value is wrong.
        """
        chosen: dict[str, Any] = {} if preset is None else {**PRESETS.get(preset, {}), "preset": preset}
        settings = cls(**{**chosen, **{name: value for name, value in said.items() if value is not None}})
        if settings.embedder == chosen.get("embedder"):
            from packed_scenes.embed.registry import names

            if settings.embedder not in names():  # weights that this installation lacks
                return replace(settings, embedder="default")
        return settings

    def require_detector(self) -> None:
        """Raise InputError if the preset is about what the bundled detector does not know, and no other is given."""
        kind = NEEDS_DETECTOR.get(self.preset or "")
        if kind is not None and self.weights is None:
            raise InputError(
                f"the bundled detector knows goods, not {kind}",
                remedy=f"Give a model of {kind}, such as --weights yolox_s.onnx (any YOLO, YOLOX, torchvision or SSD "
                "export, see docs/networks.md), or --boxes.",
            )

    def warnings(self) -> list[str]:
        """Lines about choices that cannot give a good result."""
        if self.preset == "crowd" and self.embedder == "default":
            return [
                "people are compared with the embedder for goods, which distinguishes them badly: give --embedder a "
                "re-identification network (docs/networks.md)"
            ]
        return []

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self) | {"classes": list(self.classes), "class_names": list(self.class_names)}
