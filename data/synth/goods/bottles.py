"""Outlines of bottles: shampoo, detergent jug, soda, wine, pump, spray and squeezy bottles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from packed_scenes.data.synth.goods.shapes import Part, Shape, slab

__all__ = ["sample_bottle"]

Rng = np.random.Generator


def _finish(rng: Rng) -> str:
    return str(rng.choice(["gloss", "matte"], p=[0.7, 0.3]))


def _oval(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    cap_h, neck = u(0.13, 0.22), u(0.4, 0.62)
    shoulder = ((cap_h - 0.02, neck), (cap_h + 0.03, neck + 0.1), (cap_h + 0.12, u(0.82, 0.93)))
    foot = ((0.45, 0.98), (0.7, 1.0), (0.9, 0.93), (0.975, u(0.78, 0.9)), (1.0, 0.72))
    body = Part("print", shoulder + foot, 0.03, _finish(rng), bow=bow)
    lid = ((0.0, neck - 0.12), (0.015, neck - 0.04), (cap_h, neck + u(-0.02, 0.06)))
    label, decal = (-0.86, cap_h + 0.12, 0.86, 0.93), str(rng.choice(["full", "round", "oval"]))
    parts = (body, Part("cap", lid, 0.006, bow=bow))
    return Shape("oval", u(0.34, 0.52), parts, True, label, decal, height_cm=u(17, 25))


def _straight(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    cap_h = u(0.1, 0.2)
    body = slab("print", cap_h, 1, 1, corner=0.03, finish=_finish(rng), bow=bow)
    cap = slab("cap", 0, cap_h + 0.005, u(0.9, 1), bow=bow)
    return Shape("straight", u(0.3, 0.46), (body, cap), True, (-0.95, cap_h + 0.05, 0.95, 0.96), height_cm=u(16, 24))


def _inverted(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    cap_h = u(0.09, 0.15)
    top = ((0.0, u(0.55, 0.8)), (0.015, 0.8), (0.06, 0.93), (0.3, 1.0))
    body = Part("print", (*top, (0.7, 0.95), (1 - cap_h, u(0.72, 0.85))), 0.02, _finish(rng), bow=bow)
    cap = slab("cap", 1 - cap_h, 1, u(0.7, 0.86), corner=0.012, bow=bow)
    return Shape("inverted", u(0.36, 0.48), (body, cap), True, (-0.86, 0.1, 0.86, 0.82), height_cm=u(17, 23))


def _jug(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    cap_h, lean = u(0.09, 0.16), u(-0.25, 0.05)
    shoulder = ((cap_h - 0.02, 0.3), (cap_h + 0.02, 0.36), (cap_h + 0.12, u(0.62, 0.8)), (0.36, u(0.84, 0.95)))
    body = Part("print", (*shoulder, (0.62, 1.0), (0.93, u(0.9, 0.98)), (1.0, 0.82)), 0.035, _finish(rng), bow=bow)
    lid = ((0.0, 0.2), (0.012, 0.25), (cap_h, u(0.27, 0.34)))
    cap = Part("cap", lid, 0.004, ribs=int(rng.integers(0, 18)), shift=lean, bow=bow)
    hole = (u(0.5, 0.66), u(0.38, 0.5), u(0.1, 0.17), u(0.11, 0.18), u(-14, 6)) if rng.random() < 0.88 else None
    label, decal = (-0.9, u(0.32, 0.42), 0.72, 0.92), str(rng.choice(["full", "round", "oval"]))
    return Shape("jug", u(0.52, 0.78), (body, cap), True, label, decal, hole, height_cm=u(25, 32))


def _soda(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    neck, sh = u(0.08, 0.12), u(0.26, 0.36)
    shoulder = ((0.05, 0.3), (neck, 0.32), (sh - 0.08, 0.75), (sh, 0.97))
    foot = ((0.5, u(0.9, 1)), (0.72, u(0.88, 1)), (0.9, 1.0), (1.0, 0.86))
    waves = int(rng.choice([0, 0, 9]))
    body = Part("liquid", shoulder + foot, 0.02, "glass", waves, alpha=u(0.85, 1), bow=bow)
    top, low, half = u(sh, sh + 0.08), u(0.64, 0.8), u(0.93, 0.99)
    sleeve = Part("print", ((top, half), (low, half)), bow=bow)
    cap = slab("cap", 0, u(0.045, 0.07), 0.34, corner=0.008, finish="matte", ribs=16)
    contents = str(rng.choice(["", "level"]))
    parts = (body, sleeve, cap)
    return Shape("soda", u(0.25, 0.36), parts, True, (-1.0, top, 1.0, low), contents=contents, height_cm=u(22, 34))


def _wine(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    sh, half = u(0.36, 0.5), u(0.27, 0.34)
    neck = ((0.0, half), (0.04, half), (sh - 0.14, half + 0.03), (sh - 0.04, 0.7))
    body = Part("liquid", (*neck, (sh + 0.02, 0.97), (0.97, 0.99), (1.0, 0.93)), 0.016, "glass", bow=bow)
    top, low = u(sh + 0.06, sh + 0.14), u(0.84, 0.93)
    label = Part("print", ((top, 0.975), (low, 0.975)), finish="matte", bow=bow)
    capsule = Part("cap", ((0.0, half + 0.01), (u(0.08, 0.24), half + 0.02)), finish="metal")
    parts = (body, label, capsule)
    return Shape("wine", u(0.24, 0.31), parts, True, (-0.95, top, 0.95, low), "rect", height_cm=u(24, 33))


def _pump(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    head = u(0.2, 0.28)
    outline = ((head, 0.4), (head + 0.03, 0.75), (head + 0.1, 0.96), (0.95, 1.0), (1.0, 0.92))
    body = Part("print", outline, 0.012, _finish(rng), bow=bow)
    collar = slab("cap", head - 0.08, head + 0.01, 0.36, corner=0.01, ribs=14)
    stem, nozzle = slab("cap", 0.05, head - 0.06, 0.1, corner=0.0), slab("cap", 0.0, 0.06, 0.34, shift=-0.34)
    label, decal = (-0.9, head + 0.1, 0.9, 0.94), str(rng.choice(["full", "round"]))
    return Shape("pump", u(0.36, 0.55), (body, stem, collar, nozzle), True, label, decal, height_cm=u(17, 24))


def _trigger(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    head = u(0.24, 0.3)
    outline = ((head, 0.3), (head + 0.08, 0.45), (head + 0.2, 0.85), (0.6, 0.95), (0.95, 1.0), (1.0, 0.9))
    body = Part("print", outline, 0.03, _finish(rng), bow=bow)
    neck = slab("cap", 0.12, head + 0.02, 0.32, corner=0.01, ribs=10)
    gun = slab("cap", 0.0, 0.13, 0.62, corner=0.03, shift=-0.25)
    lever = Part("accent", ((0.1, 0.12), (0.26, 0.07)), 0.01, shift=-0.62)
    parts = (body, neck, lever, gun)
    return Shape("trigger", u(0.36, 0.46), parts, True, (-0.85, head + 0.2, 0.85, 0.94), height_cm=u(24, 29))


def _squeezy(rng: Rng, bow: float) -> Shape:
    u = rng.uniform
    cone = u(0.16, 0.24)
    waist = ((0.4, u(0.85, 1)), (0.62, u(0.8, 0.95)))
    outline = ((cone, 0.6), (cone + 0.06, 0.88), *waist, (0.95, 1.0), (1.0, 0.9))
    tip = ((0.0, 0.07), (0.03, 0.12), (cone * 0.6, 0.3), (cone * 0.65, 0.5), (cone + 0.01, 0.52))
    parts = (Part("print", outline, 0.03, _finish(rng), bow=bow), Part("cap", tip, 0.004, bow=bow))
    return Shape("squeezy", u(0.32, 0.42), parts, True, (-0.9, cone + 0.14, 0.9, 0.92), "oval", height_cm=u(17, 23))


_STYLES: tuple[tuple[Callable[[Rng, float], Shape], float], ...] = (
    (_oval, 0.18), (_straight, 0.13), (_inverted, 0.1), (_jug, 0.17), (_soda, 0.14), (_wine, 0.08), (_pump, 0.08),
    (_trigger, 0.06), (_squeezy, 0.06),
)  # fmt: skip


def sample_bottle(rng: Rng) -> Shape:
    """Draw the geometry of a bottle."""
    maker = _STYLES[int(rng.choice(len(_STYLES), p=[share for _, share in _STYLES]))][0]
    return maker(rng, float(rng.uniform(-0.012, 0.02)))
