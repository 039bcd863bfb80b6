"""Silhouettes of packages: outlines by part (body, neck, cap, rim), where the print goes, and which kinds are round.

Coordinates are fractions of the product's box: v runs 0 (top) to 1 (bottom); half widths are fractions of half the box width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Part", "Shape", "sample_shape"]

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a package, drawn over those before it.

    role: palette role that colours it, or "print" for the decorated body. profile: (v, half width) pairs. soft: smoothing
    of the profile in v. finish: matte, gloss, metal, glass or flat. ribs: vertical ridges around. shift: centre offset.
    alpha: opacity.
    """

    role: str
    profile: Points
    soft: float = 0.0
    finish: str = "gloss"
    ribs: int = 0
    shift: float = 0.0
    alpha: float = 1.0
    bow: float = 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """Geometry shared by a family.

    aspect: width / height. round: print wraps a cylinder. label: (u0, v0, u1, v1), the printed zone, u in -1…1 along the
    front surface. decal: outline of the label (full, rect, round, oval). hole: handle opening (u, v, ru, rv, degrees).
    crimp: teeth depth of top and bottom edges. crinkle: strength of film folds. side: share of width taken by a visible
    side face; roof: share of height of a gable; top: of a visible top face. height_cm: usual physical height.
    """

    style: str
    aspect: float
    parts: tuple[Part, ...]
    round: bool
    label: tuple[float, float, float, float]
    decal: str = "full"
    hole: tuple[float, float, float, float, float] | None = None
    crimp: float = 0.0
    crinkle: float = 0.0
    side: float = 0.0
    roof: float = 0.0
    top: float = 0.0
    contents: str = ""
    height_cm: float = 20.0

    def resized(self, factor: float) -> Shape:
        """The same package made wider (factor > 1) or slimmer."""
        return replace(self, aspect=self.aspect * factor)


def _slab(role: str, top: float, bottom: float, half: float, *, corner: float = 0.02, **more: object) -> Part:
    """A part with straight sides and slightly rounded ends."""
    c = min(corner, (bottom - top) / 3)
    pts = ((top, half - c * 1.5), (top + c * 0.4, half - c * 0.4), (top + c, half))
    low = ((bottom - c, half), (bottom - c * 0.4, half - c * 0.4), (bottom, half - c * 1.5))
    return Part(role, pts + low, **more)  # type: ignore[arg-type]


