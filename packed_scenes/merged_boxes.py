"""Split boxes around two copies of an object, by the self-similarity of the picture inside the box.

A detector that takes a stack of two for one tall object does so for all of a kind, so that no box of the right size
stands beside it. The picture shows it: between two copies it repeats after half the box. That alone is true of many a
plain package; a box is split where the detector also gave one of the halves a low score, and where it has the size of
a box that was split so and its appearance, or halves that are the same. A copy of a box that was split is split, too,
whatever its own halves show: the same stack in other light must not stay one object.

Parameters were chosen on generated scenes (20 walls of stacks, 16 mixed ones); figures stand in ``detect/README.md``.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.adjacency import rectangles
from packed_scenes.data.objects import Objects
from packed_scenes.data.overlaps import pairwise_iou

MIN_SCORE = 0.3  # score from which a box may be the first of its kind
MIN_SIDE = 24  # px of a half under which correlation means little: halves of a nucleus are similar
HALF_IOU = 0.52  # IoU from which another box is one of the halves; the whole has .5
MIN_CORRELATION = 0.6  # of the picture with itself, half a box further
MIN_COSINE = 0.68  # between the halves' vectors
MAX_SIZE_RATIO = 0.25  # log ratio of sides up to which a box has the size of one that was split,
MIN_KIND_COSINE = 0.6  # and cosine from which it has its appearance: nine in ten pairs of one identity reach it
COPY_COSINE = 0.75  # from which a box of that size is a copy
SAME = 0.9  # correlation and cosine from which the size is enough
LENGTH, NARROWEST = 96, 16  # px to which a box is brought, along and across
SHORTEST, SHIFT = 40, 4  # px of these after which the picture may repeat (at most LENGTH - 40), and sideways

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]
Embed = Callable[[Image, Boxes], npt.NDArray[np.float32]]


def split_merged(image: Image, objects: Objects, low_score_objects: Objects, embed: Embed) -> Objects:
    """Replace boxes around two copies, one over or beside the other, by their halves, which keep the score.

    Args:
        image: (H, W, 3) RGB uint8.
        objects: what was found in it, with scores and embeddings.
        low_score_objects: detections below the confidence; they show where halves are, and are not split.
        embed: gives the unit vectors of boxes.

    Returns:
        The objects, best first, with ids "0", "1", …; the same object where nothing is split.
    """
    if not len(objects) or objects.embedding is None:
        return objects
    found = np.concatenate([objects.xyxy, low_score_objects.xyxy])
    wholes: list[npt.NDArray[np.intp]] = []
    halves: list[Boxes] = []
    vectors: list[npt.NDArray[np.float32]] = []
    width = objects.embedding.shape[1]
    for axis, needed in (
        (1, 1),
        (0, 2),
    ):  # many objects are symmetric left to right: there, both halves must be detected
        parts = cut(objects.xyxy, axis)
        large = (parts[:, 0, 2:] - parts[:, 0, :2]).min(1) >= MIN_SIDE
        rows = np.flatnonzero(large & (objects.score >= MIN_SCORE))
        rows = rows[_halves_detected(parts[rows], found) >= needed]
        rows, first, _ = _repeating(image, parts, rows, axis, embed, width)
        kin = _kin(objects, rows)
        similar = np.setdiff1d(np.flatnonzero(large & (kin > -np.inf)), rows)
        similar, second, worst = _repeating(image, parts, similar, axis, embed, width)
        accepted = (kin[similar] > MIN_KIND_COSINE) | (worst > SAME)
        rows = np.concatenate([rows, similar[accepted]])
        copies = np.setdiff1d(np.flatnonzero(large & (_kin(objects, rows) > COPY_COSINE)), rows)
        third = embed(image, parts[copies].reshape(-1, 4)).reshape(-1, 2, width)
        rows = np.concatenate([rows, copies])
        wholes.append(rows)
        halves.append(parts[rows])
        vectors.append(np.concatenate([first, second[accepted], third]))
    return _replaced(objects, np.concatenate(wholes), np.concatenate(halves), np.concatenate(vectors))


def cut(xyxy: Boxes, axis: int) -> Boxes:
    """The (N, 2, 4) halves of (N, 4) boxes: left and right (0), upper and lower (1)."""
    halves = np.repeat(xyxy[:, None], 2, axis=1)
    halves[:, 0, axis + 2] = halves[:, 1, axis] = (xyxy[:, axis] + xyxy[:, axis + 2]) / 2
    return halves


def self_correlation(image: Image, box: npt.NDArray[np.float32], axis: int) -> float:
    """How well the picture in a box correlates with itself half a box further, at the best of a few shifts: -1 to 1.

    Args:
        image: (H, W, 3).
        box: (4,) pixels.
        axis: 0 = to the right, 1 = down.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.clip(np.round(box), 0, [width, height, width, height]).astype(int).tolist()
    crop = image[y1:y2, x1:x2]
    if min(crop.shape[:2]) < 8:
        return -1.0
    if axis == 0:
        crop = np.ascontiguousarray(crop.transpose(1, 0, 2))
    across = int(np.clip(round(crop.shape[1] * LENGTH / crop.shape[0]), NARROWEST, LENGTH))
    small = cv2.resize(crop, (across, LENGTH), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 1)
    found = cv2.matchTemplate(small[SHORTEST:], small[:SHORTEST, SHIFT:-SHIFT], cv2.TM_CCOEFF_NORMED)
    return float(found.max())


