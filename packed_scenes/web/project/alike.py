"""Find these too: objects like one or two drawn examples, in the same photo and in others.

Two ways together. Boxes that the detector saw but was not sure of are compared by their vectors. And the examples are
slid over the photo at several sizes, normalised cross-correlation (Lewis 1995, "Fast normalized cross-correlation")
on a picture shrunk so that the example is about ``SIDE`` pixels; its peaks are cut out, embedded, and kept if their
vectors are near an example's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.web.project.boxes import Embed
from packed_scenes.web.project.project import Image, Project

SIDE = 28  # px of the example's shorter side while it is slid
SURROUND = 0.12  # of its size that is looked at around it: an even surface is only known by its edge
CORRELATION_WEIGHT = 0.1  # what correlation counts beside the similarity of vectors, among places that overlap
SCALES = (0.7, 0.84, 1.0, 1.2, 1.43)
MIN_CORRELATION = 0.35  # correlation below which a place is not looked at
MAX_PLACES = 400  # places of one photo that are embedded
PROPOSAL_FACTOR = 2.0  # times the threshold: how far from an example a proposal may be
OVERLAP = 0.35  # intersection over union with a box that is there, or with a better proposal

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """Proposals of one photo: (M, 4) boxes and (M,) cosine similarity to the nearest example, best first."""

    photo: int
    xyxy: Boxes
    similarity: npt.NDArray[np.float32]


def find_alike(project: Project, rows: list[int], photo: int, embed: Embed) -> Found:
    """Look for objects like some of the project's in one photo.

    Args:
        project: is only read.
        rows: the examples, up to 4 are used.
        photo: where to look.
        embed: makes vectors.
    """
    from packed_scenes.data.overlaps import pairwise_iou
    from packed_scenes.detect.nms import nms

    columns = project.document.columns
    examples = rows[:4]
    wanted = columns["vector"][examples]
    cut = 1 - min(PROPOSAL_FACTOR * project.threshold, 0.9)
    visible = project.visible()
    there = columns["xyxy"][visible & (columns["photo"] == photo)]
    image = project.image(photo)

    weak = np.flatnonzero(columns["alive"] & ~visible & (columns["photo"] == photo))
    boxes = [columns["xyxy"][weak]]
    similarity = [(columns["vector"][weak] @ wanted.T).max(axis=1) if len(weak) else np.zeros(0, np.float32)]
    shape = [np.ones(len(weak), np.float32)]  # the detector says that something is there
    places = _places(project, examples, image)
    if len(places):
        kept = nms(places[:, :4], places[:, 4], iou_threshold=0.5, max_boxes=MAX_PLACES)
        spots = places[kept]
        if len(there):
            spots = spots[pairwise_iou(spots[:, :4], there).max(axis=1) < OVERLAP]
        if len(spots):
            boxes.append(spots[:, :4])
            shape.append(spots[:, 4])
            similarity.append((embed(image, spots[:, :4].astype(np.float64)) @ wanted.T).max(axis=1))
    xyxy, near = np.concatenate(boxes), np.concatenate(similarity).astype(np.float32)
    rank = near + np.float32(CORRELATION_WEIGHT) * np.concatenate(shape)
    good = near >= cut
    if len(there):
        good &= pairwise_iou(xyxy, there).max(axis=1) < OVERLAP if len(xyxy) else good
    xyxy, near, rank = xyxy[good], near[good], rank[good]
    order = nms(xyxy, rank, iou_threshold=OVERLAP, max_boxes=MAX_PLACES) if len(xyxy) else np.zeros(0, np.int64)
    order = order[np.argsort(-near[order], kind="stable")]
    return Found(photo, xyxy[order], near[order])


def _places(project: Project, examples: list[int], image: Image) -> Boxes:
    """(M, 5) boxes and correlation of the peaks of all examples at all sizes."""
    columns = project.document.columns
    found = [np.zeros((0, 5), np.float32)]
    for row in examples:
        home = project.image(int(columns["photo"][row]))
        box = columns["xyxy"][row].astype(np.float64)
        grown = box + np.repeat(box[2:] - box[:2], 2)[[0, 2, 1, 3]] * [-SURROUND, -SURROUND, SURROUND, SURROUND]
        low = np.round(grown[:2]).astype(int).clip(0)
        high = np.round(grown[2:]).astype(int).clip(0, home.shape[1::-1])
        example = home[low[1] : high[1], low[0] : high[0]]
        if min(example.shape[:2]) < 3:
            continue
        inside = (box - np.tile(low, 2)) / np.tile(high - low, 2)  # the box within the example, as shares
        shrink = SIDE / min(example.shape[:2])
        for scale in SCALES:
            factor = min(shrink / scale, 1.0)  # of the picture; the example stays about SIDE
            small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            size = [max(3, round(v * factor * scale)) for v in example.shape[1::-1]]
            template = cv2.resize(example, size, interpolation=cv2.INTER_AREA)
            if template.shape[0] >= small.shape[0] or template.shape[1] >= small.shape[1]:
                continue
            score = cv2.matchTemplate(small, template, cv2.TM_CCOEFF_NORMED)
            score = np.where(np.isfinite(score), score, -1)
            reach = max(3, min(size) // 2) | 1
            peak = (score == cv2.dilate(score, np.ones((reach, reach), np.uint8))) & (score > MIN_CORRELATION)
            y, x = np.nonzero(peak)
            best = np.argsort(-score[y, x], kind="stable")[:MAX_PLACES]
            y, x = y[best], x[best]
            corners = (np.stack([x, y, x, y], axis=1) + inside * np.tile(size, 2)) / factor
            found.append(np.column_stack([corners, score[y, x]]).astype(np.float32))
    return np.concatenate(found)
