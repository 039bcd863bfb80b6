"""Light on packages: shading of round, flat and film surfaces, folds, handle openings, side faces, visible contents."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.pen import noise
from packed_scenes.data.synth.goods.shapes import Part

__all__ = ["contents", "fold", "hole", "shade", "side_face"]

F32 = NDArray[np.float32]
# What arithmetic makes of float32 arrays: numpy keeps float32, the type checker sees float64 in places.
Floats = NDArray[np.floating[Any]]


def shade(part: Part, xn: Floats, v: Floats, design: Design, seed: int) -> tuple[F32, F32]:
    """Multiplicative and additive light over a part; xn is -1…1 across it."""
    light = design.light
    height, width = xn.shape
    if part.finish in ("flat", "film"):
        gain = 1.0 + 0.1 * light * xn - 0.08 * v
        add = np.zeros_like(gain)
        if part.finish == "film":
            strength = design.shape.crinkle
            # Film is pulled tight between its seams: soft dents, and sharp bright creases along the ridges of a noise.
            dents = noise(seed, height, width, cells=3, octaves=3) - 0.5
            creases = 1 - np.abs(2 * noise(seed + 1, height, width, cells=3.5, octaves=3) - 1)
            near_edge = np.clip(np.maximum(np.abs(xn), np.abs(2 * v - 1)) * 1.6 - 0.6, 0, 1)
            weight = strength * (0.35 + 0.65 * near_edge)
            gain = (gain + dents * 0.45 * weight) * (1 - 0.3 * np.abs(xn) ** 4 * strength)
            gain = gain - 0.1 * weight * np.roll(creases, max(1, height // 60), axis=0) ** 8
            add = 48 * weight * creases**12
        return gain.astype(np.float32), add.astype(np.float32)
    nz = np.sqrt(np.clip(1 - xn * xn, 0, 1))
    diffuse = np.clip(nz * np.cos(light) + xn * np.sin(light), 0, 1)
    floor = {"gloss": 0.52, "matte": 0.62, "metal": 0.45, "glass": 0.4}.get(part.finish, 0.55)
    gain = floor + (1.06 - floor) * diffuse
    x0, sharp, power = light * 0.8, 0.09, 55.0
    if part.finish == "matte":
        sharp, power = 0.3, 14.0
    elif part.finish == "metal":
        gain = gain + 0.16 * np.cos(xn * 8 + light * 5)
        power = 90.0
    elif part.finish == "glass":
        gain = gain * (0.75 + 0.35 * nz)
        sharp, power = 0.05, 110.0
    add = power * np.exp(-(((xn - x0 + 0.45) / sharp) ** 2)) + 0.5 * power * np.exp(
        -(((xn - x0 - 0.62) / (sharp * 0.6)) ** 2)
    )
    if part.ribs:
        gain = gain * (1 + 0.16 * np.sin(np.arcsin(np.clip(xn, -1, 1)) * part.ribs * 2))
    gain = gain * (1.03 - 0.1 * v)
    return gain.astype(np.float32), add.astype(np.float32)


def contents(design: Design, base: Floats, v: Floats, seed: int) -> tuple[F32, F32]:
    """What shows through glass or film: colour (H, W, 3) and opacity (H, W)."""
    height, width = v.shape
    form = design.shape.contents
    colour = np.broadcast_to(base, (height, width, 3)).copy()
    opacity = np.ones((height, width), np.float32)
    if form == "grain":
        colour *= (0.65 + 0.7 * noise(seed, height, width, cells=22, octaves=2))[..., None]
    elif form in ("chunks", "fruit"):
        rng = np.random.default_rng(seed)
        picture = np.clip(colour * 0.5, 0, 255).astype(np.uint8)
        size = rng.uniform(0.08, 0.16) if form == "fruit" else rng.uniform(0.04, 0.08)
        count = int(min(140, 1.1 * width / height / (size * size * 4)))
        for x, y, tone in rng.random((count, 3)):
            r = size * height * 8 * (0.8 + 0.4 * tone)
            at = (round(x * width * 8), round(y * height * 8))
            for shrink, gain in ((1.0, 0.7), (0.84, 0.95 + 0.2 * tone), (0.4, 1.15 + 0.2 * tone)):
                ink = tuple(float(min(255.0, c * gain)) for c in base)
                cv2.circle(
                    picture,
                    (at[0] - round(r * (1 - shrink) * 0.4), at[1] - round(r * (1 - shrink) * 0.5)),
                    max(4, round(r * shrink)),
                    ink,
                    -1,
                    cv2.LINE_AA,
                    3,
                )
        colour = picture.astype(np.float32)
    elif form == "level":
        top = 0.12 + 0.14 * (seed % 97) / 97
        air = np.clip((top - v) * height, 0, 1)[..., None]
        colour = colour * (1 - air) + (0.5 * colour + 95) * air
        opacity -= 0.45 * air[..., 0]
    return colour.astype(np.float32), opacity


def hole(design: Design, rows: slice, height: int, width: int) -> tuple[F32, F32] | None:
    """Handle opening on some rows of the picture: what stays of the opacity, and the shade of its rim."""
    if design.shape.hole is None:
        return None
    u, hv, ru, rv, angle = design.shape.hole
    aspect = design.shape.aspect
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1)[None]
    v = ((np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / height)[:, None]
    a = np.deg2rad(angle)
    dx, dy = (x - u) * aspect / 2, v - hv
    p, q = dx * np.cos(a) + dy * np.sin(a), -dx * np.sin(a) + dy * np.cos(a)
    d = np.sqrt((p / (ru * aspect / 2)) ** 2 + (q / rv) ** 2)
    keep = np.clip((d - 1) * height * ru * aspect / 2 + 0.5, 0, 1)
    rim = 1 - 0.35 * np.exp(-(((d - 1.12) / 0.16) ** 2)) + 0.14 * np.exp(-(((d - 1.45) / 0.2) ** 2))
    return keep.astype(np.float32), rim.astype(np.float32)


def side_face(design: Design, x: Floats, gain: Floats) -> tuple[Floats, Floats]:
    """Give a box its visible side face: the front is squeezed beside it and the side is darker."""
    side = design.shape.side
    if not side:
        return x, gain
    sign = 1.0 if design.light >= 0 else -1.0
    y = x * sign
    cut = -1 + 2 * side
    u = np.where(y < cut, -0.97 + 0.02 * y, (y - cut) / (1 - cut) * 2 - 1)
    return (u * sign).astype(np.float32), (gain * np.where(y < cut, 0.62 + 0.1 * (y + 1), 1.0)).astype(np.float32)


def fold(design: Design, gain: Floats, v: Floats) -> F32:
    """Shade of roofs, seams and crimped edges."""
    shape = design.shape
    edge = np.minimum(v, 1 - v)
    if shape.roof:
        ridge = shape.roof * 0.28
        gain = gain * np.where(v < ridge, 0.86, np.where(v < shape.roof, 1.1, 1.0))
        gain = gain * (
            1 - 0.3 * np.exp(-(((v - shape.roof) / 0.006) ** 2)) - 0.25 * np.exp(-(((v - ridge) / 0.006) ** 2))
        )
    if shape.top:
        gain = gain * np.where(v < shape.top, 1.16, 1.0) * (1 - 0.2 * np.exp(-(((v - shape.top) / 0.006) ** 2)))
    if shape.crimp > 0.003:
        gain = gain * np.where(edge < 0.045, 0.9 + 0.12 * np.sin(edge * 600), 1.0)
    if shape.style in ("box", "brick"):
        gain = gain * (1 - 0.18 * np.exp(-((edge / 0.012) ** 2)))
    return gain.astype(np.float32)
