"""Single changes that turn a family's design into another product of the same line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from packed_scenes.data.synth.goods.colour import Colour, contrasting, far_from, legibility
from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.emblems import EMBLEMS
from packed_scenes.data.synth.goods.layout import FLASHES, Element
from packed_scenes.data.synth.goods.pictures import PICTURES
from packed_scenes.data.synth.goods.text import invent_word

__all__ = ["change_design"]


def _other(rng: np.random.Generator, options: tuple[str, ...], old: str) -> str:
    return str(rng.choice([o for o in options if o != old]))


def _swapped(e: Element, rng: np.random.Generator) -> Element:
    """The same place with other letters, another picture or another emblem."""
    seed = int(rng.integers(1 << 31))
    if e.what == "word":
        return replace(e, text=invent_word(rng, syllables=int(rng.integers(1, 4))))
    if e.what == "picture":
        # Half of the time the same sort of picture: other fruit, not a cup instead of fruit.
        return replace(e, form=e.form if rng.random() < 0.5 else _other(rng, PICTURES, e.form), seed=seed)
    if e.what == "emblem":
        return replace(e, form=_other(rng, EMBLEMS, e.form), seed=seed)
    if e.what == "flash":
        return replace(e, text=_other(rng, FLASHES, e.text), form="disc" if e.form != "disc" else "burst")
    return e


def _swap(design: Design, part: str, rng: np.random.Generator) -> Design:
    return replace(design, elements=tuple(_swapped(e, rng) if e.part == part else e for e in design.elements))


def _other_colour(design: Design, role: str, rng: np.random.Generator) -> Design:
    old = design.colour(role)
    new = far_from(rng, [old], min_distance=float(rng.uniform(0.3, 0.6)))
    roles: dict[str, Colour] = {role: new}
    # Roles that wore the same colour as this one keep matching it, and print stays readable.
    for other, c in design.palette:
        if other != role and c == old:
            roles[other] = new
    for ink, ground in (("brand", "label"), ("ink", "label"), ("on_accent", "accent")):
        under = roles.get(ground, design.colour(ground))
        if legibility(roles.get(ink, design.colour(ink)), under) < 0.2:
            roles[ink] = contrasting(rng, under)
    return design.recoloured(roles)


# How often each change is chosen where the design has what it changes.
_COLOURS = {"label": 1.0, "body": 1.0, "cap": 1.2, "liquid": 0.8, "accent": 1.5, "accent2": 0.7}
_SWAPS = {"flavour": 1.8, "sub": 0.7, "picture": 1.2, "emblem": 0.9, "flash": 0.7, "band": 0.6, "brand": 0.4}


def change_design(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    """Make one candidate variant.

    Args:
        design: the family's first product.
        rng: chooses the change.

    Returns:
        What was changed (``"colour:cap"``, ``"swap:flavour"``, ``"size"``; ``"line"`` is a colour with its word and
        picture, as flavours of one line differ) and the changed design.
    """
    used = {p.role for p in design.shape.parts} | {"label"}
    used |= {role for e in design.elements for role in (e.ink, e.second)}
    if design.shape.decal != "full":
        used.add("body")
    parts = {e.part for e in design.elements}
    options = {f"colour:{role}": w for role, w in _COLOURS.items() if role in used}
    options |= {f"swap:{part}": w for part, w in _SWAPS.items() if part in parts}
    options["size"] = 0.5
    if parts & {"flavour", "picture"}:
        options["line"] = 1.5
    weights = np.array(list(options.values()))
    what = str(rng.choice(list(options), p=weights / weights.sum()))
    if what == "size":
        return what, replace(design, shape=design.shape.resized(float(rng.choice([0.72, 1.38]))))
    if what == "line":
        new = _other_colour(design, "accent", rng)
        for part in ("flavour", "picture"):
            if rng.random() < 0.8:
                new = _swap(new, part, rng)
        return what, new
    change, _, target = what.partition(":")
    return what, _other_colour(design, target, rng) if change == "colour" else _swap(design, target, rng)
