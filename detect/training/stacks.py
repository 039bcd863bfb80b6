"""Walls of flush stacks: the same goods on and beside each other without a gap, the hardest thing to tell apart on a
shelf.

A detector that has seen few stacks takes a pile of two cartons for one tall object. Here every board carries stacks
of two to five levels, front on or in slight perspective, of one variant or of mixed ones; nothing is hidden, so the
boxes are exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.detect.training.clutter import sign, surface

Rng = np.random.Generator
Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

SIDE = 896  # px
RENDERED = 220  # px, height at which goods are drawn before they are shrunk to their place
FAMILIES = 60  # at hand; one is exchanged per scene


def walls(goods: Any, seed: int) -> Iterator[tuple[Image, Boxes]]:
    """Endless pictures with boxes from a source of goods (``family(rng, variants)``, see
    ``packed_scenes.data.synth.pool.Source``).
    """
    rng = np.random.default_rng((seed, 3))
    shelf = [_family(goods, rng) for _ in range(FAMILIES // 4)]
    while True:
        shelf = [*shelf[-FAMILIES + 1 :], _family(goods, rng)]
        yield wall(shelf, rng)


def _family(goods: Any, rng: Rng) -> list[Image]:
    """RGBA pictures of one to four variants."""
    return [np.asarray(v.render(RENDERED, rng), np.uint8) for v in goods.family(rng, 4)][:4]


def wall(families: Sequence[Sequence[Image]], rng: Rng) -> tuple[Image, Boxes]:
    """One picture: boards full of stacks."""
    image = surface(SIDE, SIDE, rng, far_at_bottom=True)
    if rng.random() < 0.7:
        image[:] = (rng.uniform(5, 200) * np.exp(rng.normal(0, 0.1, 3))).clip(0, 255).astype(np.uint8)
    boxes: list[tuple[int, int, int, int]] = []
    high = rng.uniform(0.16, 0.6) * SIDE
    room = high * rng.uniform(0.8, 1.2)
    foot = int(rng.uniform(0.3, 1.1) * room)
    while foot - room < SIDE - 20:
        _board(image, foot, room, families, rng, boxes)
        thick = int(rng.uniform(0.02, 0.12) * room) + 2
        top = max(0, foot)
        image[top : foot + thick] = rng.integers(30, 250, 3)
        for _ in range(rng.integers(0, 7)):
            x, w, h = int(rng.integers(0, SIDE - 90)), int(rng.integers(14, 90)), int(thick * rng.uniform(0.7, 2))
            if h >= 6 and 0 <= foot < SIDE - h:
                sign(image[foot : foot + h, x : x + w], rng)
        room = high * rng.uniform(0.8, 1.2)
        foot += thick + int(room * rng.uniform(1.0, 1.25))
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return _tilt(image, xyxy, rng)


def _board(
    image: Image,
    foot: int,
    room: float,
    families: Sequence[Sequence[Image]],
    rng: Rng,
    boxes: list[tuple[int, int, int, int]],
) -> None:
    """Fill one board from left to right with blocks of stacks standing on ``foot``."""
    x = int(rng.uniform(-0.3, 0.2) * room)
    end = SIDE * (1.0 if rng.random() < 0.8 else rng.uniform(0.5, 1.0))
    while x < end:
        family = families[int(rng.integers(len(families)))]
        levels = int(rng.choice([1, 2, 3, 4, 5], p=[0.18, 0.4, 0.24, 0.12, 0.06]))
        height = max(12, int(room * rng.uniform(0.75, 0.98) / levels))
        first = family[int(rng.integers(len(family)))]
        width = int(height * first.shape[1] / first.shape[0] * rng.uniform(0.9, 1.1))
        if not 8 <= width <= 1.4 * room:
            x += 6
            continue
        gap, seam = int(rng.choice([0, 0, 0, 1, 2, 4])), int(rng.choice([0, 0, 0, 1, 2]))
        mixed, dark = rng.random(), float(rng.choice([0.0, 0.25, 0.5]))
        for _ in range(int(rng.integers(1, 7))):
            item = first
            for level in range(levels if rng.random() < 0.85 else int(rng.integers(1, levels + 1))):
                if mixed < 0.15 or (mixed < 0.4 and level and rng.random() < 0.6):
                    item = family[int(rng.integers(len(family)))]
                _put(image, item, x, foot - level * (height + seam), width, height, dark, rng, boxes)
            x += width + gap
            if x >= end:
                break
        x += int(rng.choice([0, 0, 0, 2, 6])) if rng.random() < 0.85 else int(rng.uniform(0.1, 0.8) * room)


def _put(
    image: Image, item: Image, x: int, foot: int, width: int, height: int, dark: float, rng: Rng,
    boxes: list[tuple[int, int, int, int]],
) -> None:  # fmt: skip
    """Paste one item and note its visible box."""
    left, top, right, bottom = max(0, x), max(0, foot - height), min(SIDE, x + width), min(SIDE, foot)
    if right - left < 5 or bottom - top < 5:
        return
    small = cv2.resize(item, (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.04:
        small = small[::-1, ::-1]
    part = small[top - foot + height : bottom - foot + height, left - x : right - x].astype(np.float32)
    colour, alpha = part[..., :3] * rng.uniform(0.85, 1.1), part[..., 3:] / 255
    if dark:  # contact shadow along the outline
        down = np.minimum(np.arange(bottom - top), np.arange(bottom - top)[::-1])
        across = np.minimum(np.arange(right - left), np.arange(right - left)[::-1])
        inside = np.minimum(down[:, None], across[None]).astype(np.float32)
        colour *= 1 - dark * np.exp(-inside / max(1.0, 0.015 * height))[..., None]
    under = image[top:bottom, left:right].astype(np.float32)
    image[top:bottom, left:right] = (colour * alpha + under * (1 - alpha)).clip(0, 255).astype(np.uint8)
    if (right - left) * (bottom - top) > 0.3 * width * height:
        boxes.append((left, top, right, bottom))


def _tilt(image: Image, xyxy: Boxes, rng: Rng) -> tuple[Image, Boxes]:
    """A slight perspective; boxes become those around the moved corners, clipped."""
    if rng.random() < 0.4 or not len(xyxy):
        return image, xyxy
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners + rng.uniform(-0.05, 0.05, (4, 2)).astype(np.float32) * SIDE)
    image = np.asarray(cv2.warpPerspective(image, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    points = cv2.perspectiveTransform(xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2), matrix).reshape(-1, 4, 2)
    moved = np.concatenate([points.min(1), points.max(1)], 1).clip(0, SIDE).astype(np.float32)
    return image, moved[(moved[:, 2:] - moved[:, :2]).min(1) >= 5]