def _bottle(rng: np.random.Generator) -> Shape:
    style = str(rng.choice(["oval", "straight", "inverted", "jug", "soda", "wine", "pump", "trigger", "squeezy"],
                           p=[0.18, 0.12, 0.1, 0.17, 0.14, 0.09, 0.08, 0.06, 0.06]))  # fmt: skip
    u = rng.uniform
    finish = str(rng.choice(["gloss", "matte"], p=[0.7, 0.3]))
    bow = u(-0.012, 0.02)
    if style == "oval":
        cap_h, top = u(0.13, 0.22), u(0.4, 0.62)
        body = Part("print", ((cap_h - 0.02, top), (cap_h + 0.03, top + 0.1), (cap_h + 0.12, u(0.82, 0.93)), (0.45, 0.98),
                              (0.7, 1), (0.9, 0.93), (0.975, u(0.78, 0.9)), (1, 0.72)), 0.03, finish, bow=bow)  # fmt: skip
        cap = Part(
            "cap", ((0, top - 0.12), (0.015, top - 0.04), (cap_h, top + u(-0.02, 0.06))), 0.006, "gloss", bow=bow
        )
        return Shape(style, u(0.34, 0.52), (body, cap), True, (-0.86, cap_h + 0.12, 0.86, 0.93),
                     str(rng.choice(["full", "round", "oval"])), height_cm=u(17, 25))  # fmt: skip
    if style == "straight":
        cap_h, half = u(0.1, 0.2), u(0.9, 1)
        body = _slab("print", cap_h, 1, 1, corner=0.03, finish=finish, bow=bow)
        cap = _slab("cap", 0, cap_h + 0.005, half, corner=0.02, finish="gloss", bow=bow)
        return Shape(
            style, u(0.3, 0.46), (body, cap), True, (-0.95, cap_h + 0.05, 0.95, 0.96), "full", height_cm=u(16, 24)
        )
    if style == "inverted":
        cap_h = u(0.09, 0.15)
        body = Part("print", ((0, u(0.55, 0.8)), (0.015, 0.8), (0.06, 0.93), (0.3, 1), (0.7, 0.95), (1 - cap_h, u(0.72, 0.85))),
                    0.02, finish, bow=bow)  # fmt: skip
        cap = _slab("cap", 1 - cap_h, 1, u(0.7, 0.86), corner=0.012, bow=bow)
        return Shape(style, u(0.36, 0.48), (body, cap), True, (-0.86, 0.1, 0.86, 0.82), "full", height_cm=u(17, 23))
    if style == "jug":
        cap_h, lean = u(0.09, 0.16), u(-0.25, 0.05)
        body = Part("print", ((cap_h - 0.02, 0.3), (cap_h + 0.02, 0.36), (cap_h + 0.12, u(0.62, 0.8)), (0.36, u(0.84, 0.95)), (0.62, 1),
                              (0.93, u(0.9, 0.98)), (1, 0.82)), 0.035, finish, bow=bow)  # fmt: skip
        cap = Part(
            "cap",
            ((0, 0.2), (0.012, 0.25), (cap_h, u(0.27, 0.34))),
            0.004,
            "gloss",
            int(rng.integers(0, 18)),
            lean,
            bow=bow,
        )
        hole = None if rng.random() < 0.12 else (u(0.5, 0.66), u(0.38, 0.5), u(0.1, 0.17), u(0.11, 0.18), u(-14, 6))
        return Shape(style, u(0.52, 0.78), (body, cap), True, (-0.9, u(0.32, 0.42), 0.72, 0.92),
                     str(rng.choice(["full", "round", "oval"])), hole, height_cm=u(25, 32))  # fmt: skip
    if style == "soda":
        neck, sh = u(0.08, 0.12), u(0.26, 0.36)
        body = Part("liquid", ((0.05, 0.3), (neck, 0.32), (sh - 0.08, 0.75), (sh, 0.97), (0.5, u(0.9, 1)), (0.72, u(0.88, 1)), (0.9, 1), (1, 0.86)),
                    0.02, "glass", int(rng.choice([0, 0, 9])), alpha=u(0.85, 1), bow=bow)  # fmt: skip
        top, low = u(sh, sh + 0.08), u(0.64, 0.8)
        sleeve = Part("print", ((top, u(0.93, 0.99)), (low, u(0.93, 0.99))), 0.0, "gloss", bow=bow)
        cap = _slab("cap", 0, u(0.045, 0.07), 0.34, corner=0.008, finish="matte", ribs=16)
        return Shape(style, u(0.25, 0.36), (body, sleeve, cap), True, (-1.0, top, 1.0, low), "full",
                     contents=str(rng.choice(["", "level"])), height_cm=u(22, 34))  # fmt: skip
    if style == "wine":
        sh, half = u(0.36, 0.5), u(0.27, 0.34)
        body = Part("liquid", ((0, half), (0.04, half), (sh - 0.14, half + 0.03), (sh - 0.04, 0.7), (sh + 0.02, 0.97), (0.97, 0.99), (1, 0.93)),
                    0.016, "glass", bow=bow)  # fmt: skip
        top = u(sh + 0.06, sh + 0.14)
        label = Part("print", ((top, 0.975), (u(0.84, 0.93), 0.975)), 0.0, "matte", bow=bow)
        capsule = Part("cap", ((0, half + 0.01), (u(0.08, 0.24), half + 0.02)), 0.0, "metal")
        return Shape(style, u(0.24, 0.31), (body, label, capsule), True, (-0.95, top, 0.95, label.profile[1][0]), "rect",
                     height_cm=u(24, 33))  # fmt: skip
    if style == "pump":
        head = u(0.2, 0.28)
        body = Part(
            "print",
            ((head, 0.4), (head + 0.03, 0.75), (head + 0.1, 0.96), (0.95, 1), (1, 0.92)),
            0.012,
            finish,
            bow=bow,
        )
        collar = _slab("cap", head - 0.08, head + 0.01, 0.36, corner=0.01, ribs=14)
        stem = _slab("cap", 0.05, head - 0.06, 0.1, corner=0.0)
        nozzle = _slab("cap", 0.0, 0.06, 0.34, corner=0.02, shift=-0.34)
        return Shape(style, u(0.36, 0.55), (body, stem, collar, nozzle), True, (-0.9, head + 0.1, 0.9, 0.94),
                     str(rng.choice(["full", "round"])), height_cm=u(17, 24))  # fmt: skip
    if style == "trigger":
        head = u(0.24, 0.3)
        body = Part(
            "print",
            ((head, 0.3), (head + 0.08, 0.45), (head + 0.2, 0.85), (0.6, 0.95), (0.95, 1), (1, 0.9)),
            0.03,
            finish,
            bow=bow,
        )
        neck = _slab("cap", 0.12, head + 0.02, 0.32, corner=0.01, ribs=10)
        gun = _slab("cap", 0.0, 0.13, 0.62, corner=0.03, shift=-0.25)
        lever = Part("accent", ((0.1, 0.12), (0.26, 0.07)), 0.01, "gloss", shift=-0.62)
        return Shape(
            style,
            u(0.36, 0.46),
            (body, neck, lever, gun),
            True,
            (-0.85, head + 0.2, 0.85, 0.94),
            "full",
            height_cm=u(24, 29),
        )
    cone = u(0.16, 0.24)
    body = Part(
        "print",
        ((cone, 0.6), (cone + 0.06, 0.88), (0.4, u(0.85, 1)), (0.62, u(0.8, 0.95)), (0.95, 1), (1, 0.9)),
        0.03,
        finish,
        bow=bow,
    )
    cap = Part(
        "cap",
        ((0, 0.07), (0.03, 0.12), (cone * 0.6, 0.3), (cone * 0.65, 0.5), (cone + 0.01, 0.52)),
        0.004,
        "gloss",
        bow=bow,
    )
    return Shape(style, u(0.32, 0.42), (body, cap), True, (-0.9, cone + 0.14, 0.9, 0.92), "oval", height_cm=u(17, 23))


