"""Paints a design's printed surface: the flat sheet that a package wears."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from data.synth.goods_colour import Colour, mix
from data.synth.goods_design import Design, Element
from data.synth.goods_pictures import draw_emblem, draw_picture, noise
from data.synth.goods_text import text_mask

__all__ = ["SPAN", "paint_sheet"]

U8 = NDArray[np.uint8]
#: The sheet of a round package spans u in -SPAN…SPAN, arc length over radius, so that it can be turned; a flat one spans -1…1.
SPAN = 2.3


def _blend(canvas: U8, mask: U8, paint: Colour | U8, x: int, y: int) -> None:
    """Lay a colour or picture over the canvas through a mask, clipped to the canvas."""
    h, w = mask.shape
    y0, y1, x0, x1 = max(y, 0), min(y + h, canvas.shape[0]), max(x, 0), min(x + w, canvas.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    m = mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.uint16)
    spot = canvas[y0:y1, x0:x1]
    over = paint[y0 - y : y1 - y, x0 - x : x1 - x] if isinstance(paint, np.ndarray) else np.array(paint, np.uint16)
    spot[...] = (spot * (255 - m) + over * m + 127) // 255


def _box(e: Element, width: int, height: int) -> tuple[int, int, int, int]:
    x, y = round(e.x * width), round(e.y * height)
    return x, y, max(2, round((e.x + e.w) * width) - x), max(2, round((e.y + e.h) * height) - y)


def _fit(mask: U8, w: int, h: int, *, stretch: float = 1.5) -> U8:
    """Scale a mask into a box, allowing its shape to widen or narrow by up to `stretch`."""
    fx, fy = w / mask.shape[1], h / mask.shape[0]
    fx, fy = min(fx, fy * stretch), min(fy, fx * stretch)
    size = (max(2, round(mask.shape[1] * fx)), max(2, round(mask.shape[0] * fy)))
    return np.asarray(
        cv2.resize(mask, size, interpolation=cv2.INTER_AREA if fx * fy < 1 else cv2.INTER_LINEAR), np.uint8
    )


def _bend(mask: U8, form: str, strength: float) -> U8:
    """Arc, slant or let a word rise."""
    h, w = mask.shape
    grow = round(h * strength * (1.0 if form == "arc" else 0.6)) + 1
    x = np.linspace(-1, 1, w, dtype=np.float32)
    if form == "slant":
        shear = 0.3
        m = np.array([[1, -shear, shear * h], [0, 1, 0]], np.float32)
        return np.asarray(cv2.warpAffine(mask, m, (w + int(shear * h) + 1, h)), np.uint8)
    lift = grow * x * x if form == "arc" else grow * (0.5 + 0.5 * x)
    yy = np.arange(h + grow, dtype=np.float32)[:, None] - (lift if form == "arc" else grow - lift)[None]
    xx = np.broadcast_to(np.arange(w, dtype=np.float32), yy.shape)
    return np.asarray(cv2.remap(mask, np.ascontiguousarray(xx), yy, cv2.INTER_LINEAR), np.uint8)


def _word(canvas: U8, e: Element, design: Design) -> None:
    height, width = canvas.shape[:2]
    x, y, w, h = _box(e, width, height)
    if h < 3:
        return
    effect = e.form
    pad = max(1, round(h * 0.07)) if effect in ("outline", "shadow") else 0
    mask = text_mask(e.text, e.face, min(200, -(-h // 8) * 8))
    room_h = h / 1.3 if effect in ("arc", "rise") else h
    mask = _fit(mask, max(4, w - 2 * pad), max(3, int(room_h) - 2 * pad))
    if effect in ("arc", "rise", "slant"):
        mask = _fit(_bend(mask, effect, 0.28), w, h)
    mh, mw = mask.shape
    x, y = x + (w - mw) // 2, y + (h - mh) // 2
    ink, second = design.colour(e.ink), design.colour(e.second)
    if effect == "outline":
        fat = np.pad(mask, pad)
        fat = np.asarray(
            cv2.dilate(fat, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pad + 1, 2 * pad + 1))), np.uint8
        )
        _blend(canvas, fat, second, x - pad, y - pad)
    elif effect == "shadow":
        _blend(canvas, mask, mix(second, (0, 0, 0), 0.4), x + pad, y + pad)
    paint: Colour | U8 = ink
    if effect == "gloss":
        ramp = np.linspace(0, 1, mh)[:, None, None]
        paint = np.broadcast_to(
            np.array(mix(ink, (255, 255, 255), 0.35)) * (1 - ramp) + np.array(mix(ink, second, 0.5)) * ramp, (mh, mw, 3)
        ).astype(np.uint8)
    _blend(canvas, mask, paint, x, y)


def _panel(canvas: U8, e: Element, design: Design) -> None:
    height, width = canvas.shape[:2]
    x, y, w, h = _box(e, width, height)
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
            _blend(canvas, mask, second, x, y)
        _blend(canvas, np.broadcast_to(ramp, (h, w)).astype(np.uint8), ink, x, y)
        return
    if form == "wave":
        base, amp, freq, phase = rng.uniform(0.45, 0.8), rng.uniform(0.03, 0.12), rng.uniform(2, 7), rng.uniform(0, 6.3)
        line = base + amp * np.sin(freq * t + phase)
        under = np.zeros_like(mask)
        poly(np.r_[np.c_[t, line - 0.04], [[1.0, 1.0], [0.0, 1.0]]], under)
        _blend(canvas, under, second, x, y)
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
        _blend(canvas, under, second, x, y)
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
        _blend(canvas, fat, second, x - grow, y - grow)
    _blend(canvas, mask, ink, x, y)


def _picture(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    rgb, alpha = draw_picture(e.form, e.seed, h, w)
    _blend(canvas, alpha, rgb, x, y)


def _emblem(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    rgb, alpha = draw_emblem(e.form, e.seed, h, w, design.colour(e.ink), design.colour(e.second))
    _blend(canvas, alpha, rgb, x, y)


def _flash(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    ink = design.colour(e.ink)
    if e.form == "tab":
        _blend(canvas, np.full((h, w), 255, np.uint8), ink, x, y)
    else:
        rgb, alpha = draw_emblem("sun" if e.form == "burst" else "disc", e.seed, h, w, ink, ink)
        _blend(canvas, alpha, rgb, x, y)
    if min(h, w) >= 8:
        mask = _fit(text_mask(e.text, e.face, 24), int(w * 0.7), int(h * 0.5))
        dark: Colour = (20, 20, 30) if sum(ink) > 400 else (255, 255, 255)
        _blend(canvas, mask, dark, x + (w - mask.shape[1]) // 2, y + (h - mask.shape[0]) // 2)


def _lines(canvas: U8, e: Element, design: Design) -> None:
    """Small print: rows of letter-like dashes."""
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    rng, rows = np.random.default_rng(e.seed), int(e.form)
    mask = np.zeros((h, w), np.uint8)
    for k in range(rows):
        y0, y1 = h * k / rows, h * (k + 0.62) / rows
        at, end = rng.uniform(0, 0.15), rng.uniform(0.75, 1)
        while at < end:
            run = rng.uniform(0.02, 0.09)
            cv2.rectangle(
                mask,
                (round(at * w), round(y0)),
                (round(min(at + run, end) * w), max(round(y0), round(y1) - 1)),
                int(rng.integers(110, 210)),
                -1,
            )
            at += run + 0.025
    _blend(canvas, mask, design.colour(e.ink), x, y)


def _texture(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    mask = np.clip(noise(e.seed, h, w, cells=6) * 200 - 40, 0, 200).astype(np.uint8)
    _blend(canvas, mask, design.colour(e.ink), x, y)


def _barcode(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = _box(e, canvas.shape[1], canvas.shape[0])
    bars = np.random.default_rng(e.seed).random(40) < 0.5
    code = np.asarray(
        cv2.resize(np.where(bars, 20, 250).astype(np.uint8)[None], (w, h), interpolation=cv2.INTER_AREA), np.uint8
    )
    _blend(canvas, np.full((h, w), 255, np.uint8), np.repeat(code[..., None], 3, axis=2), x, y)


_PAINTERS: dict[str, Callable[[U8, Element, Design], None]] = {
    "word": _word, "panel": _panel, "picture": _picture, "emblem": _emblem, "flash": _flash, "lines": _lines,
    "texture": _texture, "barcode": _barcode,
}  # fmt: skip


def _decal(form: str, height: int, width: int) -> U8 | None:
    if form in ("full", "rect"):
        return None
    mask = np.zeros((height, width), np.uint8)
    if form == "oval":
        cv2.ellipse(mask, (width * 4, height * 4), (width * 4 - 4, height * 4 - 4), 0, 0, 360, 255, -1, cv2.LINE_AA, 3)
        return mask
    r = max(2, round(min(height, width) * 0.14))
    cv2.rectangle(mask, (r, 0), (width - r, height), 255, -1)
    cv2.rectangle(mask, (0, r), (width, height - r), 255, -1)
    for cx, cy in ((r, r), (width - r - 1, r), (r, height - r - 1), (width - r - 1, height - r - 1)):
        cv2.circle(mask, (cx, cy), r, 255, -1, cv2.LINE_AA)
    return mask


def paint_sheet(design: Design, height: int) -> U8:
    """Paint the whole printed surface.

    Args:
        design: what to paint.
        height: rows of the sheet, those of the whole product.

    Returns:
        RGB uint8 (height, W, 3) with W = 2 x span x half the product's width in pixels.
    """
    shape = design.shape
    half = height * shape.aspect / 2
    span = SPAN if shape.round else 1.0
    width = max(4, round(2 * span * half))
    sheet = np.empty((height, width, 3), np.uint8)
    bare = "body" if shape.decal != "full" else "label"
    sheet[:] = design.colour(bare)
    u0, v0, u1, v1 = shape.label
    x0, x1 = round((u0 + span) / (2 * span) * width), round((u1 + span) / (2 * span) * width)
    y0, y1 = round(v0 * height), round(v1 * height)
    x0, x1 = max(0, x0), min(width, max(x1, x0 + 4))
    front = np.empty((max(4, y1 - y0), x1 - x0, 3), np.uint8)
    front[:] = design.colour("label")
    for e in design.elements:
        _PAINTERS[e.what](front, e, design)
    if shape.decal == "full" and shape.round:
        # Full sleeves carry their ground colours around the package: bands continue past the front.
        sheet[y0 : y0 + front.shape[0], :x0] = front[: height - y0, :1]
        sheet[y0 : y0 + front.shape[0], x1:] = front[: height - y0, -1:]
    mask = _decal(shape.decal, *front.shape[:2])
    _blend(sheet, np.full(front.shape[:2], 255, np.uint8) if mask is None else mask, front, x0, y0)
    if shape.round:
        _back(sheet, design, x1, y0, y1)
    return sheet


def _back(sheet: U8, design: Design, x1: int, y0: int, y1: int) -> None:
    """What a turned package shows beside its front: small print and a barcode."""
    room = sheet.shape[1] - x1
    if room < 8 or y1 - y0 < 8:
        return
    h = y1 - y0
    side = Element("lines", 0.25, 0.1, 0.6, 0.5, "ink", form="9", seed=7)
    _lines(sheet[y0:y1, x1:], side, design)
    _barcode(
        sheet[y0:y1, x1:],
        Element("barcode", 0.3, 0.7, 0.45, 0.16 if h > 20 else 0.2, "ink", seed=int(design.light * 1e6) & 0xFFFF),
        design,
    )
