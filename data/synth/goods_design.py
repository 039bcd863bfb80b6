"""Printed design of a brand family (palette and placed elements) and the single changes that make its variants."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.synth.goods_colour import Colour, contrast, contrasting, far_from, mix, package_colour
from data.synth.goods_pictures import EMBLEMS, PICTURES
from data.synth.goods_shapes import Shape, sample_shape
from data.synth.goods_text import FACES, invent_word

__all__ = ["Design", "Element", "change_design", "sample_design"]


@dataclass(frozen=True, slots=True)
class Element:
    """One printed thing, placed by its top-left corner and size as fractions of the label.

    what: panel, word, picture, emblem, flash, lines, texture or barcode. form: sub-type. ink and second: palette roles.
    part: what it means to a shopper (brand, flavour, picture …), by which variants find it. text: words. seed: fixes details.
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


@dataclass(frozen=True)
class Design:
    """Everything that fixes the look of one product: geometry, colours by role and elements from back to front."""

    kind: str
    shape: Shape
    palette: tuple[tuple[str, Colour], ...]
    elements: tuple[Element, ...]
    light: float

    def colour(self, role: str) -> Colour:
        """Colour of a palette role (mid grey when unknown)."""
        return next((c for r, c in self.palette if r == role), (128, 128, 128))

    def recoloured(self, **roles: Colour) -> Design:
        """The same design with some roles in other colours."""
        return replace(self, palette=tuple((r, roles.get(r, c)) for r, c in self.palette))


def _palette(rng: np.random.Generator) -> dict[str, Colour]:
    body = package_colour(rng)
    same = rng.random()
    # The label is the bare body, a white or cream field, or a field in another colour.
    label = body if same < 0.45 else package_colour(rng, "white") if same < 0.65 else far_from(rng, [body], least=0.35)
    brand = contrasting(rng, label, least=0.85, mood=str(rng.choice(["white", "vivid", "dark"], p=[0.4, 0.35, 0.25])))
    accent = far_from(rng, [label, brand], least=0.5, mood="vivid")
    accent2 = far_from(rng, [label, accent], least=0.4)
    cap = {0: accent, 1: body, 2: package_colour(rng, "white")}.get(int(rng.integers(5)), package_colour(rng))
    liquid = package_colour(rng, str(rng.choice(["vivid", "dark", "kraft", "pastel"])))
    metal = package_colour(rng, "metal")
    return {
        "body": body, "label": label, "brand": brand, "accent": accent, "accent2": accent2, "cap": cap,
        "ink": contrasting(rng, label, least=0.8, mood=str(rng.choice(["dark", "white", "vivid"]))),
        "on_accent": contrasting(rng, accent, least=0.8, mood=str(rng.choice(["white", "dark", "vivid"], p=[0.6, 0.25, 0.15]))),
        "outline": contrasting(rng, brand, least=0.7), "liquid": liquid, "metal": metal, "flash": package_colour(rng, "vivid"),
    }  # fmt: skip


def _background(rng: np.random.Generator) -> list[Element]:
    forms = ["gradient", "wave", "diagonal", "arc", "frame", "stripes", "dots", "rays", "split", "blobs", "halo"]
    chosen = rng.choice(
        forms,
        size=int(rng.choice([0, 1, 1, 2])),
        replace=False,
        p=[0.16, 0.16, 0.1, 0.14, 0.07, 0.07, 0.06, 0.05, 0.08, 0.06, 0.05],
    )
    elements = []
    for form in chosen:
        ink, second = (
            str(r) for r in rng.choice(["accent", "accent2", "brand"], size=2, replace=False, p=[0.5, 0.4, 0.1])
        )
        elements.append(Element("panel", 0, 0, 1, 1, ink, second, str(form), "ground", seed=int(rng.integers(1 << 31))))
    if rng.random() < 0.15:
        elements.append(
            Element("texture", 0, 0, 1, 1, "accent2", "label", "", "ground", seed=int(rng.integers(1 << 31)))
        )
    return elements


