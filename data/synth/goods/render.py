"""Turns a design into a picture: outline, print wrapped around it, shading, caps, transparent contents."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.design import Design
from packed_scenes.data.synth.goods.light import F32, Floats, contents, fold, hole, shade, side_face
from packed_scenes.data.synth.goods.paint import SPAN, paint_sheet
from packed_scenes.data.synth.goods.shapes import Part, Shape

__all__ = ["Body", "body_of", "compose"]

U8 = NDArray[np.uint8]

#: Pictures are drawn at the next of these heights and scaled down, so that edges and letters are smooth.
LEVELS = (72, 144, 288, 576)
_TAPERED = ("cup", "tube", "tin", "drum")


@dataclass(frozen=True)
class Body:
    """A package prepared at one drawing height: everything but the turn of its print.

    base: premultiplied RGBA float32 (H, W, 4) of all but the print, its opacity included. sheet: printed surface, RGB.
    map_x, map_y: where each pixel reads the sheet. factor: how much of what it reads is added, light times opacity.
    """

    base: F32
    sheet: U8
    map_x: F32
    map_y: F32
    factor: F32
    pixels_per_radian: float

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(a.nbytes for a in (self.base, self.sheet, self.map_x, self.map_y, self.factor))


@dataclass(frozen=True)
class _Patch:
    """A part on the rows it touches: opacity, place across it (-1…1), place down the product (0…1), light."""

    rows: slice
    mask: Floats
    across: Floats
    v: Floats
    gain: Floats
    add: Floats


def _curve(part: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dense smoothed outline of a part: rows and half widths."""
    v, half = (np.array(c) for c in zip(*part.profile, strict=True))
    rows = np.linspace(v[0], v[-1], 160)
    dense = np.interp(rows, v, half)
    sigma = part.soft / max(v[-1] - v[0], 1e-6) * 160
    if sigma > 0.5:
        reach = int(3 * sigma)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        dense = np.convolve(np.pad(dense, reach, mode="edge"), kernel / kernel.sum(), "valid")
    return rows, dense


