"""Outlines of cans, jars, tubes, pouches, cartons, boxes and trays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from packed_scenes.data.synth.goods.bottles import sample_bottle
from packed_scenes.data.synth.goods.shapes import Part, Points, Shape, slab

__all__ = ["sample_shape"]

Rng = np.random.Generator


def _can(rng: Rng) -> Shape:
    style = str(rng.choice(["soda-can", "tin", "aerosol", "drum"], p=[0.38, 0.27, 0.2, 0.15]))
    u = rng.uniform
    bow = u(0.0, 0.025)
    if style == "soda-can":
        neck = u(0.05, 0.09)
        outline = ((0.025, 0.86), (neck, 0.97), (neck + 0.03, 1.0), (0.93, 1.0), (0.975, 0.88))
        lid = slab("metal", 0, 0.035, 0.87, corner=0.012, finish="metal", bow=bow)
        foot = slab("metal", 0.965, 1, 0.84, corner=0.012, finish="metal", bow=bow)
        parts: tuple[Part, ...] = (lid, foot, Part("print", outline, 0.008, "metal", bow=bow))
        return Shape(style, u(0.36, 0.6), parts, True, (-1.2, 0.05, 1.2, 0.96), height_cm=u(11.5, 17))
    if style == "tin":
        rim = u(0.03, 0.05)
        body = slab("print", rim, 1 - rim, 0.975, corner=0.0, bow=bow)
        lid = slab("metal", 0, rim + 0.012, 1, corner=0.01, finish="metal", bow=bow)
        foot = slab("metal", 1 - rim - 0.012, 1, 1, corner=0.01, finish="metal", bow=bow)
        return Shape(style, u(0.62, 1.25), (body, lid, foot), True, (-1.1, 0.06, 1.1, 0.94), height_cm=u(5.5, 12))
    if style == "aerosol":
        cap_h = u(0.13, 0.26)
        outline = ((cap_h - 0.02, 0.6), (cap_h + 0.01, 0.85), (cap_h + 0.05, 0.99), (0.985, 1.0), (1.0, 0.96))
        cap = Part("cap", ((0.0, u(0.5, 0.8)), (0.03, 0.86), (cap_h, u(0.86, 0.96))), 0.012, bow=bow)
        parts = (Part("print", outline, 0.008, "metal", bow=bow), cap)
        return Shape(style, u(0.23, 0.33), parts, True, (-1.0, cap_h + 0.07, 1.0, 0.97), height_cm=u(15, 25))
    cap_h = u(0.08, 0.14)
    body = slab("print", cap_h, 1, 0.97, corner=0.015, finish="matte", bow=bow)
    cap = slab("cap", 0, cap_h + 0.01, 1, corner=0.015, bow=bow)
    return Shape(style, u(0.55, 0.95), (body, cap), True, (-1.1, cap_h + 0.03, 1.1, 0.98), height_cm=u(11, 19))


def _jar(rng: Rng) -> Shape:
    style = str(rng.choice(["glass", "cream", "cup", "shoulder"], p=[0.35, 0.18, 0.27, 0.2]))
    u = rng.uniform
    bow = u(0.0, 0.03)
    if style == "cup":
        rim = u(0.05, 0.09)
        wide, narrow = (0.96, u(0.72, 0.86)) if rng.random() < 0.8 else (u(0.8, 0.9), 0.98)
        body = Part("print", ((rim, wide), (0.97, narrow), (1.0, narrow - 0.05)), 0.004, "matte", bow=-bow)
        lid = slab("cap", 0, rim + 0.01, 1, finish="metal", bow=-bow)
        return Shape(style, u(0.75, 1.5), (body, lid), True, (-1.0, rim + 0.06, 1.0, 0.96), height_cm=u(6, 11))
    if style == "cream":
        cap_h = u(0.34, 0.48)
        body = slab("print", cap_h, 1, u(0.92, 1), corner=0.05, bow=bow)
        lid = slab("cap", 0, cap_h + 0.01, 1, corner=0.03, bow=bow)
        return Shape(style, u(1.0, 1.6), (body, lid), True, (-1.0, cap_h + 0.05, 1.0, 0.95), height_cm=u(5, 8))
    cap_h = u(0.13, 0.22)
    neck = u(0.8, 0.9) if style == "glass" else u(0.6, 0.74)
    sh = cap_h + (u(0.06, 0.1) if style == "glass" else u(0.14, 0.2))
    waist = 1.0 if rng.random() < 0.6 else u(0.84, 0.95)
    outline = ((cap_h - 0.03, neck), (cap_h, neck), (sh, 0.97), (0.6, waist), (0.95, 0.98), (1.0, 0.86))
    glass = Part("liquid", outline, 0.016, "glass", bow=bow)
    top, low, half = u(sh + 0.02, sh + 0.14), u(0.82, 0.95), min(0.985, waist)
    label = Part("print", ((top, half), (low, half)), finish="matte", bow=bow)
    finish, ribs = str(rng.choice(["gloss", "metal"])), int(rng.choice([0, 24]))
    lid = slab("cap", 0, cap_h, neck + u(0.02, 0.1), corner=0.015, finish=finish, ribs=ribs, bow=bow)
    decal, contents = str(rng.choice(["full", "rect", "oval"])), str(rng.choice(["grain", "smooth", "chunks", "level"]))
    zone = (-1.05, top, 1.05, low)
    return Shape(style, u(0.5, 0.95), (glass, label, lid), True, zone, decal, contents=contents, height_cm=u(10, 19))


def _tube(rng: Rng) -> Shape:
    u = rng.uniform
    cap_h, shoulder = u(0.12, 0.18), u(0.64, 0.85)
    end = shoulder if rng.random() < 0.5 else u(0.36, 0.55)
    outline = ((0.0, 1.0), (0.05, 1.0), (0.3, u(0.96, 1)), (0.95 - cap_h, shoulder), (1 - cap_h, end))
    body = Part("print", outline, 0.008, str(rng.choice(["gloss", "metal"])))
    cap = slab("cap", 1 - cap_h, 1, min(end + 0.02, 0.9), corner=0.012, ribs=int(rng.choice([0, 16])))
    zone = (-0.85, 0.08, 0.85, 0.92 - cap_h)
    return Shape("tube", u(0.3, 0.48), (body, cap), True, zone, crimp=0.004, height_cm=u(13, 20))


def _pouch(rng: Rng) -> Shape:
    style = str(rng.choice(["pillow", "doypack", "spout", "pack"], p=[0.36, 0.32, 0.1, 0.22]))
    u = rng.uniform
    if style == "pillow":
        waist, teeth, crinkle = u(0.93, 1), u(0.006, 0.014), u(0.5, 1)
        outline: Points = ((0.0, 0.97), (0.05, 0.97), (0.3, waist), (0.7, waist), (0.95, 0.98), (1.0, 0.98))
        body, zone = Part("print", outline, 0.03, "film"), (-0.94, 0.06, 0.94, 0.94)
        return Shape(style, u(0.62, 1.05), (body,), False, zone, crimp=teeth, crinkle=crinkle, height_cm=u(15, 30))
    if style == "pack":
        outline = ((0.0, u(0.9, 0.96)), (0.03, 0.98), (0.5, 1.0), (0.97, 0.99), (1.0, u(0.92, 0.97)))
        body, zone, side = Part("print", outline, 0.02, "film"), (-0.97, 0.03, 0.97, 0.97), float(rng.choice([0, 0.08]))
        return Shape(style, u(0.9, 1.8), (body,), False, zone, crinkle=u(0.3, 0.9), side=side, height_cm=u(8, 20))
    top = 0.08 if style == "spout" else 0.0
    outline = ((top, u(0.88, 0.98)), (top + 0.05, 0.97), (0.4, u(0.93, 1)), (0.8, 1.0), (0.95, 0.98), (1.0, 0.88))
    body, zone = Part("print", outline, 0.02, "film"), (-0.92, top + 0.07, 0.92, 0.94)
    if style == "doypack":
        return Shape(style, u(0.58, 0.85), (body,), False, zone, crimp=0.002, crinkle=u(0.3, 0.8), height_cm=u(16, 28))
    cap = slab("cap", 0, 0.1, 0.16, corner=0.01, ribs=10, shift=u(-0.3, 0.3))
    return Shape(style, u(0.55, 0.75), (cap, body), False, zone, crinkle=u(0.3, 0.7), height_cm=u(14, 24))


def _carton(rng: Rng) -> Shape:
    u = rng.uniform
    if rng.random() < 0.5:
        roof = u(0.16, 0.22)
        body = Part("print", ((0.0, 1.0), (1.0, 1.0)), finish="flat")
        cap = Part("cap", ((roof * 0.38, 0.3), (roof * 0.85, 0.32)), 0.008, ribs=14)
        parts = (body, cap) if rng.random() < 0.7 else (body,)
        zone, side = (-0.98, roof + 0.03, 0.98, 0.98), float(rng.choice([0, 0, 0.2, 0.3]))
        return Shape("gable", u(0.36, 0.56), parts, False, zone, side=side, roof=roof, height_cm=u(18, 26))
    top = u(0.05, 0.09) if rng.random() < 0.45 else 0.0
    body = Part("print", ((top, 1.0), (1.0, 1.0)), finish="flat")
    cap = Part("cap", ((0.0, 0.22), (top + 0.01, 0.24)), 0.004, ribs=12, shift=float(rng.choice([-0.3, 0, 0.3])))
    zone, side = (-0.97, top + 0.02, 0.97, 0.985), float(rng.choice([0, 0, 0.12, 0.25]))
    return Shape("brick", u(0.36, 0.72), (body, cap) if top else (body,), False, zone, side=side, height_cm=u(12, 24))


def _box(rng: Rng) -> Shape:
    u = rng.uniform
    aspect = float(np.exp(u(np.log(0.42), np.log(2.3))))
    top = u(0.04, 0.12) if rng.random() < 0.3 else 0.0
    body = Part("print", ((0.0, 1 - top), (top, 1.0), (1.0, 1.0)), finish="flat")
    side = 0.0 if top else float(rng.choice([0, 0, 0, 0.08, 0.16]))
    tall = float(np.clip(20 / np.sqrt(aspect) * u(0.6, 1.3), 4, 32))
    return Shape("box", aspect, (body,), False, (-0.98, 0.01, 0.98, 0.99), side=side, top=top, height_cm=tall)


def _tray(rng: Rng) -> Shape:
    u = rng.uniform
    rim, half = u(0.86, 0.94), u(0.4, 0.98)
    film = Part("liquid", ((0.0, u(0.9, 0.98)), (0.06, 0.985), (rim, 1.0)), 0.01, "film")
    top, low, shift = u(0.06, 0.3), u(0.6, 0.82), float(rng.choice([0, 0, -1, 1])) * (0.95 - min(half, 0.95))
    label = Part("print", ((top, half), (low, half)), finish="flat", shift=shift)
    base = Part("cap", ((rim - 0.02, 1.0), (1.0, u(0.86, 0.97))), 0.004, "matte")
    contents, zone = str(rng.choice(["chunks", "fruit", "grain"])), (-1.0, top, 1.0, low)
    parts, crinkle = (film, base, label), u(0.3, 0.8)
    return Shape(
        "tray", u(0.95, 2.0), parts, False, zone, "rect", contents=contents, crinkle=crinkle, height_cm=u(8, 16)
    )


_MAKERS: dict[str, Callable[[Rng], Shape]] = {
    "bottle": sample_bottle, "can": _can, "jar": _jar, "tube": _tube, "pouch": _pouch, "carton": _carton, "box": _box,
    "tray": _tray,
}  # fmt: skip


def sample_shape(rng: Rng, kind: str) -> Shape:
    """Draw the geometry of a kind of package."""
    return _MAKERS[kind](rng)
