"""What kinds of errors a detector makes, by object size, and a picture of them.

The kinds, after TIDE (Bolya et al. 2020) but for packed scenes of one class: a *double* is a second box on an object
found already, a *merge* covers two or more objects, a *part* lies inside one object and is too small for it, a
*loose* box meets an object with too little overlap, *background* is anything else; a *miss* is a true object without
a box, *merged* if a box that covers two or more objects covers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import Objects
from packed_scenes.detect.matching import match_boxes
from packed_scenes.detect.nms import pairwise_inside, pairwise_iou

INSIDE = 0.7  # share of a box inside another that makes it covered
TOUCHED = 0.1  # IoU under which a box has nothing to do with an object
BINS = (32.0, 64.0, 128.0, 256.0)  # px, borders of the size classes (square root of area)


class Kind(StrEnum):
    """What a detection, or a true object without one, is."""

    HIT = "hit"
    IGNORED = "ignored"
    DOUBLE = "double"
    MERGE = "merge"
    PART = "part"
    LOOSE = "loose"
    BACKGROUND = "background"
    MISS = "miss"
    MERGED = "merged"


COLOURS = {
    Kind.HIT: (60, 180, 75), Kind.IGNORED: (160, 160, 160), Kind.DOUBLE: (255, 165, 0), Kind.MERGE: (145, 30, 220),
    Kind.PART: (0, 190, 230), Kind.LOOSE: (240, 220, 0), Kind.BACKGROUND: (255, 0, 200), Kind.MISS: (230, 20, 20),
    Kind.MERGED: (130, 0, 40),
}  # fmt: skip


@dataclass(frozen=True)
class Errors:
    """The kind of every detection, and of every true object (hit, miss or merged), row-aligned with both."""

    found: npt.NDArray[np.str_]
    truth: npt.NDArray[np.str_]


def find_errors(found: Objects, truth: Objects, *, ignore: npt.ArrayLike | None = None) -> Errors:
    """Sort detections (of at least the confidence of interest) and true objects into :class:`Kind`.

    Memory: a few (D, T) tables.
    """
    matched = match_boxes(found, truth, ignore=ignore)
    overlap = pairwise_iou(found.xyxy, truth.xyxy)
    covers = pairwise_inside(truth.xyxy, found.xyxy).T > INSIDE
    taken = np.isin(np.arange(len(truth)), matched.truth)
    nearest = overlap.max(1, initial=0.0)
    kinds = np.full(len(found), Kind.BACKGROUND, dtype="<U10")
    rules = (
        (Kind.LOOSE, nearest >= TOUCHED),
        (Kind.PART, (pairwise_inside(found.xyxy, truth.xyxy) > INSIDE).any(1) & (nearest < 0.5)),
        (Kind.DOUBLE, ((overlap >= 0.5) & taken[None]).any(1)),
        (Kind.MERGE, covers.sum(1) >= 2),
        (Kind.IGNORED, matched.ignored),
        (Kind.HIT, matched.truth >= 0),
    )
    for kind, rows in rules:  # a later rule overrides
        kinds[rows] = kind
    merged = covers[covers.sum(1) >= 2].any(0)
    return Errors(kinds, np.where(taken, Kind.HIT, np.where(merged, Kind.MERGED, Kind.MISS)).astype("<U10"))


def count_errors(
    scenes: Iterable[tuple[Objects, Objects, npt.ArrayLike | None]],
) -> dict[str, dict[str, int]]:
    """Count kinds over scenes, for all sizes and by size class.

    Returns:
        Size class (``"all"``, ``"<32"``, ``"32-64"``, …, px) -> kind -> count. True objects that were hit count once,
        as a hit.
    """
    names = [
        f"<{BINS[0]:.0f}",
        *(f"{a:.0f}-{b:.0f}" for a, b in pairwise(BINS)),
        f">={BINS[-1]:.0f}",
    ]
    counts = {name: Counter[str]() for name in ("all", *names)}
    for found, truth, ignore in scenes:
        errors = find_errors(found, truth, ignore=ignore)
        lost = errors.truth != Kind.HIT
        for part, kinds in ((found, errors.found), (truth.select(lost), errors.truth[lost])):
            sizes = np.digitize(np.sqrt(np.prod(part.size, axis=1)), BINS)
            for size, kind in zip(sizes, kinds, strict=True):
                counts["all"][str(kind)] += 1
                counts[names[size]][str(kind)] += 1
    return {name: dict(counter) for name, counter in counts.items()}


def draw_errors(
    image: npt.NDArray[np.uint8],
    found: Objects,
    truth: Objects,
    *,
    ignore: npt.ArrayLike | None = None,
    longest: int = 1600,
) -> npt.NDArray[np.uint8]:
    """Paint detections and lost objects in the colours of their kinds, with a legend; the RGB picture is shrunk to
    ``longest``.
    """
    scale = min(1.0, longest / max(image.shape[:2]))
    canvas = np.array(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    errors = find_errors(found, truth, ignore=ignore)
    thick = max(2, canvas.shape[1] // 500)
    for part, kinds in ((truth, errors.truth), (found, errors.found)):
        for box, kind in zip(np.rint(part.xyxy * scale).astype(int).tolist(), kinds, strict=True):
            if part is found or kind != Kind.HIT:
                cv2.rectangle(canvas, box[:2], box[2:], COLOURS[Kind(kind)], thick if part is found else 2 * thick)
    strip = np.full((30, canvas.shape[1], 3), 255, np.uint8)
    for number, (kind, colour) in enumerate(COLOURS.items()):
        place = (6 + number * canvas.shape[1] // len(COLOURS), 20)
        amount = int(np.sum(errors.found == kind) + np.sum(errors.truth[errors.truth != Kind.HIT] == kind))
        cv2.putText(
            strip, f"{kind} {amount}", place, cv2.FONT_HERSHEY_SIMPLEX, canvas.shape[1] / 2400, colour, 1, cv2.LINE_AA
        )
    return np.concatenate([canvas, strip])
