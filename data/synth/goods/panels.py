"""Coloured fields printed on packages: gradients, waves, arcs, stripes, badges, ribbons, foil."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour
from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.layout import Element
from packed_scenes.data.synth.goods.pen import noise

__all__ = ["blend", "box_of", "draw_panel"]

U8 = NDArray[np.uint8]


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


def draw_panel(canvas: U8, e: Element, design: Design) -> None:
    """Draw a field, band or backdrop of an element's form."""
    height, width = canvas.shape[:2]
    x, y, w, h = box_of(e, width, height)
    rng = np.random.default_rng(e.seed)
    ink, second = design.colour(e.ink), design.colour(e.second)
    mask = np.zeros((h, w), np.uint8)
    form = e.form

    def poly(points: NDArray[np.float64], target: U8 = mask, value: int = 255) -> None:
        cv2.fillPoly(target, [np.round(points * (w * 8, h * 8)).astype(np.int32)], value, cv2.LINE_AA, 3)

    t = np.linspace(0, 1, 25)
    if form in ("gradient", "gradient_rect"):
        ramp = (
            np.linspace(0, 255 * rng.uniform(0.6, 1), h)[:, None]
            if rng.random() < 0.7
            else np.linspace(0, 255, w)[None]
        )
        ramp = 255 - ramp if rng.random() < 0.3 else ramp
        if form == "gradient_rect":
            mask[:] = 255
            blend(canvas, mask, second, x, y)
        blend(canvas, np.broadcast_to(ramp, (h, w)).astype(np.uint8), ink, x, y)
        return
    if form == "foil":
        sheen = 0.5 + 0.5 * np.cos(np.linspace(0, rng.uniform(6, 16), w) + rng.uniform(0, 6.3))[None, :, None]
        metal, lit = np.array(design.colour("metal")), 255.0
        blend(
            canvas,
            np.full((h, w), 255, np.uint8),
            np.broadcast_to(metal * 0.7 + (lit - metal * 0.7) * sheen * 0.7, (h, w, 3)).astype(np.uint8),
            x,
            y,
        )
        return
    if form == "wave":
        base, amp, freq, phase = rng.uniform(0.45, 0.8), rng.uniform(0.03, 0.12), rng.uniform(2, 7), rng.uniform(0, 6.3)
        line = base + amp * np.sin(freq * t + phase)
        under = np.zeros_like(mask)
        poly(np.r_[np.c_[t, line - 0.04], [[1.0, 1.0], [0.0, 1.0]]], under)
        blend(canvas, under, second, x, y)
        poly(np.r_[np.c_[t, line], [[1.0, 1.0], [0.0, 1.0]]])
    elif form == "diagonal":
        a, b = rng.uniform(0.2, 0.9, 2)
        poly(
            np.array([[0, a], [1, b], [1, 1], [0, 1]])
            if rng.random() < 0.6
            else np.array([[0, a], [1, b], [1, min(1, b + 0.25)], [0, min(1, a + 0.25)]])
        )
    elif form == "arc":
        cx, cy, r = rng.uniform(0.1, 0.9), rng.choice([-0.1, 1.1]), rng.uniform(0.4, 0.75)
        a = np.linspace(0, 2 * np.pi, 60)
        under = np.zeros_like(mask)
        poly(np.c_[cx + 1.12 * r * 1.3 * np.cos(a), cy + 1.08 * r * np.sin(a)], under)
        blend(canvas, under, second, x, y)
        poly(np.c_[cx + r * 1.3 * np.cos(a), cy + r * np.sin(a)])
    elif form == "frame":
        edge = max(1, round(min(h, w) * rng.uniform(0.03, 0.07)))
        mask[:] = 255
        mask[edge:-edge, edge:-edge] = 0
    elif form == "stripes":
        n, slope = int(rng.integers(3, 12)), float(rng.choice([0, 0, 0.3, -0.3]))
        for k in range(-2, n + 2):
            left = k / n
            poly(np.array([[left, 0], [left + 0.5 / n, 0], [left + 0.5 / n + slope, 1], [left + slope, 1]]))
    elif form == "dots":
        for cx, cy, r in rng.uniform((0, 0, 0.01), (1, 1, 0.06), (24, 3)):
            cv2.circle(
                mask, (round(cx * w * 8), round(cy * h * 8)), max(6, round(r * min(h, w) * 8)), 255, -1, cv2.LINE_AA, 3
            )
    elif form == "rays":
        cx, cy, n = rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.8), int(rng.integers(8, 18))
        for k in range(n):
            a0, a1 = 2 * np.pi * k / n, 2 * np.pi * (k + 0.5) / n
            poly(
                np.array(
                    [[cx, cy], [cx + 2 * np.cos(a0), cy + 2 * np.sin(a0)], [cx + 2 * np.cos(a1), cy + 2 * np.sin(a1)]]
                )
            )
    elif form == "strokes":
        # A few sweeping brush strokes.
        at, sway = rng.uniform(0.1, 0.9, 2), rng.uniform(-0.6, 0.6, 2)
        upright, pen = rng.random() < 0.5, rng.uniform(0.02, 0.09)
        for k in range(int(rng.integers(1, 4))):
            along = t * 1.2 - 0.1
            across = at[0] + 0.16 * k + sway[0] * (along - 0.5) + sway[1] * (along - 0.5) ** 2
            wide = pen * np.sin(np.pi * np.clip(t * 0.9 + 0.08, 0, 1)) ** 0.7
            edge = np.r_[np.c_[across - wide, along], np.c_[across + wide, along][::-1]]
            poly(edge if upright else edge[:, ::-1])
    elif form == "rings":
        cx, cy, r = rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.75), rng.uniform(0.2, 0.42) * min(h, w)
        thick = max(1, round(r * rng.uniform(0.06, 0.25)))
        cv2.circle(mask, (round(cx * w * 8), round(cy * h * 8)), round(r * 8), 255, thick, cv2.LINE_AA, 3)
        if rng.random() < 0.4:
            cv2.circle(
                mask, (round(cx * w * 8), round(cy * h * 8)), round(r * 11), 255, max(1, thick // 2), cv2.LINE_AA, 3
            )
    elif form == "split":
        cut = rng.uniform(0.3, 0.7)
        mask[: round(cut * h)] = 255 if rng.random() < 0.5 else 0
        if not mask[0, 0]:
            mask[round(cut * h) :] = 255
    elif form == "blobs":
        mask = np.clip((noise(e.seed, h, w, cells=rng.uniform(2, 5), octaves=1) - 0.55) * 1500, 0, 255).astype(np.uint8)
    elif form == "halo":
        yy, xx = np.ogrid[0:h, 0:w]
        d = np.hypot((xx / w - 0.5) / 0.55, (yy / h - rng.uniform(0.3, 0.6)) / 0.45)
        mask = np.clip(255 * (1.15 - d), 0, 255).astype(np.uint8)
    elif form == "ellipse":
        cv2.ellipse(mask, (w * 4, h * 4), (max(4, w * 4 - 4), max(4, h * 4 - 4)), 0, 0, 360, 255, -1, cv2.LINE_AA, 3)
    elif form in ("swoosh", "curved"):
        dip = rng.uniform(0.15, 0.4) * (1 if rng.random() < 0.7 else -1)
        top = 0.2 + dip * (t - t * t) * (2 if form == "swoosh" else 1.2)
        low = 0.95 + dip * (t - t * t) * (-1.4 if form == "swoosh" else 1.2) - abs(dip) * 0.3
        poly(np.r_[np.c_[t, top], np.c_[t, low][::-1]])
    elif form == "ribbon":
        poly(np.array([[0, 0.08], [1, 0.08], [0.93, 0.5], [1, 0.92], [0, 0.92], [0.07, 0.5]]))
    elif form == "round":
        r = max(1, round(min(h, w) * 0.3))
        mask[r : h - r] = 255
        mask[:, r : w - r] = 255
        for cx, cy in ((r, r), (w - r - 1, r), (r, h - r - 1), (w - r - 1, h - r - 1)):
            cv2.circle(mask, (cx, cy), r, 255, -1, cv2.LINE_AA)
    else:
        mask[:] = 255
    if e.part == "badge" and rng.random() < 0.4:
        grow = max(1, round(h * 0.05))
        fat = np.asarray(cv2.dilate(np.pad(mask, grow), np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)), np.uint8)
        blend(canvas, fat, second, x - grow, y - grow)
    blend(canvas, mask, ink, x, y)
