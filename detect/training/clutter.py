"""Things that are no products, painted over training crops: ceilings, floors, walls, signs, posts, and people's
silhouettes.

A detector trained on goods alone takes ceiling panels and floor tiles for goods; these are the regular, box-like
textures it must refuse.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.detect.training.pool import Example

Rng = np.random.Generator
Image = npt.NDArray[np.uint8]

HIDDEN = 0.7  # an object covered to more than this share loses its box


def add_clutter(example: Example, rng: Rng) -> Example:
    """Paint one to three things over the crop; boxes under a full-width or full-height cover are cut, hidden ones
    dropped.
    """
    image, xyxy = example.image.copy(), example.xyxy.copy()
    height, width = image.shape[:2]
    covers: list[tuple[int, int, int, int]] = []
    kind = rng.random()
    if kind < 0.5:
        depth = int(height * rng.uniform(0.08, 0.5))
        top = rng.random() < 0.5
        covers.append((0, 0, width, depth) if top else (0, height - depth, width, height))
        x1, y1, x2, y2 = covers[0]
        image[y1:y2, x1:x2] = surface(y2 - y1, x2 - x1, rng, far_at_bottom=top)
    elif kind < 0.65:
        breadth = int(width * rng.uniform(0.05, 0.45))
        left = rng.random() < 0.5
        covers.append((0, 0, breadth, height) if left else (width - breadth, 0, width, height))
        x1, y1, x2, y2 = covers[0]
        image[y1:y2, x1:x2] = surface(y2 - y1, x2 - x1, rng, far_at_bottom=bool(rng.random() < 0.5))
    for _ in range(rng.integers(0, 3) if covers else rng.integers(1, 4)):
        w, h = (int(v) for v in (np.exp(rng.uniform(np.log(16), np.log(220), 2)).clip(8, min(height, width) // 2)))
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        covers.append((x, y, x + w, y + h))
        sign(image[y : y + h, x : x + w], rng)
    if rng.random() < 0.25:
        covers += _tags(image, rng)
    if rng.random() < 0.15:
        covers.append(_silhouette(image, rng))
    kept = np.ones(len(xyxy), bool)
    full = np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)
    for cover in covers:
        kept &= _cut(xyxy, np.array(cover, np.float32))
    area = np.prod((xyxy[:, 2:] - xyxy[:, :2]).clip(0), axis=1)
    kept &= (area > (1 - HIDDEN) * full) & ((xyxy[:, 2:] - xyxy[:, :2]).min(1, initial=np.inf) >= 4)
    return Example(image, xyxy[kept], example.class_id[kept], example.ignore)


def _cut(xyxy: npt.NDArray[np.float32], cover: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Cut boxes in place where the cover spans them from side to side; give False for those that it hides."""
    low, high = np.maximum(xyxy[:, :2], cover[:2]), np.minimum(xyxy[:, 2:], cover[2:])
    shared = np.prod((high - low).clip(0), axis=1)
    hidden = shared > HIDDEN * np.prod((xyxy[:, 2:] - xyxy[:, :2]).clip(1e-3), axis=1)
    for axis in (0, 1):
        other = 1 - axis
        spans = (cover[other] <= xyxy[:, other]) & (cover[other + 2] >= xyxy[:, other + 2]) & (shared > 0)
        starts = spans & (cover[axis] <= xyxy[:, axis])
        ends = spans & (cover[axis + 2] >= xyxy[:, axis + 2])
        xyxy[starts & ~ends, axis] = cover[axis + 2]
        xyxy[ends & ~starts, axis + 2] = cover[axis]
    kept: npt.NDArray[np.bool_] = ~hidden
    return kept


