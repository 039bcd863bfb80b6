"""Printed design of a brand family: palette by role and elements placed on the label."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from packed_scenes.data.synth.goods.colour import Colour, contrasting, far_from, mix, package_colour
from packed_scenes.data.synth.goods.layout import Element, place_elements
from packed_scenes.data.synth.goods.packs import sample_shape
from packed_scenes.data.synth.goods.shapes import Shape

__all__ = ["Design", "sample_design"]

_GLASS: tuple[Colour, ...] = ((24, 60, 34), (70, 38, 14), (40, 8, 20), (206, 190, 120), (190, 120, 40), (14, 16, 16))
_FOOD: tuple[Colour, ...] = (
    (206, 40, 34), (230, 130, 30), (238, 190, 60), (96, 140, 40), (120, 60, 28), (220, 180, 130), (150, 30, 60),
    (60, 36, 24), (236, 214, 170), (190, 70, 50),
)  # fmt: skip


@dataclass(frozen=True)
class Design:
    """Everything that fixes the look of one product.

    palette: colours by role; elements: from back to front; light: where highlights lie, -0.5 … 0.5; rim: width of the
    border of a sticker as a share of the label.
    """

    kind: str
    shape: Shape
    palette: tuple[tuple[str, Colour], ...]
    elements: tuple[Element, ...]
    light: float
    rim: float = 0.0

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.shape.aspect

    @property
    def height_cm(self) -> float:
        """Usual physical height."""
        return self.shape.height_cm

    def colour(self, role: str) -> Colour:
        """Colour of a palette role (mid grey when unknown)."""
        return next((c for r, c in self.palette if r == role), (128, 128, 128))

    def recoloured(self, roles: dict[str, Colour]) -> Design:
        """The same design with some roles in other colours."""
        return replace(self, palette=tuple((r, roles.get(r, c)) for r, c in self.palette))


def _text_mood(rng: np.random.Generator) -> str:
    return str(rng.choice(["white", "dark", "vivid"], p=[0.45, 0.3, 0.25]))


def _palette(rng: np.random.Generator, shape: Shape, kind: str) -> dict[str, Colour]:
    body = package_colour(rng)
    same = rng.random()
    # The label is the bare body, a white or cream field, or a field in another colour.
    label = body
    if same > 0.45:
        label = package_colour(rng, "white") if same < 0.62 else far_from(rng, [body], min_distance=0.35)
    tone = rng.random()
    if tone < 0.3:
        # A calm package: the accent is a darker or paler tone of the label.
        accent = mix(label, (0, 0, 0) if rng.random() < 0.5 else (255, 255, 255), float(rng.uniform(0.35, 0.65)))
    else:
        accent = far_from(rng, [label], min_distance=0.45, mood="vivid" if tone < 0.85 else None)
    accent2 = mix(accent, label, 0.5) if rng.random() < 0.3 else far_from(rng, [label, accent], min_distance=0.35)
    cap = {0: accent, 1: body, 2: package_colour(rng, "white")}.get(int(rng.integers(5)), package_colour(rng))
    liquid = package_colour(rng, str(rng.choice(["vivid", "dark", "kraft", "pastel"])))
    if shape.style == "wine" or shape.contents:
        stock = _GLASS if shape.style == "wine" else _FOOD
        liquid = mix(stock[int(rng.integers(len(stock)))], package_colour(rng), 0.12)
    if kind == "tray":
        cap = package_colour(rng, str(rng.choice(["dark", "white", "vivid", "kraft"], p=[0.4, 0.3, 0.2, 0.1])))
    brand = contrasting(rng, label, mood=_text_mood(rng))
    return {
        "body": body, "label": label, "brand": brand, "accent": accent, "accent2": accent2, "cap": cap,
        "ink": contrasting(rng, label, mood=_text_mood(rng)),
        "on_accent": contrasting(rng, accent, mood=_text_mood(rng)),
        "outline": contrasting(rng, brand, mood=_text_mood(rng)),
        "liquid": liquid, "metal": package_colour(rng, "metal"), "flash": package_colour(rng, "vivid"),
    }  # fmt: skip


def sample_design(rng: np.random.Generator, kind: str) -> Design:
    """Draw a family's shared design."""
    shape = sample_shape(rng, kind)
    palette = _palette(rng, shape, kind)
    rim = float(rng.uniform(0.015, 0.04)) if rng.random() < 0.4 else 0.0
    return Design(
        kind, shape, tuple(palette.items()), tuple(place_elements(rng, shape)), float(rng.uniform(-0.5, 0.5)), rim
    )