def _can(rng: np.random.Generator) -> Shape:
    style = str(rng.choice(["soda", "tin", "aerosol", "drum"], p=[0.38, 0.27, 0.2, 0.15]))
    u = rng.uniform
    bow = u(0.0, 0.025)
    if style == "soda":
        neck = u(0.05, 0.09)
        body = Part(
            "print", ((0.025, 0.86), (neck, 0.97), (neck + 0.03, 1), (0.93, 1), (0.975, 0.88)), 0.008, "metal", bow=bow
        )
        top = _slab("metal", 0, 0.035, 0.87, corner=0.012, finish="metal", bow=bow)
        base = _slab("metal", 0.965, 1, 0.84, corner=0.012, finish="metal", bow=bow)
        return Shape(
            style, u(0.36, 0.6), (top, base, body), True, (-1.2, 0.05, 1.2, 0.96), "full", height_cm=u(11.5, 17)
        )
    if style == "tin":
        rim = u(0.03, 0.05)
        body = _slab("print", rim, 1 - rim, 0.975, corner=0.0, finish="gloss", bow=bow)
        top = _slab("metal", 0, rim + 0.012, 1, corner=0.01, finish="metal", bow=bow)
        base = _slab("metal", 1 - rim - 0.012, 1, 1, corner=0.01, finish="metal", bow=bow)
        return Shape(
            style, u(0.62, 1.25), (body, top, base), True, (-1.1, 0.06, 1.1, 0.94), "full", height_cm=u(5.5, 12)
        )
    if style == "aerosol":
        cap_h = u(0.13, 0.26)
        body = Part(
            "print",
            ((cap_h - 0.02, 0.6), (cap_h + 0.01, 0.85), (cap_h + 0.05, 0.99), (0.985, 1), (1, 0.96)),
            0.008,
            "metal",
            bow=bow,
        )
        cap = Part("cap", ((0, u(0.5, 0.8)), (0.03, 0.86), (cap_h, u(0.86, 0.96))), 0.012, "gloss", bow=bow)
        return Shape(
            style, u(0.23, 0.33), (body, cap), True, (-1.0, cap_h + 0.07, 1.0, 0.97), "full", height_cm=u(15, 25)
        )
    lid = u(0.08, 0.14)
    body = _slab("print", lid, 1, 0.97, corner=0.015, finish="matte", bow=bow)
    cap = _slab("cap", 0, lid + 0.01, 1, corner=0.015, finish="gloss", bow=bow)
    return Shape(style, u(0.55, 0.95), (body, cap), True, (-1.1, lid + 0.03, 1.1, 0.98), "full", height_cm=u(11, 19))


