"""Paints a design's printed surface: the flat sheet that is wrapped around a package."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour, mix
from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.emblems import draw_emblem
from packed_scenes.data.synth.goods.layout import Element
from packed_scenes.data.synth.goods.panels import blend, box_of, draw_panel
from packed_scenes.data.synth.goods.pen import noise
from packed_scenes.data.synth.goods.pictures import draw_picture
from packed_scenes.data.synth.goods.text import text_mask

__all__ = ["SPAN", "paint_sheet"]

U8 = NDArray[np.uint8]
#: The sheet of a round package spans u in -SPAN…SPAN (arc length over radius, so it can be turned); a flat one -1…1.
SPAN = 2.3
STRETCH = 1.5


def _fit(mask: U8, w: int, h: int) -> U8:
    """Scale a mask into a box, allowing its shape to widen or narrow by up to ``STRETCH``."""
    fx, fy = w / mask.shape[1], h / mask.shape[0]
    fx, fy = min(fx, fy * STRETCH), min(fy, fx * STRETCH)
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
    x, y, w, h = box_of(e, width, height)
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
        blend(canvas, fat, second, x - pad, y - pad)
    elif effect == "shadow":
        blend(canvas, mask, mix(second, (0, 0, 0), 0.4), x + pad, y + pad)
    paint: Colour | U8 = ink
    if effect == "gloss":
        ramp = np.linspace(0, 1, mh)[:, None, None]
        paint = np.broadcast_to(
            np.array(mix(ink, (255, 255, 255), 0.35)) * (1 - ramp) + np.array(mix(ink, second, 0.5)) * ramp, (mh, mw, 3)
        ).astype(np.uint8)
    blend(canvas, mask, paint, x, y)


def _picture(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    rgb, alpha = draw_picture(e.form, e.seed, h, w)
    blend(canvas, alpha, rgb, x, y)


def _emblem(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    rgb, alpha = draw_emblem(e.form, e.seed, h, w, design.colour(e.ink), design.colour(e.second))
    blend(canvas, alpha, rgb, x, y)


def _flash(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    ink = design.colour(e.ink)
    if e.form == "tab":
        blend(canvas, np.full((h, w), 255, np.uint8), ink, x, y)
    else:
        rgb, alpha = draw_emblem("sun" if e.form == "burst" else "disc", e.seed, h, w, ink, ink)
        blend(canvas, alpha, rgb, x, y)
    if min(h, w) >= 8:
        mask = _fit(text_mask(e.text, e.face, 24), int(w * 0.7), int(h * 0.5))
        dark: Colour = (20, 20, 30) if sum(ink) > 400 else (255, 255, 255)
        blend(canvas, mask, dark, x + (w - mask.shape[1]) // 2, y + (h - mask.shape[0]) // 2)


def _lines(canvas: U8, e: Element, design: Design) -> None:
    """Small print: rows of letter-like dashes."""
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    rng, rows = np.random.default_rng(e.seed), int(e.form)
    # Each row is a line of cells: letters of varying darkness, blanks between words, indents at both ends.
    cells = 60
    ink = np.repeat(rng.integers(110, 210, (rows, cells // 3)), 3, axis=1) * (rng.random((rows, cells)) > 0.18)
    at = np.arange(cells) / cells
    ink = ink * ((at >= rng.uniform(0, 0.15, (rows, 1))) & (at < rng.uniform(0.75, 1, (rows, 1))))
    lines = cv2.resize(ink.astype(np.uint8), (w, rows), interpolation=cv2.INTER_LINEAR).reshape(rows, w)
    row = np.arange(h) * rows / h
    mask = np.where((row % 1 < 0.62)[:, None], lines[row.astype(int)], 0).astype(np.uint8)
    blend(canvas, mask, design.colour(e.ink), x, y)


def _texture(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    mask = np.clip(noise(e.seed, h, w, cells=6) * 130 - 30, 0, 90).astype(np.uint8)
    blend(canvas, mask, design.colour(e.ink), x, y)


def _barcode(canvas: U8, e: Element, design: Design) -> None:
    x, y, w, h = box_of(e, canvas.shape[1], canvas.shape[0])
    bars = np.random.default_rng(e.seed).random(40) < 0.5
    code = np.asarray(
        cv2.resize(np.where(bars, 20, 250).astype(np.uint8)[None], (w, h), interpolation=cv2.INTER_AREA), np.uint8
    )
    blend(canvas, np.full((h, w), 255, np.uint8), np.repeat(code[..., None], 3, axis=2), x, y)


_PAINTERS: dict[str, Callable[[U8, Element, Design], None]] = {
    "word": _word, "panel": draw_panel, "picture": _picture, "emblem": _emblem, "flash": _flash, "lines": _lines,
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


def _rimmed(front: U8, mask: U8 | None, design: Design) -> U8:
    """Give a sticker its border."""
    edge = max(1, round(min(front.shape[:2]) * design.rim))
    inner = np.zeros(front.shape[:2], np.uint8)
    whole = np.full(front.shape[:2], 255, np.uint8) if mask is None else mask
    small = cv2.resize(
        whole, (max(2, front.shape[1] - 2 * edge), max(2, front.shape[0] - 2 * edge)), interpolation=cv2.INTER_AREA
    )
    inner[edge : edge + small.shape[0], edge : edge + small.shape[1]] = small[
        : front.shape[0] - edge, : front.shape[1] - edge
    ]
    out = np.empty_like(front)
    out[:] = design.colour("accent2")
    blend(out, inner, front, 0, 0)
    return out


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
    if design.rim and shape.decal != "full":
        front = _rimmed(front, mask, design)
    blend(sheet, np.full(front.shape[:2], 255, np.uint8) if mask is None else mask, front, x0, y0)
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
