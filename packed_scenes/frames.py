"""Frames of a video, or of a folder that holds one: taking every n-th, and following boxes from frame to frame.

Following is tracking by detection in its simplest form: two boxes of successive frames are one thing if each is the
other's best overlap, and the overlap is large (Bochinski et al. 2017, "High-speed tracking-by-detection without using
image information"). It holds only where frames follow each other closely: on PETS09 S2L1 (7 frames a second) 99.9 %
of the links are right at every frame, 88 % at every 5th and 71 % at every 10th. So it says no where boxes overlap
little; boxes given for the frames between those that are looked at are used to bridge them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import list_images, sha256_file, write_json

VIDEOS = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm"})
LEAST = 0.4  # intersection over union of a link
PATIENCE = 12  # frames for which a thing may be hidden or missed
NEWS = 0.3  # part of the newest step in the speed
TYPICAL = 0.6  # median overlap of best pairs under which the frames are too far apart

Boxes = npt.NDArray[np.floating[Any]]


def is_video(path: str | Path) -> bool:
    """Whether a file name is one of a video."""
    return Path(path).suffix.lower() in VIDEOS


def extract_frames(
    video: str | Path, folder: Path, *, every: int = 1, warn: Callable[[str], None] | None = None
) -> list[Path]:
    """Write every n-th frame as ``STEM_000120.png``; frames that an earlier call has written are kept.

    Args:
        video: the file.
        folder: where the frames go; they stay, since overlays are drawn from them.
        every: take frames 0, n, 2n …
        warn: receives a line if the video ends early.

    Returns:
        The files, in order.

    Memory: one frame.

    Raises:
        InputError: if the video cannot be read, or ``every`` is below 1.
    """
    from packed_scenes.data.images import write_image
    from packed_scenes.data.video import read_video

    path = Path(video)
    about = {"sha256": sha256_file(path), "every": every}
    list_file = folder / f"{path.stem}.json"
    try:
        found = json.loads(list_file.read_text("utf-8"))
        names = [folder / name for name in found.pop("frames")]
        if found == about and all(name.is_file() for name in names):
            return names
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    names = []
    for number, frame in read_video(path, every=every, warn=warn):
        names.append(folder / f"{path.stem}_{number:06d}.png")
        write_image(names[-1], frame)
    write_json(list_file, {**about, "frames": [name.name for name in names]})
    return names


def choose(
    pictures: Sequence[str | Path], folder: Path, *, every: int = 1, warn: Callable[[str], None] | None = None
) -> list[str | Path]:
    """Put the frames of videos in their place, and take every n-th picture of folders; the rest stays as it is.

    Args:
        pictures: files, folders, URLs.
        folder: where the frames of videos are written.
        every: take frames (and pictures of a folder) 0, n, 2n …
        warn: receives lines about videos that end early.

    Raises:
        InputError: if a video cannot be read, a folder holds no picture, or ``every`` is below 1.
    """
    if every < 1:
        raise InputError(f"every must be at least 1, got {every}", remedy="Use 1 for all frames.")
    found: list[str | Path] = []
    for item in pictures:
        if not (isinstance(item, str) and "://" in item):
            if is_video(item):
                found += extract_frames(item, folder, every=every, warn=warn)
                continue
            if every > 1 and Path(item).is_dir():
                found += list_images([item])[::every]
                continue
        found.append(item)
    return found


def frame_of(name: str) -> tuple[str, int] | None:
    """The series and the number of a frame's name (``clip_000120`` -> ``clip_``, 120); None without a number."""
    hit = re.search(r"^(.*?)(\d+)$", Path(name).stem if "." in name else name)
    return None if hit is None else (hit[1], int(hit[2]))


def follow(frames: Mapping[str, Boxes], *, least: float = LEAST) -> tuple[dict[str, npt.NDArray[np.int64]], list[str]]:
    """Number the things that are followed from frame to frame.

    Args:
        frames: (N, 4) boxes by frame name; names end in the frame's number.
        least: lowest overlap (intersection over union) of two boxes of one thing.

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
        if typical < TYPICAL:
            warnings.append(
                f"frames {label}…: boxes of successive frames overlap by {typical:.2f} only, so nothing was followed; "
                "give the boxes of the frames between, or take more frames"
            )
            tracks |= {name: np.full(len(frames[name]), -1, np.int64) for name in names}
            continue
        own, fresh = _follow([np.asarray(frames[name], np.float64) for name in names], least, fresh)
        tracks |= dict(zip(names, own, strict=True))
    return tracks, warnings


def _follow(frames: Sequence[Boxes], least: float, fresh: int) -> tuple[list[npt.NDArray[np.int64]], int]:
    """Number the things of one series from ``fresh`` on; a thing may be unseen for ``PATIENCE`` frames, in which it is
    expected to go on as it went.
    """
    out = []
    last, speed = np.zeros((0, 4)), np.zeros((0, 4))  # box and change per frame of the things that may come back
    name, unseen = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for boxes in frames:
        unseen = unseen + 1
        alive = unseen <= PATIENCE
        last, speed, name, unseen = last[alive], speed[alive], name[alive], unseen[alive]
        here, seen, overlap = best_pairs(last + speed * unseen[:, None], boxes)
        here, seen = here[overlap >= least], seen[overlap >= least]
        own = np.full(len(boxes), -1, np.int64)
        own[seen] = name[here]
        moved = (boxes[seen] - last[here]) / unseen[here, None]
        speed[here] = (1 - NEWS) * speed[here] + NEWS * moved
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
    one, two = np.asarray(a, np.float64), np.asarray(b, np.float64)
    low = np.maximum(one[:, None, :2], two[None, :, :2])
    high = np.minimum(one[:, None, 2:], two[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    area = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, two)]
    overlap = common / (area[0][:, None] + area[1][None] - common)
    best = overlap.argmax(axis=1)
    rows = np.arange(len(one))
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
