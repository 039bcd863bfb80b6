"""Turns a design into a picture: outline, print wrapped around it, shading, caps, transparent contents."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data.synth.goods_design import Design
from data.synth.goods_light import F32, Floats, contents, fold, hole, shade, side_face
from data.synth.goods_paint import SPAN, paint_sheet
from data.synth.goods_shapes import Part

__all__ = ["Body", "body_of", "compose"]

U8 = NDArray[np.uint8]

#: Pictures are drawn at the next of these heights and scaled down, so that edges and letters are smooth.
LEVELS = (72, 144, 288, 576)


@dataclass(frozen=True)
class Body:
    """A package prepared at one drawing height: everything but the turn of its print.

    under, over: premultiplied RGBA float32 (H, W, 4) of the parts behind and before the print; sheet: printed surface;
    map_x, map_y: where each pixel reads the sheet; gain, add: its shading; cover: its opacity.
    """

    under: F32
    over: F32
    sheet: U8
    map_x: F32
    map_y: F32
    gain: F32
    add: F32
    cover: F32
    pixels_per_radian: float

    @property
    def nbytes(self) -> int:
        """Memory held."""
        arrays = (self.under, self.over, self.sheet, self.map_x, self.map_y, self.gain, self.add, self.cover)
        return sum(a.nbytes for a in arrays)


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


def _over(base: F32, colour: F32, cover: F32) -> None:
    """Lay premultiplied colour over a premultiplied RGBA canvas, in place."""
    keep = 1 - cover[..., None]
    base *= keep
    base[..., :3] += colour * cover[..., None]
    base[..., 3] += cover * 255


def _prepare(design: Design, height: int, seed: int) -> Body:
    shape = design.shape
    width = max(3, round(height * shape.aspect))
    columns = ((np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1)[None]
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    sheet = paint_sheet(design, height)
    under, over = np.zeros((height, width, 4), np.float32), np.zeros((height, width, 4), np.float32)
    blank = np.zeros((height, width), np.float32)
    gain, add, cover, map_x, map_y = blank, blank, blank, blank, blank
    target = under
    opening = hole(design, columns, rows, height, width)
    for k, part in enumerate(shape.parts):
        x = columns - np.float32(part.shift)
        flat = part.finish in ("flat", "film")
        nz = np.sqrt(np.clip(1 - x * x, 0, 1))
        bow = part.bow if shape.round else 0.0
        v = (
            rows * np.float32(1 + abs(bow)) - np.float32(bow) * nz
            if bow >= 0
            else rows * np.float32(1 - bow) + np.float32(bow) * (1 - nz)
        )
        v = np.broadcast_to(v, (height, width)).astype(np.float32)
        table_v, table_half = _curve(part)
        half = np.interp(v, table_v, table_half).astype(np.float32)
        mask = np.clip((half - np.abs(x)) * (width / 2) + 0.5, 0, 1)
        top, low = float(table_v[0]), float(table_v[-1])
        if shape.crimp and part.role == "print":
            teeth = shape.crimp * np.abs((columns * 14) % 2 - 1)
            mask = (
                mask * np.clip((v - top - teeth) * height + 0.5, 0, 1) * np.clip((low - teeth - v) * height + 0.5, 0, 1)
            )
        else:
            mask = mask * np.clip((v - top) * height + 0.5, 0, 1) * np.clip((low - v) * height + 0.5, 0, 1)
        xn = (x / np.maximum(half, 1e-3)).astype(np.float32)
        part_gain, part_add = shade(part, np.clip(xn, -1, 1), v, design, seed + 31 * k)
        if part.role == "print":
            if opening is not None:
                mask, part_gain = mask * opening[0], part_gain * opening[1]
            tapered = shape.style in ("cup", "tube", "tin", "drum")
            across: Floats = np.clip(xn if tapered or flat else x / np.float32(table_half.max()), -1, 1)
            u: Floats = np.arcsin(across)
            if flat:
                u, part_gain = side_face(design, across, part_gain)
            span = SPAN if shape.round else 1.0
            map_x = np.ascontiguousarray(
                np.broadcast_to((u / span + 1) / 2 * sheet.shape[1] - 0.5, (height, width)), np.float32
            )
            down = np.clip((v - shape.top) / (1 - shape.top), 0, 1)
            map_y = np.ascontiguousarray(down * height - 0.5, np.float32)
            gain, add, cover = fold(design, part_gain, v), part_add, np.asarray(mask, np.float32)
            target = over
            continue
        base = np.array(design.colour(part.role), np.float32)
        colour, opacity = (
            contents(design, base, v, seed)
            if part.role == "liquid"
            else (np.broadcast_to(base, (height, width, 3)), np.float32(1))
        )
        painted = np.clip(colour * part_gain[..., None] + part_add[..., None], 0, 255)
        _over(target, painted.astype(np.float32), np.asarray(mask * opacity * part.alpha, np.float32))
    per_radian = sheet.shape[1] / (2 * SPAN) if shape.round else 0.0
    return Body(under, over, sheet, map_x, map_y, gain, add, cover, per_radian)


class _Cache:
    """Prepared packages, least recently used out first."""

    def __init__(self, budget: int) -> None:
        self._budget, self._held = budget, 0
        self._bodies: OrderedDict[tuple[str, int], Body] = OrderedDict()

    def get(self, key: tuple[str, int]) -> Body | None:
        found = self._bodies.get(key)
        if found is not None:
            self._bodies.move_to_end(key)
        return found

    def put(self, key: tuple[str, int], body: Body) -> None:
        self._bodies[key] = body
        self._held += body.nbytes
        while self._held > self._budget and len(self._bodies) > 1:
            self._held -= self._bodies.popitem(last=False)[1].nbytes


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
    found = _cache.get((key, level)) if keep else None
    if found is None:
        found = _prepare(design, level, int.from_bytes(key[:8].encode(), "little") % 1_000_003)
        if keep:
            _cache.put((key, level), found)
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
    print_ = cv2.remap(body.sheet, map_x, body.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )
    print_ *= body.gain[..., None]
    print_ += body.add[..., None]
    np.clip(print_, 0, 255, out=print_)
    canvas = body.under.copy()
    _over(canvas, print_, body.cover)
    canvas *= 1 - body.over[..., 3:] / 255
    canvas += body.over
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