def surface(height: int, width: int, rng: Rng, *, far_at_bottom: bool) -> Image:
    """A ceiling, floor or wall of (height, width): panels or tiles in perspective, lamps, or plain with a gradient."""
    base = rng.uniform(30, 245) * np.exp(rng.normal(0, 0.06, 3))
    image = np.empty((height, width, 3), np.float32)
    image[:] = base
    kind = rng.random()
    if kind < 0.5:
        joint = (base + rng.normal(0, 45, 3)).clip(0, 255).tolist()
        thick = int(rng.integers(1, 4))
        vanish_x = width * rng.uniform(-0.5, 1.5)
        depth = rng.uniform(1.05, 4) if rng.random() < 0.7 else 1e6
        step = np.exp(rng.uniform(np.log(12), np.log(140)))
        # rows at y = horizon + focal / z: spacing shrinks toward the far edge
        rows = np.cumsum(
            step * rng.uniform(0.4, 1.5) * (np.linspace(1, 1 / min(depth, 8), 60) if depth < 1e5 else np.ones(60))
        )
        rows = rows[rows < height]
        if far_at_bottom is False:
            rows = height - rows
        far_y = height * depth if far_at_bottom else height * (1 - depth)
        near_y = 0.0 if far_at_bottom else float(height)
        shaded = rng.random() < 0.5
        columns = np.arange(-3 * width, 4 * width, step) + rng.uniform(0, step)
        if shaded:
            edges = np.sort(np.concatenate([[0, height], rows])).astype(int)
            for top, bottom in pairwise(edges):
                t = (0.5 * (top + bottom) - near_y) / (far_y - near_y)
                cut = (columns * (1 - t) + vanish_x * t).astype(int)
                for left, right in pairwise(cut):
                    if right > 0 and left < width:
                        lamp = rng.random() < 0.06
                        colour = np.full(3, 255.0) if lamp else base * rng.uniform(0.9, 1.1) + rng.normal(0, 4, 3)
                        image[top:bottom, max(left, 0) : max(right, 0)] = colour
        for row in rows:
            cv2.line(image, (0, int(row)), (width, int(row)), joint, thick)
        for column in columns:
            cv2.line(image, (int(column), int(near_y)), (int(vanish_x), int(min(max(far_y, -1e4), 1e4))), joint, thick)
    elif kind < 0.92:
        _beams(image, rng)
    near, far = (float(v) for v in np.exp(rng.normal(0, 0.25, 2)))
    ramp = np.linspace(near, far, height, dtype=np.float32)[:, None, None]
    image = image * ramp + rng.normal(0, rng.uniform(0, 6), (height, width, 1)).astype(np.float32)
    if rng.random() < 0.5:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 3))), np.float32)
    return image.clip(0, 255).astype(np.uint8)


def _beams(image: npt.NDArray[np.float32], rng: Rng) -> None:
    """A hall's open roof, in place: beams towards a vanishing point, lattice girders across, lamps."""
    height, width = image.shape[:2]
    away = rng.uniform([-0.3, -1.0], [1.3, 2.0]) * (width, height)
    base = image[0, 0].copy()
    for _ in range(rng.integers(2, 12)):
        start = rng.uniform(-0.5, 1.5) * width, float(rng.choice([0, height]))
        end = np.array(start) + (away - start) * rng.uniform(0.3, 1.2)
        tone = (base * rng.uniform(0.5, 1.35)).clip(0, 255).tolist()
        _line(image, start, end, tone, int(rng.integers(2, 18)))
    for _ in range(rng.integers(0, 4)):
        y, deep, slope = rng.uniform(0, height), rng.uniform(8, 50), rng.uniform(-0.15, 0.15) * width
        tone, thick, pitch = (
            (base * rng.uniform(0.5, 1.3)).clip(0, 255).tolist(),
            int(rng.integers(1, 5)),
            rng.uniform(8, 50),
        )
        for drop in (0, deep):
            _line(image, (0, y + drop), (width, y + drop + slope), tone, thick)
        for number, x in enumerate(np.arange(0, width, pitch)):
            ends = (0, deep) if number % 2 else (deep, 0)
            shift = slope * x / width
            _line(image, (x, y + shift + ends[0]), (x + pitch, y + shift + ends[1]), tone, thick)
    for _ in range(rng.integers(0, 5)):
        hung = rng.uniform(-0.1, 1.1, 2) * (width, height)
        toward = (away - hung) / (np.linalg.norm(away - hung) + 1) if rng.random() < 0.7 else np.array([1.0, 0.0])
        _line(image, hung, hung + toward * rng.uniform(0.1, 0.7) * width, [255.0] * 3, int(rng.integers(3, 22)))