def _repeating(
    image: Image, halves: Boxes, rows: npt.NDArray[np.intp], axis: int, embed: Embed, width: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Which of some rows show the same object twice; with the (K, 2, D) vectors of their halves, and the smaller of
    correlation and cosine.
    """
    whole = np.concatenate([halves[rows, 0, :2], halves[rows, 1, 2:]], axis=1)
    correlation = np.array([self_correlation(image, box, axis) for box in whole])
    kept = correlation > MIN_CORRELATION
    rows, correlation = rows[kept], correlation[kept]
    vectors = embed(image, halves[rows].reshape(-1, 4)).reshape(-1, 2, width)
    cosine = (vectors[:, 0] * vectors[:, 1]).sum(1)
    kept = cosine > MIN_COSINE
    return rows[kept], vectors[kept], np.minimum(correlation, cosine)[kept]


def _halves_detected(halves: Boxes, found: Boxes) -> npt.NDArray[np.int64]:
    """How many of the halves (N, 2, 4) are among the found boxes (M, 4); only overlapping pairs are compared."""
    import shapely

    pieces, others = (rectangles(b.reshape(-1, 4).astype(np.float64)) for b in (halves, found))
    i, j = shapely.STRtree(others).query(pieces)
    shared = shapely.area(shapely.intersection(pieces[i], others[j]))
    covered = i[shared > HALF_IOU * (shapely.area(pieces[i]) + shapely.area(others[j]) - shared)]
    return np.bincount(np.unique(covered) // 2, minlength=len(halves))


def _kin(objects: Objects, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """(N,) the largest cosine to some rows of the same size, -inf where there are none; N x D at a time."""
    assert objects.embedding is not None
    side = np.log(np.maximum(objects.xyxy[:, 2:] - objects.xyxy[:, :2], 1e-3)).astype(np.float64)
    kin = np.full(len(objects), -np.inf, np.float32)
    for row in rows:
        same_size = (np.abs(side - side[row]) < MAX_SIZE_RATIO).all(1)
        cosine = objects.embedding[same_size] @ objects.embedding[row]
        kin[same_size] = np.maximum(kin[same_size], cosine)
    return kin


def _replaced(
    objects: Objects, wholes: npt.NDArray[np.intp], halves: Boxes, vectors: npt.NDArray[np.float32]
) -> Objects:
    """The objects with halves instead of wholes; a half takes the place of a box that it covers."""
    wholes, first = np.unique(wholes, return_index=True)
    if not len(wholes):
        return objects
    halves = halves[first].reshape(-1, 4)
    kept = np.ones(len(objects), bool)
    kept[wholes] = False
    kept[kept] = pairwise_iou(objects.xyxy[kept], halves).max(1) < HALF_IOU
    new = Objects.from_boxes(
        halves, score=np.repeat(objects.score[wholes], 2), class_id=np.repeat(objects.class_id[wholes], 2),
        object_id=_ids(len(halves), "half"), embedding=vectors[first].reshape(len(halves), vectors.shape[2]),
    )  # fmt: skip
    joined = Objects.concat([objects.select(kept), new])
    joined = joined.select(np.argsort(-joined.score, kind="stable"))
    return joined.replace(object_id=_ids(len(joined), ""))


def _ids(count: int, kind: str) -> npt.NDArray[np.str_]:
    return np.array([f"{kind}{i}" for i in range(count)], np.str_)