def _jar(rng: np.random.Generator) -> Shape:
    style = str(rng.choice(["glass", "cream", "cup", "shoulder"], p=[0.35, 0.18, 0.27, 0.2]))
    u = rng.uniform
    bow = u(0.0, 0.03)
    if style == "cup":
        rim = u(0.05, 0.09)
        wide_top = rng.random() < 0.8
        top, low = (0.96, u(0.72, 0.86)) if wide_top else (u(0.8, 0.9), 0.98)
        body = Part("print", ((rim, top), (0.97, low), (1, low - 0.05)), 0.004, "matte", bow=-bow)
        lid = _slab("cap", 0, rim + 0.01, 1, corner=0.02, finish="metal", bow=-bow)
        return Shape(style, u(0.75, 1.5), (body, lid), True, (-1.0, rim + 0.06, 1.0, 0.96), "full", height_cm=u(6, 11))
    if style == "cream":
        lid = u(0.34, 0.48)
        body = _slab("print", lid, 1, u(0.92, 1), corner=0.05, finish="gloss", bow=bow)
        cap = _slab("cap", 0, lid + 0.01, 1, corner=0.03, finish="gloss", bow=bow)
        return Shape(style, u(1.0, 1.6), (body, cap), True, (-1.0, lid + 0.05, 1.0, 0.95), "full", height_cm=u(5, 8))
    lid = u(0.13, 0.22)
    neck = u(0.8, 0.9) if style == "glass" else u(0.6, 0.74)
    sh = lid + (u(0.06, 0.1) if style == "glass" else u(0.14, 0.2))
    waist = 1.0 if rng.random() < 0.6 else u(0.84, 0.95)
    glass = Part(
        "liquid",
        ((lid - 0.03, neck), (lid, neck), (sh, 0.97), (0.6, waist), (0.95, 0.98), (1, 0.86)),
        0.016,
        "glass",
        bow=bow,
    )
    top, low = u(sh + 0.02, sh + 0.14), u(0.82, 0.95)
    label = Part("print", ((top, min(0.985, waist)), (low, min(0.985, waist))), 0.0, "matte", bow=bow)
    cap = _slab(
        "cap",
        0,
        lid,
        neck + u(0.02, 0.1),
        corner=0.015,
        finish=str(rng.choice(["gloss", "metal"])),
        ribs=int(rng.choice([0, 24])),
        bow=bow,
    )
    return Shape(style, u(0.5, 0.95), (glass, label, cap), True, (-1.05, top, 1.05, low), str(rng.choice(["full", "rect", "oval"])),
                 contents=str(rng.choice(["grain", "smooth", "chunks", "level"])), height_cm=u(10, 19))  # fmt: skip


def _tube(rng: np.random.Generator) -> Shape:
    u = rng.uniform
    cap_h, shoulder = u(0.12, 0.18), u(0.64, 0.85)
    half = shoulder if rng.random() < 0.5 else u(0.36, 0.55)
    body = Part(
        "print",
        ((0, 1), (0.05, 1), (0.3, u(0.96, 1)), (0.95 - cap_h, shoulder), (1 - cap_h, half)),
        0.008,
        str(rng.choice(["gloss", "metal"])),
    )
    cap = _slab("cap", 1 - cap_h, 1, min(half + 0.02, 0.9), corner=0.012, ribs=int(rng.choice([0, 16])))
    return Shape(
        "stand",
        u(0.3, 0.48),
        (body, cap),
        True,
        (-0.85, 0.08, 0.85, 0.92 - cap_h),
        "full",
        crimp=0.004,
        height_cm=u(13, 20),
    )


def _pouch(rng: np.random.Generator) -> Shape:
    style = str(rng.choice(["pillow", "stand", "spout", "pack"], p=[0.36, 0.32, 0.1, 0.22]))
    u = rng.uniform
    if style == "pillow":
        waist = u(0.93, 1)
        body = Part(
            "print", ((0, 0.97), (0.05, 0.97), (0.3, waist), (0.7, waist), (0.95, 0.98), (1, 0.98)), 0.03, "film"
        )
        return Shape(
            style,
            u(0.62, 1.05),
            (body,),
            False,
            (-0.94, 0.06, 0.94, 0.94),
            "full",
            crimp=u(0.006, 0.014),
            crinkle=u(0.5, 1),
            height_cm=u(15, 30),
        )
    if style == "pack":
        body = Part(
            "print", ((0, u(0.9, 0.96)), (0.03, 0.98), (0.5, 1), (0.97, 0.99), (1, u(0.92, 0.97))), 0.02, "film"
        )
        return Shape(
            style,
            u(0.9, 1.8),
            (body,),
            False,
            (-0.97, 0.03, 0.97, 0.97),
            "full",
            crinkle=u(0.3, 0.9),
            side=float(rng.choice([0, 0.08])),
            height_cm=u(8, 20),
        )
    top = 0.08 if style == "spout" else 0.0
    body = Part(
        "print",
        ((top, u(0.88, 0.98)), (top + 0.05, 0.97), (0.4, u(0.93, 1)), (0.8, 1), (0.95, 0.98), (1, 0.88)),
        0.02,
        "film",
    )
    label = (-0.92, top + 0.07, 0.92, 0.94)
    if style == "stand":
        return Shape(
            style, u(0.58, 0.85), (body,), False, label, "full", crimp=0.002, crinkle=u(0.3, 0.8), height_cm=u(16, 28)
        )
    cap = _slab("cap", 0, 0.1, 0.16, corner=0.01, ribs=10, shift=u(-0.3, 0.3))
    return Shape(style, u(0.55, 0.75), (cap, body), False, label, "full", crinkle=u(0.3, 0.7), height_cm=u(14, 24))