def _brand_block(
    rng: np.random.Generator, x: float, y: float, w: float, h: float, word: str, face: str
) -> list[Element]:
    elements = []
    seed = int(rng.integers(1 << 31))
    badge = rng.random()
    if badge < 0.42:
        form = str(rng.choice(["ellipse", "rect", "round", "ribbon", "swoosh"]))
        elements.append(Element("panel", x, y, w, h, "accent", "outline", form, "badge", seed=seed))
        x, y, w, h = x + 0.1 * w, y + 0.18 * h, 0.8 * w, 0.64 * h
    effect = str(
        rng.choice(
            ["plain", "outline", "shadow", "arc", "slant", "rise", "gloss"], p=[0.3, 0.2, 0.14, 0.12, 0.08, 0.08, 0.08]
        )
    )
    ink = "on_accent" if badge < 0.42 else "brand"
    lines = word.split() if " " in word else [word]
    for k, text in enumerate(lines):
        elements.append(
            Element(
                "word",
                x,
                y + h * k / len(lines),
                w,
                h / len(lines) * 0.94,
                ink,
                "outline",
                effect,
                "brand",
                text,
                face,
                seed,
            )
        )
    return elements


def _stack(rng: np.random.Generator, aspect: float) -> list[tuple[str, float, float, float, float]]:
    """Place blocks: (name, x, y, w, h) in label fractions, single column or two columns on wide labels."""
    margin = rng.uniform(0.03, 0.09)
    columns = aspect > 1.25 and rng.random() < 0.65
    names = [
        n
        for n, chance in (
            ("tag", 0.5),
            ("brand", 1.0),
            ("sub", 0.65),
            ("flavour", 0.85),
            ("picture", 0.75),
            ("band", 0.5),
            ("lines", 0.6),
        )
        if rng.random() < chance
    ]
    order = rng.random()
    if columns:
        names = [n for n in names if n != "picture"]
    if order < 0.25 and "picture" in names:
        names.remove("picture")
        names.insert(int(rng.integers(0, len(names))), "picture")
    elif order < 0.35:
        names.reverse()
    weight = {
        "tag": 0.06,
        "brand": rng.uniform(0.2, 0.36),
        "sub": 0.08,
        "flavour": rng.uniform(0.09, 0.17),
        "picture": rng.uniform(0.28, 0.5),
        "band": rng.uniform(0.08, 0.16),
        "lines": 0.1,
    }
    gaps = rng.uniform(0.01, 0.05)
    scale = (1 - 2 * margin - gaps * (len(names) - 1)) / sum(weight[n] for n in names)
    scale = min(scale, 1.6)
    y = margin
    left, width = margin, 1 - 2 * margin
    placed: list[tuple[str, float, float, float, float]] = []
    if columns:
        share = rng.uniform(0.36, 0.5)
        if rng.random() < 0.5:
            placed.append(("picture", 1 - share, 0.06, share - 0.03, 0.88))
        else:
            placed.append(("picture", 0.03, 0.06, share - 0.03, 0.88))
            left = share + 0.02
        width = 1 - share - margin
    for name in names:
        h = weight[name] * scale
        inset = rng.uniform(0, 0.12) if name not in ("band", "brand") else 0.0
        placed.append((name, left + inset * width, y, width * (1 - 2 * inset), h))
        y += h + gaps
    return placed


