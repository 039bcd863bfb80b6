"""Coloured fields printed on packages: gradients, waves, arcs, stripes, badges, ribbons, foil."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour
from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.layout import Element
from packed_scenes.data.synth.goods.pen import noise

__all__ = ["blend", "box_of", "draw_panel"]

U8 = NDArray[np.uint8]
ALONG = np.linspace(0, 1, 25)  # of a curve from side to side


def blend(canvas: U8, mask: U8, paint: Colour | U8, x: int, y: int) -> None:
    """Lay a colour or picture over the canvas through a mask, clipped to the canvas."""
    h, w = mask.shape
    y0, y1, x0, x1 = max(y, 0), min(y + h, canvas.shape[0]), max(x, 0), min(x + w, canvas.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    m = mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.uint16)
    spot = canvas[y0:y1, x0:x1]
    over = paint[y0 - y : y1 - y, x0 - x : x1 - x] if isinstance(paint, np.ndarray) else np.array(paint, np.uint16)
    spot[...] = (spot * (255 - m) + over * m + 127) // 255


def box_of(e: Element, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height in pixels of an element on a label of that size."""
    x, y = round(e.x * width), round(e.y * height)
    return x, y, max(2, round((e.x + e.w) * width) - x), max(2, round((e.y + e.h) * height) - y)


@dataclass
class _Field:
    """What a form is drawn with: (h, w) masks of the ink and of the second colour beneath it, and random numbers."""

    mask: U8
    under: U8
    rng: np.random.Generator
    seed: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.mask.shape[0], self.mask.shape[1]

    def polygon(self, points: NDArray[np.float64], *, under: bool = False) -> None:
        """Fill a polygon of (x, y) as shares of width and height."""
        h, w = self.size
        corners = np.round(points * (w * 8, h * 8)).astype(np.int32)
        cv2.fillPoly(self.under if under else self.mask, [corners], 255, cv2.LINE_AA, 3)


def draw_panel(canvas: U8, e: Element, design: Design) -> None:
    """Draw a field, band or backdrop of an element's form."""
    height, width = canvas.shape[:2]
    x, y, w, h = box_of(e, width, height)
    rng = np.random.default_rng(e.seed)
    ink, second = design.colour(e.ink), design.colour(e.second)
    if e.form in ("gradient", "gradient_rect"):
        if e.form == "gradient_rect":
            blend(canvas, np.full((h, w), 255, np.uint8), second, x, y)
        blend(canvas, _ramp(h, w, rng), ink, x, y)
        return
    if e.form == "foil":
        blend(canvas, np.full((h, w), 255, np.uint8), _foil(h, w, rng, design.colour("metal")), x, y)
        return
    field = _Field(np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8), rng, e.seed)
    _FORMS.get(e.form, _plain)(field)
    blend(canvas, field.under, second, x, y)
    if e.part == "badge" and rng.random() < 0.4:
        grow = max(1, round(h * 0.05))
        fat = cv2.dilate(np.pad(field.mask, grow), np.ones((2 * grow + 1, 2 * grow + 1), np.uint8))
        blend(canvas, np.asarray(fat, np.uint8), second, x - grow, y - grow)
    blend(canvas, field.mask, ink, x, y)


def _ramp(h: int, w: int, rng: np.random.Generator) -> U8:
    down = rng.random() < 0.7
    ramp = np.linspace(0, 255 * rng.uniform(0.6, 1), h)[:, None] if down else np.linspace(0, 255, w)[None]
    ramp = 255 - ramp if rng.random() < 0.3 else ramp
    return np.broadcast_to(ramp, (h, w)).astype(np.uint8)


def _foil(h: int, w: int, rng: np.random.Generator, colour: Colour) -> U8:
    sheen = 0.5 + 0.5 * np.cos(np.linspace(0, rng.uniform(6, 16), w) + rng.uniform(0, 6.3))[None, :, None]
    metal, lit = np.array(colour), 255.0
    return np.broadcast_to(metal * 0.7 + (lit - metal * 0.7) * sheen * 0.7, (h, w, 3)).astype(np.uint8)


def _plain(field: _Field) -> None:
    field.mask[:] = 255


def _wave(field: _Field) -> None:
    rng = field.rng
    base, amp, freq, phase = rng.uniform(0.45, 0.8), rng.uniform(0.03, 0.12), rng.uniform(2, 7), rng.uniform(0, 6.3)
    line = base + amp * np.sin(freq * ALONG + phase)
    field.polygon(np.r_[np.c_[ALONG, line - 0.04], [[1.0, 1.0], [0.0, 1.0]]], under=True)
    field.polygon(np.r_[np.c_[ALONG, line], [[1.0, 1.0], [0.0, 1.0]]])


def _diagonal(field: _Field) -> None:
    a, b = field.rng.uniform(0.2, 0.9, 2)
    whole = field.rng.random() < 0.6
    field.polygon(
        np.array([[0, a], [1, b], [1, 1], [0, 1]])
        if whole
        else np.array([[0, a], [1, b], [1, min(1, b + 0.25)], [0, min(1, a + 0.25)]])
    )


def _arc(field: _Field) -> None:
    rng = field.rng
    cx, cy, r = rng.uniform(0.1, 0.9), rng.choice([-0.1, 1.1]), rng.uniform(0.4, 0.75)
    a = np.linspace(0, 2 * np.pi, 60)
    field.polygon(np.c_[cx + 1.12 * r * 1.3 * np.cos(a), cy + 1.08 * r * np.sin(a)], under=True)
    field.polygon(np.c_[cx + r * 1.3 * np.cos(a), cy + r * np.sin(a)])