def _carton(rng: np.random.Generator) -> Shape:
    u = rng.uniform
    if rng.random() < 0.5:
        roof = u(0.16, 0.22)
        body = Part("print", ((0, 1), (1, 1)), 0.0, "flat")
        parts: tuple[Part, ...] = (body,)
        if rng.random() < 0.7:
            parts = (body, Part("cap", ((roof * 0.38, 0.3), (roof * 0.85, 0.32)), 0.008, "gloss", 14))
        return Shape(
            "gable",
            u(0.36, 0.56),
            parts,
            False,
            (-0.98, roof + 0.03, 0.98, 0.98),
            "full",
            side=float(rng.choice([0, 0, 0.2, 0.3])),
            roof=roof,
            height_cm=u(18, 26),
        )
    capped = rng.random() < 0.45
    top = u(0.05, 0.09) if capped else 0.0
    body = Part("print", ((top, 1), (1, 1)), 0.0, "flat")
    cap = Part("cap", ((0, 0.22), (top + 0.01, 0.24)), 0.004, "gloss", 12, float(rng.choice([-0.3, 0, 0.3])))
    return Shape("brick", u(0.36, 0.72), (body, cap) if capped else (body,), False, (-0.97, top + 0.02, 0.97, 0.985), "full",
                 side=float(rng.choice([0, 0, 0.12, 0.25])), height_cm=u(12, 24))  # fmt: skip


def _box(rng: np.random.Generator) -> Shape:
    u = rng.uniform
    aspect = float(np.exp(u(np.log(0.42), np.log(2.3))))
    top = u(0.04, 0.12) if rng.random() < 0.3 else 0.0
    body = Part("print", ((0, 1 - top), (top, 1), (1, 1)), 0.0, "flat")
    side = float(rng.choice([0, 0, 0, 0.08, 0.16])) if not top else 0.0
    tall = float(np.clip(20 / np.sqrt(aspect) * u(0.6, 1.3), 4, 32))
    return Shape("box", aspect, (body,), False, (-0.98, 0.01, 0.98, 0.99), side=side, top=top, height_cm=tall)


def _tray(rng: np.random.Generator) -> Shape:
    u = rng.uniform
    rim = u(0.86, 0.94)
    film = Part("liquid", ((0, u(0.9, 0.98)), (0.06, 0.985), (rim, 1)), 0.01, "film")
    label_top, label_low = u(0.06, 0.3), u(0.6, 0.82)
    half = u(0.4, 0.98)
    label = Part(
        "print",
        ((label_top, half), (label_low, half)),
        0.0,
        "flat",
        shift=float(rng.choice([0, 0, -1, 1])) * (0.95 - min(half, 0.95)),
    )
    base = Part("cap", ((rim - 0.02, 1), (1, u(0.86, 0.97))), 0.004, "matte")
    return Shape("tray", u(0.95, 2.0), (film, base, label), False, (-half, label_top, half, label_low), str(rng.choice(["full", "round"])),
                 crinkle=u(0.3, 0.8), contents=str(rng.choice(["chunks", "fruit", "grain"])), height_cm=u(8, 16))  # fmt: skip


_MAKERS: dict[str, Callable[[np.random.Generator], Shape]] = {
    "bottle": _bottle, "can": _can, "jar": _jar, "tube": _tube, "pouch": _pouch, "carton": _carton, "box": _box, "tray": _tray,
}  # fmt: skip


def sample_shape(rng: np.random.Generator, kind: str) -> Shape:
    """Draw a geometry for a kind of package."""
    return _MAKERS[kind](rng)
