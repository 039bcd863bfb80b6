"""Following boxes from frame to frame.

Tracking by detection in its simplest form: two boxes of successive frames are one thing if each is the other's best
overlap, and the overlap is large (Bochinski et al. 2017, "High-speed tracking-by-detection without using image
information"). It holds only where frames follow each other closely: on PETS09 S2L1 (7 frames a second) 99.9 % of the
links are right at every frame, 88 % at every 5th and 71 % at every 10th. So frames whose boxes overlap little are not
followed; boxes given for the frames between those that are looked at are used to bridge them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.overlaps import pairwise_iou

MIN_IOU = 0.4  # intersection over union of a link
MAX_GAP = 12  # frames for which a thing may be hidden or missed
SPEED_WEIGHT = 0.3  # of the newest step in the running mean of the speed
MIN_TYPICAL_IOU = 0.6  # median overlap of best pairs under which the frames are too far apart

Boxes = npt.NDArray[np.floating[Any]]


def frame_of(name: str) -> tuple[str, int] | None:
    """The series and the number of a frame's name (``clip_000120`` -> ``clip_``, 120); None without a number."""
    hit = re.search(r"^(.*?)(\d+)$", Path(name).stem if "." in name else name)
    return None if hit is None else (hit[1], int(hit[2]))


def follow(frames: Mapping[str, Boxes]) -> tuple[dict[str, npt.NDArray[np.int64]], list[str]]:
    """Number the things that are followed from frame to frame.

    Args:
        frames: (N, 4) boxes by frame name; names end in the frame's number.

    Returns:
        (N,) track numbers by frame name, and a warning for each series whose frames are too far apart (there all are
        -1). Names without a number are left out.
    """
    series: dict[str, list[tuple[int, str]]] = {}
    for name in frames:
        place = frame_of(name)
        if place is not None:
            series.setdefault(place[0], []).append((place[1], name))
    tracks: dict[str, npt.NDArray[np.int64]] = {}
    warnings = []
    fresh = 0
    for label, numbered in series.items():
        names = [name for _, name in sorted(numbered)]
        overlaps = [best_pairs(frames[a], frames[b])[2] for a, b in pairwise(names)]
        typical = float(np.median(np.concatenate(overlaps))) if any(map(len, overlaps)) else 1.0
        if typical < MIN_TYPICAL_IOU:
            warnings.append(
                f"frames {label}…: boxes of successive frames overlap by {typical:.2f} only, so nothing was followed; "
                "give the boxes of the frames between, or take more frames"
            )
            tracks |= {name: np.full(len(frames[name]), -1, np.int64) for name in names}
            continue
        own, fresh = _follow([np.asarray(frames[name], np.float64) for name in names], MIN_IOU, fresh)
        tracks |= dict(zip(names, own, strict=True))
    return tracks, warnings


def _follow(frames: Sequence[Boxes], min_iou: float, fresh: int) -> tuple[list[npt.NDArray[np.int64]], int]:
    """Number the things of one series from ``fresh`` on; a thing may be unseen for ``MAX_GAP`` frames, in which it is
    expected to go on as it went.
    """
    out = []
    last, speed = np.zeros((0, 4)), np.zeros((0, 4))  # box and change per frame of the things that may come back
    name, unseen = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for boxes in frames:
        unseen = unseen + 1
        alive = unseen <= MAX_GAP
        last, speed, name, unseen = last[alive], speed[alive], name[alive], unseen[alive]
        here, seen, overlap = best_pairs(last + speed * unseen[:, None], boxes)
        here, seen = here[overlap >= min_iou], seen[overlap >= min_iou]
        own = np.full(len(boxes), -1, np.int64)
        own[seen] = name[here]
        moved = (boxes[seen] - last[here]) / unseen[here, None]
        speed[here] = (1 - SPEED_WEIGHT) * speed[here] + SPEED_WEIGHT * moved
        last[here], unseen[here] = boxes[seen], 0
        new = np.flatnonzero(own < 0)
        own[new] = fresh + np.arange(len(new))
        fresh += len(new)
        last, speed = np.concatenate([last, boxes[new]]), np.concatenate([speed, np.zeros((len(new), 4))])
        name, unseen = np.concatenate([name, own[new]]), np.concatenate([unseen, np.zeros(len(new), np.int64)])
        out.append(own)
    return out, fresh


def best_pairs(a: Boxes, b: Boxes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Rows of two sets of boxes that are each other's best overlap, and the overlap (intersection over union)."""
    if not len(a) or not len(b):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    overlap = pairwise_iou(np.asarray(a), np.asarray(b))
    best = overlap.argmax(axis=1)
    rows = np.arange(len(overlap))
    mutual = rows[(overlap.argmax(axis=0)[best] == rows) & (overlap[rows, best] > 0)]
    return mutual, best[mutual], overlap[mutual, best[mutual]]


def links_of(tracks: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """(M, 2) row pairs that share a track, rows counted over all scenes: each row with the track's next one.

    Args:
        tracks: track numbers of each scene's objects; -1 = not followed.
    """
    names = np.concatenate([np.zeros(0, np.int64), *tracks])
    order = np.argsort(names, kind="stable")
    order = order[names[order] >= 0]
    same = names[order][1:] == names[order][:-1]
    return np.column_stack([order[:-1][same], order[1:][same]]).astype(np.int64)