def _patch(part: Part, design: Design, height: int, width: int, seed: int) -> _Patch:
    shape = design.shape
    bow = part.bow if shape.round else 0.0
    table_v, table_half = _curve(part)
    top, low = float(table_v[0]), float(table_v[-1])
    first = max(0, int((top - abs(bow)) * height) - 2)
    rows = slice(first, min(height, max(first + 1, int((low + abs(bow)) * height) + 3)))
    columns = ((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1)[None]
    y = ((np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / height)[:, None]
    x = columns - np.float32(part.shift)
    # Seen from above, horizontal edges sag in the middle (bow > 0); from below they arch.
    nz = np.sqrt(np.clip(1 - x * x, 0, 1))
    v = y * np.float32(1 + abs(bow)) - np.float32(abs(bow)) * (nz if bow >= 0 else 1 - nz)
    v = np.broadcast_to(v, (len(y), width)).astype(np.float32)
    half = np.interp(v, table_v, table_half).astype(np.float32)
    teeth: Floats = np.zeros(1, np.float32)
    if shape.crimp and part.role == "print":
        teeth = np.float32(shape.crimp) * np.abs((columns * 14) % 2 - 1)
    mask = np.clip((half - np.abs(x)) * (width / 2) + 0.5, 0, 1)
    mask = mask * np.clip((v - top - teeth) * height + 0.5, 0, 1) * np.clip((low - teeth - v) * height + 0.5, 0, 1)
    xn = np.clip(x / np.maximum(half, 1e-3), -1, 1).astype(np.float32)
    gain, add = shade(part, xn, v, design, seed)
    if part.role == "print" and part.finish not in ("flat", "film") and shape.style not in _TAPERED:
        # Print keeps its scale where a bottle narrows.
        xn = np.clip(x / np.float32(table_half.max()), -1, 1).astype(np.float32)
        xn = np.broadcast_to(xn, v.shape)
    return _Patch(rows, mask, xn, v, gain, add)


def _maps(shape: Shape, patch: _Patch, across: Floats, height: int, width: int, sheet_width: int) -> tuple[F32, F32]:
    """Where each pixel of the whole picture reads the sheet."""
    map_x, map_y = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    u = np.arcsin(across) / SPAN if shape.round else across
    map_x[patch.rows] = (u + 1) / 2 * sheet_width - 0.5
    map_y[patch.rows] = np.clip((patch.v - shape.top) / (1 - shape.top), 0, 1) * height - 0.5
    return map_x, map_y


def _cover(canvas: F32, colour: Floats, mask: Floats) -> None:
    """Lay a colour over a premultiplied RGBA canvas, in place."""
    canvas *= 1 - mask[..., None]
    canvas[..., :3] += colour * mask[..., None]
    canvas[..., 3] += mask * 255


def _prepare(design: Design, height: int, seed: int) -> Body:
    shape = design.shape
    width = max(3, round(height * shape.aspect))
    sheet = paint_sheet(design, height)
    base = np.zeros((height, width, 4), np.float32)
    factor = np.zeros((height, width), np.float32)
    map_x, map_y = factor, factor
    for k, part in enumerate(shape.parts):
        patch = _patch(part, design, height, width, seed + 31 * k)
        rows, mask, gain = patch.rows, patch.mask, patch.gain
        if part.role == "print":
            across = patch.across
            opening = hole(design, rows, height, width)
            if opening is not None:
                mask, gain = mask * opening[0], gain * opening[1]
            if not shape.round:
                across, gain = side_face(design, across, gain)
            map_x, map_y = _maps(shape, patch, across, height, width, sheet.shape[1])
            _cover(base[rows], np.broadcast_to(patch.add[..., None], (*mask.shape, 3)), mask)
            factor[rows] = fold(design, gain, patch.v) * mask
            continue
        colour: Floats = np.array(design.colour(part.role), np.float32)
        if part.role == "liquid":
            colour, opacity = contents(design, colour, patch.v, seed)
            mask = mask * opacity
        mask = mask * np.float32(part.alpha)
        _cover(base[rows], np.clip(colour * gain[..., None] + patch.add[..., None], 0, 255), mask)
        # What lies before the print hides it.
        factor[rows] *= 1 - mask
    per_radian = sheet.shape[1] / (2 * SPAN) if shape.round else 0.0
    return Body(base, sheet, map_x, map_y, factor, per_radian)


_Key = tuple[str, Design, int]  # the design, too: a family's seed has one for every kind of goods that is asked for


class _Cache:
    """Prepared packages, least recently used out first."""

    def __init__(self, budget: int) -> None:
        self._budget, self._cached_bytes = budget, 0
        self._bodies: OrderedDict[_Key, Body] = OrderedDict()

    def get(self, key: _Key) -> Body | None:
        found = self._bodies.get(key)
        if found is not None:
            self._bodies.move_to_end(key)
        return found

    def put(self, key: _Key, body: Body) -> None:
        self._bodies[key] = body
        self._cached_bytes += body.nbytes
        while self._cached_bytes > self._budget and len(self._bodies) > 1:
            self._cached_bytes -= self._bodies.popitem(last=False)[1].nbytes


_cache = _Cache(96 << 20)


def body_of(key: str, design: Design, height: int, *, keep: bool = True) -> Body:
    """Prepared package for a picture of `height` px, from a cache that holds at most about 96 MB per process.

    Args:
        key: identity of the product; its first characters, those of the family, fix the folds of film and the like.
        design: what to draw.
        height: rows of the picture wanted.
        keep: put it into the cache.
    """
    level = next((size for size in LEVELS if size >= height * 1.1), LEVELS[-1])
    found = _cache.get((key, design, level)) if keep else None
    if found is None:
        found = _prepare(design, level, int.from_bytes(key[:8].encode(), "little") % 1_000_003)
        if keep:
            _cache.put((key, design, level), found)
    return found


def compose(body: Body, size: tuple[int, int], *, turn: float = 0.0, lean: float = 0.0, shear: float = 0.0) -> U8:
    """Draw a prepared package.

    Args:
        body: from `body_of`.
        size: (height, width) in pixels.
        turn: radians by which a round package is turned; flat ones ignore it.
        lean: rotation in the picture plane, degrees.
        shear: sideways shift of the top relative to the bottom, as a share of the height.

    Returns:
        RGBA uint8 (height, width, 4), straight alpha.
    """
    map_x = body.map_x + np.float32(turn * body.pixels_per_radian) if turn else body.map_x
    canvas = body.base.copy()
    printed = cv2.remap(body.sheet, map_x, body.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    canvas[..., :3] += printed * body.factor[..., None]
    np.minimum(canvas[..., :3], canvas[..., 3:], out=canvas[..., :3])
    height, width = size
    if lean or shear:
        h, w = canvas.shape[:2]
        m = cv2.getRotationMatrix2D((w / 2, h / 2), lean, 1.0)
        m[0, 1] += shear
        m[0, 2] -= shear * h / 2
        # Shrink a little so that a leaning package stays inside its picture.
        fit = 1 / (1 + abs(shear) * h / w + abs(np.sin(np.deg2rad(lean))) * h / w)
        m = np.array([[fit, 0, w / 2 * (1 - fit)], [0, 1, 0]]) @ np.vstack([m, [0, 0, 1]])
        canvas = np.asarray(cv2.warpAffine(canvas, m, (w, h), flags=cv2.INTER_LINEAR), np.float32)
    if canvas.shape[:2] != (height, width):
        shrink = canvas.shape[0] >= height
        canvas = np.asarray(
            cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR),
            np.float32,
        )
    alpha = canvas[..., 3:]
    canvas[..., :3] *= 255 / np.maximum(alpha, 1)
    return np.asarray(np.clip(canvas + 0.5, 0, 255), np.uint8)