def _elements(rng: np.random.Generator, shape: Shape, kind: str) -> list[Element]:
    u0, v0, u1, v1 = shape.label
    aspect = (u1 - u0) / 2 * shape.aspect / (v1 - v0)
    face, small = (str(f) for f in rng.choice(FACES, size=2, p=None))
    brand = invent_word(rng)
    if rng.random() < 0.2:
        brand = f"{brand} {invent_word(rng, syllables=1)}"
    elements = _background(rng)
    for name, x, y, w, h in _stack(rng, aspect):
        seed = int(rng.integers(1 << 31))
        if name == "brand":
            elements += _brand_block(rng, x, y, w, h, brand, face)
        elif name == "tag":
            elements.append(
                Element(
                    "word", x + w * 0.2, y, w * 0.6, h, "ink", "outline", "plain", "tag", invent_word(rng), small, seed
                )
            )
        elif name == "sub":
            elements.append(
                Element(
                    "word",
                    x,
                    y,
                    w,
                    h,
                    "ink",
                    "outline",
                    "plain",
                    "sub",
                    f"{invent_word(rng)} {invent_word(rng, syllables=1)}",
                    small,
                    seed,
                )
            )
        elif name == "flavour":
            if rng.random() < 0.5:
                elements.append(
                    Element(
                        "panel",
                        x,
                        y,
                        w,
                        h,
                        "accent",
                        "accent2",
                        str(rng.choice(["rect", "round", "ribbon"])),
                        "flavour",
                        seed=seed,
                    )
                )
                elements.append(
                    Element(
                        "word",
                        x + 0.08 * w,
                        y + 0.15 * h,
                        0.84 * w,
                        0.7 * h,
                        "on_accent",
                        "accent",
                        "plain",
                        "flavour",
                        invent_word(rng, syllables=2),
                        small,
                        seed,
                    )
                )
            else:
                elements.append(
                    Element(
                        "word",
                        x,
                        y,
                        w,
                        h,
                        "accent",
                        "outline",
                        str(rng.choice(["plain", "slant"])),
                        "flavour",
                        invent_word(rng, syllables=2),
                        small,
                        seed,
                    )
                )
        elif name == "picture":
            form = str(rng.choice(PICTURES))
            elements.append(Element("picture", x, y, w, h, "accent", "accent2", form, "picture", seed=seed))
        elif name == "band":
            elements.append(
                Element(
                    "panel",
                    0,
                    y,
                    1,
                    h,
                    "accent",
                    "accent2",
                    str(rng.choice(["rect", "gradient_rect", "curved"])),
                    "band",
                    seed=seed,
                )
            )
            if rng.random() < 0.6:
                elements.append(
                    Element(
                        "word",
                        0.12,
                        y + 0.2 * h,
                        0.76,
                        0.6 * h,
                        "on_accent",
                        "accent",
                        "plain",
                        "band",
                        f"{invent_word(rng)} {invent_word(rng)}",
                        small,
                        seed,
                    )
                )
        else:
            elements.append(
                Element("lines", x, y, w, h, "ink", form=str(int(rng.integers(2, 5))), part="lines", seed=seed)
            )
    for _ in range(int(rng.choice([0, 1, 1, 2]))):
        size = rng.uniform(0.16, 0.3)
        x, y = rng.uniform(0, 1 - size), rng.uniform(0, 0.9 - size)
        seed = int(rng.integers(1 << 31))
        if rng.random() < 0.55:
            elements.append(
                Element(
                    "emblem",
                    x,
                    y,
                    size,
                    size / max(aspect, 0.5),
                    "accent2",
                    "brand",
                    str(rng.choice(EMBLEMS)),
                    "emblem",
                    seed=seed,
                )
            )
        else:
            text = str(rng.choice(["NEW", "2x", "3in1", "XL", "BIO", "-20%", "1L", "500", "24h", "Plus", "100%", "0%"]))
            elements.append(
                Element(
                    "flash",
                    x,
                    y,
                    size * 1.1,
                    size / max(aspect, 0.5),
                    "flash",
                    "outline",
                    str(rng.choice(["burst", "disc", "tab"])),
                    "flash",
                    text,
                    "DejaVuSans-Bold",
                    seed,
                )
            )
    if rng.random() < 0.15:
        elements.append(Element("barcode", 0.72, 0.88, 0.22, 0.09, "ink", seed=int(rng.integers(1 << 31))))
    return elements


def sample_design(rng: np.random.Generator, kind: str) -> Design:
    """Draw a family's shared design."""
    shape = sample_shape(rng, kind)
    palette = _palette(rng)
    return Design(
        kind, shape, tuple(palette.items()), tuple(_elements(rng, shape, kind)), float(rng.uniform(-0.5, 0.5))
    )