def _line(
    image: npt.NDArray[np.float32], start: npt.ArrayLike, end: npt.ArrayLike, tone: list[float], thick: int
) -> None:
    ends = [tuple(np.clip(np.asarray(p, float), -4000, 4000).astype(int).tolist()) for p in (start, end)]
    cv2.line(image, ends[0], ends[1], tone, thick, cv2.LINE_AA)


def sign(area: Image, rng: Rng) -> None:
    """Paint a sign, poster, price card or screen into ``area`` in place."""
    height, width = area.shape[:2]
    area[:] = rng.integers(0, 256, 3) if rng.random() < 0.7 else rng.integers(200, 256, 3)
    ink = rng.integers(0, 256, 3).tolist()
    if rng.random() < 0.4:
        cv2.rectangle(area, (1, 1), (width - 2, height - 2), ink, int(rng.integers(1, 4)))
    for _ in range(rng.integers(0, 5)):
        word = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWXYZ0123456789%$€.,")) for _ in range(rng.integers(1, 8)))
        at = (int(rng.integers(0, max(1, width // 3))), int(rng.integers(height // 4, height + 1)))
        cv2.putText(
            area,
            word,
            at,
            int(rng.integers(0, 5)),
            float(rng.uniform(0.02, 0.08) * height / 2 + 0.2),
            ink,
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
        )


def _tags(image: Image, rng: Rng) -> list[tuple[int, int, int, int]]:
    """Paint a row of like cards at equal distances, as they hang from a rail or stand before goods; gives where."""
    height, width = image.shape[:2]
    w, h = (int(v) for v in np.exp(rng.uniform(np.log(14), np.log(90), 2)).clip(4, min(height, width) // 2))
    card = np.empty((h, w, 3), np.uint8)
    sign(card, rng)
    y, x, pitch = int(rng.integers(0, height - h)), int(rng.integers(-w, w)), int(w * rng.uniform(1.0, 4.0)) + 1
    slope, end = rng.normal(0, 0.04), rng.uniform(0.3, 1.0) * width
    covers = []
    for left in range(x, int(end), pitch):
        top = int(np.clip(y + slope * left, 0, height - h))
        x1, x2 = max(0, left), min(width, left + w)
        if rng.random() < 0.85 and x2 > x1:
            image[top : top + h, x1:x2] = card[:, x1 - left : x2 - left]
            covers.append((x1, top, x2, top + h))
    return covers


def _silhouette(image: Image, rng: Rng) -> tuple[int, int, int, int]:
    """Paint a standing person's rough shape; gives the rectangle that is covered entirely."""
    height, width = image.shape[:2]
    tall = int(height * rng.uniform(0.4, 1.1))
    broad = max(10, int(tall * rng.uniform(0.22, 0.35)))
    x, base = int(rng.integers(0, width)), int(height * rng.uniform(0.8, 1.3))
    cloth, skin = rng.integers(0, 200, 3).tolist(), (rng.uniform(60, 230) * np.array([1, 0.8, 0.68])).tolist()
    neck = base - int(0.82 * tall)
    cv2.ellipse(image, (x, base - tall // 2), (broad // 2, int(0.36 * tall)), 0, 0, 360, cloth, -1, cv2.LINE_AA)
    cv2.ellipse(
        image,
        (x, base - tall // 5),
        (broad // 3, int(0.3 * tall)),
        0,
        0,
        360,
        rng.integers(0, 160, 3).tolist(),
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(image, (x, neck - tall // 16), (int(0.07 * tall), int(0.09 * tall)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    inner = broad // 3
    return max(0, x - inner), max(0, base - int(0.75 * tall)), min(width, x + inner), min(height, base)
