"""What is printed on a brand family's label, and where: grounds, brand, blocks of print, emblems and flashes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from packed_scenes.data.synth.goods.emblems import EMBLEMS
from packed_scenes.data.synth.goods.pictures import PICTURES
from packed_scenes.data.synth.goods.shapes import Shape
from packed_scenes.data.synth.goods.text import FACES, invent_word

__all__ = ["FLASHES", "Element", "place_elements"]

#: What promotional flashes say.
FLASHES = ("NEW", "2x", "3in1", "XL", "BIO", "-20%", "1L", "500", "24h", "Plus", "100%", "0%")


@dataclass(frozen=True, slots=True)
class Element:
    """One printed thing, placed by its top-left corner and size as fractions of the label.

    what: panel, word, picture, emblem, flash, lines, texture or barcode. form: sub-type. ink and second: palette roles.
    part: what it means to a shopper (brand, flavour, picture …), by which variants find it. text: words. seed: details.
    """

    what: str
    x: float
    y: float
    w: float
    h: float
    ink: str
    second: str = ""
    form: str = ""
    part: str = ""
    text: str = ""
    face: str = ""
    seed: int = 0


_GROUNDS = {
    "gradient": 0.17, "wave": 0.14, "diagonal": 0.09, "arc": 0.14, "frame": 0.05, "stripes": 0.03, "dots": 0.04,
    "rays": 0.03, "split": 0.08, "blobs": 0.02, "halo": 0.06, "strokes": 0.09, "rings": 0.06,
}  # fmt: skip


def _ground(rng: np.random.Generator) -> list[Element]:
    """What lies behind the print: gradients, waves, arcs, stripes."""
    count = int(rng.choice([0, 0, 1, 1, 2]))
    forms = rng.choice(list(_GROUNDS), size=count, replace=False, p=list(_GROUNDS.values()))
    elements = []
    for form in forms:
        ink, second = (
            str(r) for r in rng.choice(["accent", "accent2", "brand"], size=2, replace=False, p=[0.5, 0.4, 0.1])
        )
        elements.append(Element("panel", 0, 0, 1, 1, ink, second, str(form), "ground", seed=int(rng.integers(1 << 31))))
    if rng.random() < 0.1:
        elements.append(Element("texture", 0, 0, 1, 1, "accent2", part="ground", seed=int(rng.integers(1 << 31))))
    if rng.random() < 0.12:
        # A photograph over the whole lower or upper part of the package.
        high = rng.uniform(0.35, 0.65)
        y = 1 - high if rng.random() < 0.8 else 0.0
        seed = int(rng.integers(1 << 31))
        elements.append(Element("picture", 0, y, 1, high, "accent", "accent2", "photo", "picture", seed=seed))
    return elements


def _brand(rng: np.random.Generator, box: tuple[float, float, float, float], word: str, face: str) -> list[Element]:
    x, y, w, h = box
    elements = []
    seed = int(rng.integers(1 << 31))
    badge = rng.random() < 0.42
    if badge:
        form = str(rng.choice(["ellipse", "rect", "round", "ribbon", "swoosh"]))
        elements.append(Element("panel", x, y, w, h, "accent", "outline", form, "badge", seed=seed))
        x, y, w, h = x + 0.1 * w, y + 0.17 * h, 0.8 * w, 0.66 * h
    effects = ["plain", "outline", "shadow", "arc", "slant", "rise", "gloss"]
    effect = str(rng.choice(effects, p=[0.28, 0.22, 0.14, 0.12, 0.08, 0.08, 0.08]))
    ink = "on_accent" if badge else "brand"
    lines = word.split()
    for k, text in enumerate(lines):
        row = y + h * k / len(lines)
        high = h / len(lines) * 0.94
        elements.append(Element("word", x, row, w, high, ink, "outline", effect, "brand", text, face, seed))
    return elements


_BLOCKS = {"tag": 0.45, "brand": 1.0, "sub": 0.6, "flavour": 0.85, "picture": 0.75, "band": 0.45, "lines": 0.6}


def _stack(rng: np.random.Generator, aspect: float) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Place blocks as (name, (x, y, w, h)) in label fractions: one column, or two on wide labels."""
    margin = rng.uniform(0.02, 0.07)
    columns = aspect > 1.2 and rng.random() < 0.7
    names = [n for n, chance in _BLOCKS.items() if rng.random() < chance and not (columns and n == "picture")]
    order = rng.random()
    if order < 0.25 and "picture" in names:
        names.remove("picture")
        names.insert(int(rng.integers(0, len(names))), "picture")
    elif order < 0.35:
        names.reverse()
    weight = {
        "tag": 0.06, "brand": rng.uniform(0.22, 0.44), "sub": 0.08, "flavour": rng.uniform(0.1, 0.18),
        "picture": rng.uniform(0.28, 0.55), "band": rng.uniform(0.08, 0.18), "lines": 0.09,
    }  # fmt: skip
    gaps = rng.uniform(0.005, 0.04)
    scale = min(1.7, (1 - 2 * margin - gaps * (len(names) - 1)) / sum(weight[n] for n in names))
    y, left, width = margin, margin, 1 - 2 * margin
    if rng.random() < 0.35:
        # An airy package: smaller print on a large bare field.
        shrink = rng.uniform(0.5, 0.85)
        y += rng.uniform(0, 1) * (1 - shrink) * 0.9
        scale, gaps = scale * shrink, gaps * shrink
        inner = width * rng.uniform(0.62, 0.95)
        left, width = left + (width - inner) * float(rng.choice([0.0, 0.5, 0.5, 1.0])), inner
    placed: list[tuple[str, tuple[float, float, float, float]]] = []
    if columns:
        share = rng.uniform(0.36, 0.52)
        at_left = rng.random() < 0.5
        placed.append(("picture", (0.02 if at_left else 1 - share, 0.06, share - 0.02, 0.88)))
        room = 1 - share - margin
        left, width = (
            (share + 0.02 if at_left else margin) + max(0.0, left - margin) * room,
            width * room / (1 - 2 * margin),
        )
    for name in names:
        h = weight[name] * scale
        inset = rng.uniform(0, 0.1) if name not in ("band", "brand", "picture") else 0.0
        placed.append((name, (left + inset * width, y, width * (1 - 2 * inset), h)))
        y += h + gaps
    return placed


