"""Greedy non-maximum suppression without an N x N matrix and without a time limit.

Boxes are sorted by score; each kept box removes those it overlaps. Two boxes of IoU >= t have centres at most
``(1 - t) * max(w)`` apart along x and widths within a factor 1/t of each other, so with the boxes sorted along the
longer axis of the picture only a window of them is compared. Time grows with the *kept* boxes (about 40 µs each at
30,000 candidates), memory is linear: 30,000 candidates need under 10 MB. The result equals the naive algorithm's
(tests hold it).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError

Boxes = npt.NDArray[np.float32]


def nms(
    xyxy: Boxes, score: npt.NDArray[np.float32], *, iou_threshold: float = 0.6, max_boxes: int | None = None
) -> npt.NDArray[np.int64]:
    """Keep the best of each set of overlapping boxes.

    Args:
        xyxy: (N, 4) pixels.
        score: (N,) higher is better; equal scores are taken from top to bottom, then left to right.
        iou_threshold: a box is removed if its IoU with a kept, better one is above this.
        max_boxes: stop after this many kept boxes.

    Returns:
        Indices of the kept boxes, best first.

    Raises:
        InputError: if ``iou_threshold`` is outside (0, 1].
    """
    return nms_mean(xyxy, score, iou_threshold=iou_threshold, max_boxes=max_boxes)[0]


def nms_mean(
    xyxy: Boxes,
    score: npt.NDArray[np.float32],
    *,
    iou_threshold: float = 0.6,
    max_boxes: int | None = None,
    min_score: float = -math.inf,
    vote: float = -math.inf,
) -> tuple[npt.NDArray[np.int64], Boxes]:
    """:func:`nms`, and each kept box as the mean of all boxes that overlap it by more than ``iou_threshold``,
    itself included, weighted by score: neighbouring cells of a network vote on the place of one object.

    The weighting is that of Solovyev et al. 2021 (weighted boxes fusion), inside one network's output; which boxes are
    kept is not changed. Measured on 21 unseen generated scenes with the shipped weights: AP .732 -> .737, AP75 .838 ->
    .856, precision and recall where they balance .929 -> .932; means over IoU .5 lose AP (.733 and on small objects
    .572 for .586), over .7 and .8 they change nothing.

    Args:
        min_score: kept boxes have at least this score; lower ones only vote.
        vote: boxes of a lower score have no say in where better ones lie.

    Returns:
        Indices of the kept boxes, best first; (K, 4) their means.

    Raises:
        InputError: if ``iou_threshold`` is outside (0, 1].
    """
    if not 0 < iou_threshold <= 1:
        raise InputError(f"iou_threshold must lie in (0, 1], got {iou_threshold}")
    order = best_first(xyxy, score)
    boxes = xyxy[order].astype(np.float64)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = boxes[:, 2:] - boxes[:, :2]
    axis = int(np.argmax(np.ptp(center, axis=0))) if len(center) else 0
    along = np.argsort(center[:, axis], kind="stable")
    place = np.empty_like(along)
    place[along] = np.arange(len(along))
    line = center[along, axis]
    reach = side[:, axis] * (1 - iou_threshold) / iou_threshold + 1e-6
    start = np.searchsorted(line, center[:, axis] - reach, "left")
    end = np.searchsorted(line, center[:, axis] + reach, "right")
    corners, ranked = boxes[along], score[order].astype(np.float64)
    x1, y1, x2, y2 = np.ascontiguousarray(corners.T)
    area = (x2 - x1) * (y2 - y1)
    weight = np.where(ranked[along] < vote, 0.0, np.maximum(ranked[along], 1e-9))
    alive = np.ones(len(boxes), bool)
    kept: list[int] = []
    means: list[npt.NDArray[np.float64]] = []
    for rank in range(len(boxes)):
        if ranked[rank] < min_score or (max_boxes is not None and len(kept) >= max_boxes):
            break
        if not alive[place[rank]]:
            continue
        kept.append(rank)
        window = slice(start[rank], end[rank])
        left, top, right, bottom = boxes[rank]
        shared = np.minimum(x2[window], right) - np.maximum(x1[window], left)
        np.maximum(shared, 0, out=shared)
        tall = np.minimum(y2[window], bottom) - np.maximum(y1[window], top)
        np.maximum(tall, 0, out=tall)
        shared *= tall
        apart = shared <= iou_threshold * (area[window] + area[place[rank]] - shared)
        alive[window] &= apart
        votes = np.flatnonzero(~apart) + window.start
        total = weight[votes].sum()
        means.append(weight[votes] @ corners[votes] / total if len(votes) > 1 and total else boxes[rank])
    return order[np.array(kept, np.int64)], np.array(means, np.float32).reshape(-1, 4)


def best_first(xyxy: Boxes, score: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Order by score, best first; ties from top to bottom, then left to right."""
    return np.lexsort((xyxy[:, 0], xyxy[:, 1], -score)).astype(np.int64)