def _frame(field: _Field) -> None:
    edge = max(1, round(min(field.size) * field.rng.uniform(0.03, 0.07)))
    field.mask[:] = 255
    field.mask[edge:-edge, edge:-edge] = 0


def _stripes(field: _Field) -> None:
    n, slope = int(field.rng.integers(3, 12)), float(field.rng.choice([0, 0, 0.3, -0.3]))
    for k in range(-2, n + 2):
        left = k / n
        field.polygon(np.array([[left, 0], [left + 0.5 / n, 0], [left + 0.5 / n + slope, 1], [left + slope, 1]]))


def _dots(field: _Field) -> None:
    h, w = field.size
    for cx, cy, r in field.rng.uniform((0, 0, 0.01), (1, 1, 0.06), (24, 3)):
        centre = round(cx * w * 8), round(cy * h * 8)
        cv2.circle(field.mask, centre, max(6, round(r * min(h, w) * 8)), 255, -1, cv2.LINE_AA, 3)


def _rays(field: _Field) -> None:
    rng = field.rng
    cx, cy, n = rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.8), int(rng.integers(8, 18))
    for k in range(n):
        a0, a1 = 2 * np.pi * k / n, 2 * np.pi * (k + 0.5) / n
        ends = [[cx + 2 * np.cos(a), cy + 2 * np.sin(a)] for a in (a0, a1)]
        field.polygon(np.array([[cx, cy], *ends]))


def _strokes(field: _Field) -> None:
    """A few sweeping brush strokes."""
    rng = field.rng
    at, sway = rng.uniform(0.1, 0.9, 2), rng.uniform(-0.6, 0.6, 2)
    upright, pen = rng.random() < 0.5, rng.uniform(0.02, 0.09)
    for k in range(int(rng.integers(1, 4))):
        along = ALONG * 1.2 - 0.1
        across = at[0] + 0.16 * k + sway[0] * (along - 0.5) + sway[1] * (along - 0.5) ** 2
        wide = pen * np.sin(np.pi * np.clip(ALONG * 0.9 + 0.08, 0, 1)) ** 0.7
        edge = np.r_[np.c_[across - wide, along], np.c_[across + wide, along][::-1]]
        field.polygon(edge if upright else edge[:, ::-1])


def _rings(field: _Field) -> None:
    (h, w), rng = field.size, field.rng
    cx, cy, r = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.75), rng.uniform(0.2, 0.42) * min(h, w)
    thick, centre = max(1, round(r * rng.uniform(0.06, 0.25))), (round(cx * w * 8), round(cy * h * 8))
    cv2.circle(field.mask, centre, round(r * 8), 255, thick, cv2.LINE_AA, 3)
    if rng.random() < 0.4:
        cv2.circle(field.mask, centre, round(r * 11), 255, max(1, thick // 2), cv2.LINE_AA, 3)


def _split(field: _Field) -> None:
    cut = round(field.rng.uniform(0.3, 0.7) * field.size[0])
    field.mask[:cut] = 255 if field.rng.random() < 0.5 else 0
    if not field.mask[0, 0]:
        field.mask[cut:] = 255


def _blobs(field: _Field) -> None:
    grain = noise(field.seed, *field.size, cells=field.rng.uniform(2, 5), octaves=1)
    field.mask = np.clip((grain - 0.55) * 1500, 0, 255).astype(np.uint8)


def _halo(field: _Field) -> None:
    h, w = field.size
    yy, xx = np.ogrid[0:h, 0:w]
    d = np.hypot((xx / w - 0.5) / 0.55, (yy / h - field.rng.uniform(0.3, 0.6)) / 0.45)
    field.mask = np.clip(255 * (1.15 - d), 0, 255).astype(np.uint8)


def _ellipse(field: _Field) -> None:
    h, w = field.size
    axes = (max(4, w * 4 - 4), max(4, h * 4 - 4))
    cv2.ellipse(field.mask, (w * 4, h * 4), axes, 0, 0, 360, 255, -1, cv2.LINE_AA, 3)


def _curved(field: _Field, *, upper: float = 1.2, lower: float = 1.2) -> None:
    t, rng = ALONG, field.rng
    dip = rng.uniform(0.15, 0.4) * (1 if rng.random() < 0.7 else -1)
    top = 0.2 + dip * (t - t * t) * upper
    low = 0.95 + dip * (t - t * t) * lower - abs(dip) * 0.3
    field.polygon(np.r_[np.c_[t, top], np.c_[t, low][::-1]])


def _ribbon(field: _Field) -> None:
    field.polygon(np.array([[0, 0.08], [1, 0.08], [0.93, 0.5], [1, 0.92], [0, 0.92], [0.07, 0.5]]))


def _round(field: _Field) -> None:
    (h, w), r = field.size, max(1, round(min(field.size) * 0.3))
    field.mask[r : h - r] = 255
    field.mask[:, r : w - r] = 255
    for cx, cy in ((r, r), (w - r - 1, r), (r, h - r - 1), (w - r - 1, h - r - 1)):
        cv2.circle(field.mask, (cx, cy), r, 255, -1, cv2.LINE_AA)


_FORMS: dict[str, Callable[[_Field], None]] = {
    "wave": _wave, "diagonal": _diagonal, "arc": _arc, "frame": _frame, "stripes": _stripes, "dots": _dots,
    "rays": _rays, "strokes": _strokes, "rings": _rings, "split": _split, "blobs": _blobs, "halo": _halo,
    "ellipse": _ellipse, "curved": _curved, "swoosh": partial(_curved, upper=2, lower=-1.4), "ribbon": _ribbon,
    "round": _round,
}  # fmt: skip
