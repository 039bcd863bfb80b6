"""Which detection found which true object: the greedy matching of COCO, one to one, best score first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects
from packed_scenes.data.overlaps import pairwise_inside, pairwise_iou
from packed_scenes.detect.nms import best_first

IGNORED_SHARE = 0.5  # a detection with more than this share inside an ignore region counts neither way


@dataclass(frozen=True)
class Matching:
    """Row-aligned with the detections.

    Attributes:
        truth: (D,) int64 row of the true object that the detection found, -1 = none.
        iou: (D,) float64 IoU with it, 0 = none.
        ignored: (D,) bool, no match and mostly inside an ignore region: neither right nor wrong.
    """

    truth: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]
    ignored: npt.NDArray[np.bool_]


def match_boxes(
    found: Objects, truth: Objects, *, ignore: npt.ArrayLike | None = None, iou_threshold: float = 0.5
) -> Matching:
    """Match detections to true boxes.

    Each detection, best first, takes the free true box of the highest IoU, if that is at least ``iou_threshold``.

    Args:
        ignore: (K, 4) regions in pixels; unmatched detections mostly inside one are set aside.

    Memory: one (D, T) table.
    """
    overlap = pairwise_iou(found.xyxy, truth.xyxy)
    matched = greedy(overlap, best_first(found.xyxy, found.score), np.array([iou_threshold]))[0]
    best = np.where(matched >= 0, overlap[np.arange(len(found)), np.maximum(matched, 0)] if len(truth) else 0.0, 0.0)
    return Matching(matched, best, (matched < 0) & inside_ignored(found, ignore))


def inside_ignored(found: Objects, ignore: npt.ArrayLike | None) -> npt.NDArray[np.bool_]:
    """Which detections lie mostly inside an ignore region."""
    regions = np.zeros((0, 4), np.float32) if ignore is None else np.asarray(ignore, np.float32).reshape(-1, 4)
    share = pairwise_inside(found.xyxy, regions).max(1, initial=0.0)
    return np.asarray(share > IGNORED_SHARE)


def greedy(
    overlap: npt.NDArray[np.float64], order: npt.NDArray[np.int64], thresholds: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """COCO's matching at several thresholds at once.

    Args:
        overlap: (D, T) IoU.
        order: (D,) rows of the detections, best first.
        thresholds: (K,) least IoU.

    Returns:
        (K, D) int64: the true box of each detection, -1 = none.
    """
    levels = len(thresholds)
    matched = np.full((levels, overlap.shape[0]), -1, np.int64)
    if not overlap.size:
        return matched
    free = np.ones((levels, overlap.shape[1]), bool)
    least = np.minimum(thresholds, 1 - 1e-10)
    near = overlap >= least.min()
    rows = np.arange(levels)
    for row in order:
        columns = np.flatnonzero(near[row])
        if not len(columns):
            continue
        value = np.where(free[:, columns], overlap[row, columns], -1.0)
        # pycocotools takes the last of equals
        best = value.shape[1] - 1 - value[:, ::-1].argmax(1)
        hit = value[rows, best] >= least
        matched[hit, row] = columns[best[hit]]
        free[rows[hit], columns[best[hit]]] = False
    return matched