def _block(rng: np.random.Generator, name: str, box: tuple[float, float, float, float], small: str) -> list[Element]:
    """Elements of one block other than the brand."""
    x, y, w, h = box
    seed = int(rng.integers(1 << 31))
    if name == "picture":
        return [Element("picture", x, y, w, h, "accent", "accent2", str(rng.choice(PICTURES)), "picture", seed=seed)]
    if name == "lines":
        return [Element("lines", x, y, w, h, "ink", form=str(int(rng.integers(2, 5))), part="lines", seed=seed)]
    if name == "band":
        form = str(rng.choice(["rect", "gradient_rect", "curved", "foil"], p=[0.4, 0.2, 0.25, 0.15]))
        found = [Element("panel", 0, y, 1, h, "accent", "accent2", form, "band", seed=seed)]
        if rng.random() < 0.6:
            text = f"{invent_word(rng)} {invent_word(rng, syllables=1)}"
            inner = (0.1, y + 0.18 * h, 0.8, 0.64 * h)
            found.append(Element("word", *inner, "on_accent", "accent", "plain", "band", text, small, seed))
        return found
    text = invent_word(rng, syllables=2)
    if name == "flavour" and rng.random() < 0.5:
        form = str(rng.choice(["rect", "round", "ribbon"]))
        inner = (x + 0.08 * w, y + 0.13 * h, 0.84 * w, 0.74 * h)
        return [
            Element("panel", x, y, w, h, "accent", "accent2", form, "flavour", seed=seed),
            Element("word", *inner, "on_accent", "accent", "plain", "flavour", text, small, seed),
        ]
    if name == "flavour":
        return [
            Element(
                "word",
                x,
                y,
                w,
                h,
                "accent",
                "outline",
                str(rng.choice(["plain", "slant", "outline"])),
                "flavour",
                text,
                small,
                seed,
            )
        ]
    if name == "sub":
        text = f"{invent_word(rng)} {text}"
    return [Element("word", x, y, w, h, "ink", "outline", "plain", name, text, small, seed)]


def _extras(rng: np.random.Generator, aspect: float, placed: list[Element]) -> list[Element]:
    """Emblems and flashes, put where they cover the least print."""
    words = [(e.x, e.y, e.x + e.w, e.y + e.h) for e in placed if e.what == "word"]
    found = []
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        w = rng.uniform(0.16, 0.32)
        h = min(0.34, w * aspect)
        spots = [(rng.uniform(0.02, 0.98 - w), rng.uniform(0.02, 0.98 - h)) for _ in range(6)]
        cover = [
            sum(max(0, min(x + w, c) - max(x, a)) * max(0, min(y + h, d) - max(y, b)) for a, b, c, d in words)
            for x, y in spots
        ]
        x, y = spots[int(np.argmin(cover))]
        seed = int(rng.integers(1 << 31))
        if rng.random() < 0.55:
            found.append(
                Element("emblem", x, y, w, h, "accent2", "brand", str(rng.choice(EMBLEMS)), "emblem", seed=seed)
            )
        else:
            form, text = str(rng.choice(["burst", "disc", "tab"])), str(rng.choice(FLASHES))
            found.append(Element("flash", x, y, w, h, "flash", "outline", form, "flash", text, "DejaVuSans-Bold", seed))
    if rng.random() < 0.12:
        found.append(Element("barcode", 0.72, 0.88, 0.22, 0.09, "ink", seed=int(rng.integers(1 << 31))))
    return found


def place_elements(rng: np.random.Generator, shape: Shape) -> list[Element]:
    """Draw a family's print, from back to front."""
    u0, v0, u1, v1 = shape.label
    aspect = (u1 - u0) / 2 * shape.aspect / (v1 - v0)
    face, small = (str(f) for f in rng.choice(FACES[:-1], size=2))
    if rng.random() < 0.07:
        face = small = FACES[-1]
    brand = invent_word(rng)
    if rng.random() < 0.25:
        brand = f"{brand} {invent_word(rng, syllables=1)}"
    ground = _ground(rng)
    if shape.decal == "full" and shape.style in ("oval", "jug", "trigger", "inverted"):
        # Print straight on curved plastic has no field of its own.
        ground = []
    placed: list[Element] = []
    for name, box in _stack(rng, aspect):
        placed += _brand(rng, box, brand, face) if name == "brand" else _block(rng, name, box, small)
    placed += _extras(rng, aspect, placed)
    if shape.decal == "oval":
        # Keep clear of the corners that an oval label lacks.
        placed = [replace(e, x=0.12 + 0.76 * e.x, y=0.1 + 0.8 * e.y, w=0.76 * e.w, h=0.8 * e.h) for e in placed]
    return ground + placed
