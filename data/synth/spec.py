"""``SceneSpec``: everything that can be asked of the generator, and the layouts it knows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from packed_scenes.data.errors import InputError


class Layout(StrEnum):
    """How a scene is filled."""

    SHELF = "shelf"
    CROWD = "crowd"
    SCATTER = "scatter"
    MIXED = "mixed"


@dataclass(frozen=True, kw_only=True)
class SceneSpec:
    """What scenes to make. Shares and strengths lie in [0, 1]; 0 switches the effect off.

    Attributes:
        layout: a :class:`Layout`; ``mixed`` draws one of the others per scene, by ``mixture``.
        size: (height, width) of the picture in pixels, both 64 … 8192.
        count: smallest and largest number of objects aimed at; drawn log-uniformly per scene. The true number varies
            around it with what fits and what stays visible.
        mixture: weights of shelf, crowd and scatter when the layout is ``mixed``.
        families: how many product families are at hand at any moment of a stream.
        fresh: new families per scene: the window over the endless line of families moves on by this much.
        variants: largest number of variants per family.
        visible: an object of which a smaller share than this is visible is left out of the truth: what stands behind
            others is not counted on real shelves. Under .4, three of ten are found by the shipped detector; over it,
            nine of ten.
        min_side: an object whose visible box is thinner than this many pixels is left out of the truth.
        surround: share of shelf scenes that show ceiling, floor, wall or empty boards beside the goods.
        bare: share of shelf scenes without any goods: background and nothing else.
        clutter: strength of what is no product: tags, signs, shelf talkers, people and trolleys in front.
        disorder: strength of gaps, fallen, turned and tilted items.
        oblique: strength of the perspective.
        photometry: strength of uneven light, white balance, vignetting, exposure, blur and noise.
        jpeg: share of scenes that go through JPEG compression.

    Raises:
        InputError: if a value is out of its range.
    """

    layout: Layout = Layout.SHELF
    size: tuple[int, int] = (640, 640)
    count: tuple[int, int] = (6, 350)
    mixture: tuple[float, float, float] = (0.84, 0.06, 0.10)
    families: int = 160
    fresh: float = 0.04
    variants: int = 5
    visible: float = 0.4
    min_side: int = 4
    surround: float = 0.35
    bare: float = 0.015
    clutter: float = 0.5
    disorder: float = 0.5
    oblique: float = 0.5
    photometry: float = 0.5
    jpeg: float = 0.5

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "layout", Layout(self.layout))
        except ValueError as error:
            raise InputError(f"layout must be one of {', '.join(Layout)}, got {self.layout!r}") from error
        if not all(64 <= int(side) <= 8192 for side in self.size) or len(self.size) != 2:
            raise InputError(f"size must be (height, width) between 64 and 8192 pixels, got {self.size}")
        if not 1 <= self.count[0] <= self.count[1] <= 3000:
            raise InputError(
                f"count must be (smallest, largest) with 1 <= smallest <= largest <= 3000, got {self.count}"
            )
        if min(self.mixture) < 0 or sum(self.mixture) <= 0 or len(self.mixture) != 3:
            raise InputError(f"mixture must be three weights >= 0 that are not all 0, got {self.mixture}")
        if self.families < 1 or self.fresh < 0 or not 1 <= self.variants <= 16 or self.min_side < 1:
            raise InputError("families >= 1, fresh >= 0, variants in 1 … 16 and min_side >= 1 are needed")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and field.name != "fresh" and not 0 <= value <= 1:
                raise InputError(f"{field.name} must lie in [0, 1], got {value}")