def _swap(design: Design, part: str, rng: np.random.Generator) -> Design:
    """Replace what one part shows: other letters, another picture, another emblem."""
    changed = []
    form = ""
    for e in design.elements:
        if e.part != part:
            changed.append(e)
        elif e.what == "word":
            changed.append(replace(e, text=invent_word(rng, syllables=int(rng.integers(1, 4)))))
        elif e.what == "picture":
            form = str(rng.choice([p for p in PICTURES if p != e.form]))
            changed.append(replace(e, form=form, seed=int(rng.integers(1 << 31))))
        elif e.what == "emblem":
            changed.append(
                replace(e, form=str(rng.choice([m for m in EMBLEMS if m != e.form])), seed=int(rng.integers(1 << 31)))
            )
        elif e.what == "flash":
            changed.append(
                replace(
                    e,
                    text=str(rng.choice([t for t in ("NEW", "2x", "XL", "BIO", "-30%", "2L") if t != e.text])),
                    form="disc" if e.form != "disc" else "burst",
                )
            )
        else:
            changed.append(e)
    return replace(design, elements=tuple(changed))


def _other_colour(design: Design, role: str, rng: np.random.Generator) -> Design:
    old = design.colour(role)
    new = far_from(rng, [old], least=0.45)
    roles: dict[str, Colour] = {role: new}
    # Roles that wore the same colour as this one keep matching it, and print stays readable.
    for other, c in design.palette:
        if other != role and c == old:
            roles[other] = new
    label = roles.get("label", design.colour("label"))
    for ink in ("brand", "ink"):
        if contrast(roles.get(ink, design.colour(ink)), label) < 0.5:
            roles[ink] = contrasting(rng, label)
    accent = roles.get("accent", design.colour("accent"))
    if contrast(design.colour("on_accent"), accent) < 0.5:
        roles["on_accent"] = contrasting(rng, accent)
    return design.recoloured(**roles)


def change_design(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    """Make one candidate variant: returns what was changed (``"colour:cap"``, ``"word:flavour"`` …) and the new design."""
    shape_roles = {p.role for p in design.shape.parts}
    parts = {e.part for e in design.elements}
    inks = {e.ink for e in design.elements} | {e.second for e in design.elements}
    options: list[tuple[str, float]] = [("colour:label", 1.0), ("size", 0.5)]
    options += (
        [("colour:body", 1.0)] if design.colour("body") != design.colour("label") and "print" in shape_roles else []
    )
    options += [(f"colour:{r}", w) for r, w in (("cap", 1.2), ("liquid", 0.8)) if r in shape_roles]
    options += [("colour:accent", 2.0)] if "accent" in inks else []
    options += [("colour:accent2", 0.7)] if "accent2" in inks else []
    options += [
        (f"swap:{p}", w)
        for p, w in (
            ("flavour", 1.2),
            ("sub", 0.5),
            ("picture", 1.5),
            ("emblem", 0.6),
            ("flash", 0.5),
            ("band", 0.5),
            ("brand", 0.3),
        )
        if p in parts
    ]
    options += [("line", 1.6)] if "flavour" in parts or "picture" in parts else []
    weights = np.array([w for _, w in options])
    what = options[int(rng.choice(len(options), p=weights / weights.sum()))][0]
    if what == "size":
        return what, replace(design, shape=design.shape.resized(float(rng.choice([0.72, 0.8, 1.28, 1.4]))))
    if what == "line":
        # The usual way of a range: flavour colour together with its word and picture.
        new = _other_colour(design, "accent", rng)
        for part in ("flavour", "picture"):
            if part in parts and rng.random() < 0.8:
                new = _swap(new, part, rng)
        return what, new
    kind, _, target = what.partition(":")
    if kind == "colour":
        return what, _other_colour(design, target, rng)
    return what, _swap(design, target, rng)
