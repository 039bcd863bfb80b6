"""Tiles: where they lie, and how their detections become one list without losing neighbouring objects.

Inside a tile the usual NMS decides. Between tiles a box is *cut* if it ends at a seam (an edge of its tile that is no
edge of the picture). Uncut boxes are joined by NMS alone: the same object seen whole by two tiles overlaps itself
almost fully, a neighbour hardly. A cut box is dropped where an uncut box covers most of it; the cut boxes that are
left belong to objects longer than the overlap, and those of different tiles that continue each other are united.
Merging overlapping boxes everywhere instead (NMM) joins touching neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.overlaps import pairwise_inside
from packed_scenes.detect.nms import nms

Boxes = npt.NDArray[np.float32]

EDGE = 2.0  # px: a box that ends this close to a seam is cut
RIVAL = 0.5  # a box changes what becomes of a cut one only from this share of its score
COVERED = 0.6  # share of a cut box inside an uncut one that makes it the same object
ALIGNED = 0.6  # overlap, across the seam's direction, of two pieces of one object
PAIRS = 300_000  # pairs of boxes compared at a time


@dataclass(frozen=True)
class Candidates:
    """Boxes with score, class and the number of the tile that they came from (row-aligned)."""

    xyxy: Boxes
    score: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int64]
    tile: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.xyxy)

    def select(self, rows: Any) -> Candidates:
        """Take rows by mask or index."""
        return Candidates(self.xyxy[rows], self.score[rows], self.class_id[rows], self.tile[rows])

    @staticmethod
    def concat(parts: list[Candidates]) -> Candidates:
        """Join row-wise."""
        if not parts:
            return Candidates(
                np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64)
            )
        return Candidates(
            np.concatenate([p.xyxy for p in parts]), np.concatenate([p.score for p in parts]),
            np.concatenate([p.class_id for p in parts]), np.concatenate([p.tile for p in parts]),
        )  # fmt: skip


def layout(width: int, height: int, tile: int, overlap: int) -> npt.NDArray[np.int64]:
    """Cover a picture with equal tiles that overlap by at least ``overlap`` pixels, spread evenly.

    Returns:
        (T, 4) int64 x1, y1, x2, y2, row by row; one tile of the picture's size where it is no larger than a tile.

    Raises:
        InputError: if the overlap is not smaller than the tile.
    """
    if not 0 <= overlap < tile:
        raise InputError(f"overlap must lie in [0, tile), got {overlap} for tiles of {tile}")

    def starts(length: int) -> npt.NDArray[np.int64]:
        if length <= tile:
            return np.zeros(1, np.int64)
        count = -(-(length - overlap) // (tile - overlap))
        return np.rint(np.linspace(0, length - tile, count)).astype(np.int64)

    y, x = (v.ravel() for v in np.meshgrid(starts(height), starts(width), indexing="ij"))
    return np.stack([x, y, np.minimum(x + tile, width), np.minimum(y + tile, height)], 1)


def merge(
    found: Candidates, tiles: npt.NDArray[Any], *, width: int, height: int, iou_threshold: float, edge: float = EDGE
) -> Candidates:
    """Join the detections of all tiles (picture coordinates; NMS inside each tile done already).

    Args:
        found: boxes; low scores do not change what becomes of higher ones, so that a score threshold may follow.
        tiles: (T, 4) x1, y1, x2, y2 of what each tile shows.
        width, height: of the picture.
        iou_threshold: NMS threshold.
        edge: a box that ends this close to a seam is cut.
    """
    if len(tiles) < 2 or not len(found):
        return found
    own = tiles[found.tile].astype(np.float32)
    inner = own[:, :2] > 0, own[:, 2:] < np.array([width, height], np.float32)
    starts = inner[0] & (found.xyxy[:, :2] < own[:, :2] + edge)
    ends = inner[1] & (found.xyxy[:, 2:] > own[:, 2:] - edge)
    cut = np.any(starts | ends, axis=1)
    whole = found.select(~cut)
    whole = whole.select(nms(whole.xyxy, whole.score, iou_threshold=iou_threshold))
    pieces = found.select(cut)
    pieces = _unite(pieces.select(~_covered(pieces, whole, tiles)))
    both = Candidates.concat([whole, pieces])
    return both.select(nms(both.xyxy, both.score, iou_threshold=iou_threshold))


def _covered(pieces: Candidates, whole: Candidates, tiles: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which pieces lie mostly inside a whole box: per tile with what touches it, in blocks of 300,000 pairs (40 MB)."""
    covered = np.zeros(len(pieces), bool)
    for number in np.unique(pieces.tile):
        own = np.flatnonzero(pieces.tile == number)
        touches = (whole.xyxy[:, :2] < tiles[number, 2:]) & (whole.xyxy[:, 2:] > tiles[number, :2])
        near = whole.select(touches.all(1))
        step = max(1, PAIRS // max(1, len(near)))
        for start in range(0, len(own) if len(near) else 0, step):
            rows = own[start : start + step]
            rival = near.score[None] >= RIVAL * pieces.score[rows, None]
            covered[rows] = ((pairwise_inside(pieces.xyxy[rows], near.xyxy) > COVERED) & rival).any(1)
    return covered


def _unite(pieces: Candidates) -> Candidates:
    """Unite pieces of different tiles that continue each other: they overlap, and agree across one direction."""
    xyxy, score, tile = pieces.xyxy.copy(), pieces.score.copy(), pieces.tile
    alive = np.ones(len(xyxy), bool)
    for _ in range(4):  # an object over a corner has four pieces
        merged = False
        for first in np.argsort(-score, kind="stable"):
            if not alive[first]:
                continue
            low, high = np.maximum(xyxy[:, :2], xyxy[first, :2]), np.minimum(xyxy[:, 2:], xyxy[first, 2:])
            shared = high - low
            span = np.maximum(xyxy[:, 2:], xyxy[first, 2:]) - np.minimum(xyxy[:, :2], xyxy[first, :2])
            agrees = (shared / span).max(1) > ALIGNED
            agrees &= score >= RIVAL * score[first]
            partners = np.flatnonzero(alive & (tile != tile[first]) & (shared > 0).all(1) & agrees)
            for other in partners[:1]:
                xyxy[first, :2] = np.minimum(xyxy[first, :2], xyxy[other, :2])
                xyxy[first, 2:] = np.maximum(xyxy[first, 2:], xyxy[other, 2:])
                alive[other] = False
                merged = True
        if not merged:
            break
    return Candidates(xyxy, score, pieces.class_id, tile).select(alive)
