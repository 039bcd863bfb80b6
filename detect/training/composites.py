"""Made-up scenes of real things: one to four objects, lifted from real pictures and repeated many times on real
grounds.

Few label sets show many copies of one thing, which is what the detector is for. An object is lifted from its box
with GrabCut (Rother et al. 2004) and laid out in rows, heaps or at random, with or without perspective, on a piece of
another picture; its box is that of the pixels that are seen (copy-paste: Ghiasi et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import visible_boxes
from packed_scenes.detect.training.pool import Example

Rng = np.random.Generator
Picture = npt.NDArray[np.uint8]

LIFTED = 128  # px, longest side of a lifted object
MARGIN = 0.12  # of the box, shown to GrabCut as certain ground
FILLED = (0.3, 0.97)  # share of its box that an object plausibly fills
REACH = 0.85  # share of the box's width and height that it must reach
SIDE = 640  # px, of the scenes
VISIBLE = 0.4  # share of an object's pixels that must be seen for it to count
TURNS = 16


def lift(image: Picture, box: npt.NDArray[np.float32]) -> Picture | None:
    """Cut the object out of its box: RGBA, straight alpha; None where that plausibly failed."""
    height, width = image.shape[:2]
    pad = MARGIN * (box[2:] - box[:2])
    x1, y1 = np.maximum(np.floor(box[:2] - pad), 0).astype(int).tolist()
    x2, y2 = np.minimum(np.ceil(box[2:] + pad), (width, height)).astype(int).tolist()
    if min(x2 - x1, y2 - y1) < 20:
        return None
    zoom = LIFTED / max(x2 - x1, y2 - y1)
    piece = np.asarray(cv2.resize(image[y1:y2, x1:x2], None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = np.rint((box - np.array([x1, y1, x1, y1])) * zoom).astype(int).tolist()
    mask = np.zeros(piece.shape[:2], np.uint8)
    rect = (max(left, 1), max(top, 1), min(right, piece.shape[1] - 1) - max(left, 1),
            min(bottom, piece.shape[0] - 1) - max(top, 1))  # fmt: skip
    if min(rect[2:]) < 8:
        return None
    try:
        cv2.setRNGSeed(1)
        cv2.grabCut(piece, mask, rect, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # one colour only
        return None
    solid = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    solid = np.asarray(cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    if len(stats) < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, w, h, area = stats[largest].tolist()
    if not FILLED[0] <= area / (rect[2] * rect[3]) <= FILLED[1] or w < REACH * rect[2] or h < REACH * rect[3]:
        return None
    alpha = np.asarray(cv2.GaussianBlur((labels == largest).astype(np.uint8) * 255, (3, 3), 0), np.uint8)
    return np.ascontiguousarray(np.dstack([piece, alpha])[y : y + h, x : x + w])


@dataclass(frozen=True)
class Composites:
    """Endless scenes.

    Attributes:
        objects: lifted objects by kind (one real set, or one product, each).
        grounds: pictures to cut grounds from, with the boxes and regions on them that may be objects.
    """

    objects: Sequence[Sequence[Picture]]
    grounds: Sequence[tuple[Picture, npt.NDArray[np.float32]]]

    def __len__(self) -> int:
        return sum(map(len, self.objects)) if self.grounds else 0

    def draw(self, rng: Rng) -> Example:
        """Make one scene."""
        canvas, ignore = self._ground(rng)
        kind = self.objects[int(rng.integers(len(self.objects)))]
        chosen = [kind[int(i)] for i in rng.integers(0, len(kind), int(rng.choice((1, 1, 2, 4))))]
        seen = np.zeros((SIDE, SIDE), np.uint16)
        areas: list[int] = []
        near, turned = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        for x, y, size in _places(rng):
            depth = y / SIDE if near else 1.0
            sprite = _sprite(
                chosen[int(rng.integers(len(chosen)))], max(8.0, size * (0.35 + 0.65 * depth)), turned, rng
            )
            areas.append(_paste(canvas, seen, sprite, x, y, len(areas) + 1))
        boxes = boxes_seen(seen, areas)
        return Example(canvas, boxes, np.zeros(len(boxes), np.int64), ignore)

    def _ground(self, rng: Rng) -> tuple[Picture, npt.NDArray[np.float32]]:
        image, regions = self.grounds[int(rng.integers(len(self.grounds)))]
        height, width = image.shape[:2]
        side = int(min(height, width) * rng.uniform(0.4, 1))
        x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
        piece = cv2.resize(image[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        if rng.random() < 0.5:
            return np.array(cv2.GaussianBlur(piece, (0, 0), float(rng.uniform(12, 60))), np.uint8), regions[:0]
        moved = ((regions - np.array([x, y, x, y], np.float32)) * (SIDE / side)).clip(0, SIDE).astype(np.float32)
        return np.array(piece, np.uint8), moved[((moved[:, 2:] - moved[:, :2]) >= 1).all(1)]


def _places(rng: Rng) -> list[tuple[float, float, float]]:
    """Centres and sizes (square root of area) of the objects: a grid, jittered by how far they lie about; far to
    near, so that near ones cover.
    """
    count = int(np.exp(rng.uniform(np.log(4), np.log(140))))
    extent = rng.uniform(0.45, 1.1, 2) * SIDE
    corner = rng.uniform(-0.05 * SIDE, np.maximum(SIDE - extent, 0) + 1)
    cell = float(np.sqrt(np.prod(extent) / count))
    columns, rows = (max(1, round(float(v) / cell)) for v in extent)
    size = cell * rng.uniform(0.55, 1.15)
    wander = float(rng.choice((0.03, 0.15, 0.4)))
    present = rng.uniform(0.6, 1)
    places = []
    for row in range(rows):
        for column in range(columns):
            if rng.random() < present:
                x, y = (np.array([column, row]) + 0.5 + rng.normal(0, wander, 2)) * extent / (columns, rows) + corner
                places.append((float(x), float(y), float(size * np.exp(rng.normal(0, 0.06)))))
    return sorted(places, key=lambda place: place[1])


def _sprite(thing: Picture, size: float, turned: bool, rng: Rng) -> Picture:
    height, width = thing.shape[:2]
    zoom = size / np.sqrt(height * width)
    angle = float(rng.integers(TURNS)) * 360 / TURNS if turned else float(rng.normal(0, 3))
    cosine, sine = abs(np.cos(np.deg2rad(angle))), abs(np.sin(np.deg2rad(angle)))
    wide, high = (int(np.ceil(zoom * v)) + 2 for v in (width * cosine + height * sine, width * sine + height * cosine))
    if zoom < 0.7:
        thing = np.asarray(cv2.resize(thing, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
        zoom = 1.0
    matrix = cv2.getRotationMatrix2D((thing.shape[1] / 2, thing.shape[0] / 2), angle, float(zoom))
    matrix[:, 2] += (wide / 2 - thing.shape[1] / 2, high / 2 - thing.shape[0] / 2)
    turned_thing = np.asarray(cv2.warpAffine(thing, matrix, (wide, high), flags=cv2.INTER_LINEAR), np.uint8)
    lit = turned_thing[..., :3] * rng.uniform(0.8, 1.15)
    return np.dstack([lit.clip(0, 255).astype(np.uint8), turned_thing[..., 3]])


def _paste(canvas: Picture, seen: npt.NDArray[np.uint16], sprite: Picture, x: float, y: float, number: int) -> int:
    """Put a sprite down in place; gives how many of its pixels lie on the canvas or beyond its edge."""
    height, width = sprite.shape[:2]
    left, top = round(x - width / 2), round(y - height / 2)
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, SIDE), min(top + height, SIDE)
    solid = int((sprite[..., 3] > 127).sum())
    if x1 >= x2 or y1 >= y2:
        return solid
    part = sprite[y1 - top : y2 - top, x1 - left : x2 - left]
    weight = part[..., 3:].astype(np.float32) / 255
    spot = canvas[y1:y2, x1:x2]
    spot[...] = (spot + (part[..., :3].astype(np.float32) - spot) * weight).astype(np.uint8)
    seen[y1:y2, x1:x2][part[..., 3] > 127] = number
    return solid


def boxes_seen(seen: npt.NDArray[np.uint16], areas: Sequence[int]) -> npt.NDArray[np.float32]:
    """Boxes of what is seen of each object, left out where that is too little.

    Args:
        seen: (H, W) number of the object that each pixel shows, from 1; 0 = none.
        areas: pixels of each object if nothing hid or cut it.

    Returns:
        (M, 4) xyxy in pixels, x2 and y2 exclusive.
    """
    boxes, pixels = visible_boxes(seen, len(areas))
    return boxes[(pixels > 0) & (pixels >= VISIBLE * np.array(areas))]
