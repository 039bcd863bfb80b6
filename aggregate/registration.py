"""Two photos of one shelf: laid over each other by what both show, then compared place by place.

1. Order: boards and products are matched in order, as with a planogram. Most of these pairs are right.
2. Registration: a similarity, then a homography, from the box centres of the pairs (RANSAC); pairs of one identity that
   meet under it are added, and it is fitted again.
3. Places: facings whose boxes overlap under it and are of one identity agree. Of the rest, those that are in order on
   matched boards agree, too: a shelf that closed up behind a sale has not moved. What is left has moved, is missing or
   extra; what lies outside the other photo is neither, nor are facings of one product, such as a stack, that make up
   one box of the other photo: there the detector did not tell them apart.

Without enough pairs for a registration the order decides alone.

Memory: neighbouring pairs of boxes, and of the order the longest pair of boards.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.adjacency import Floats, rectangles
from packed_scenes.aggregate.planogram import Differences, Slot, compare_layouts, layout_of
from packed_scenes.aggregate.shelf import ShelfReport

MIN_PAIRS = 4  # pairs that agree, or there is no registration
MIN_AGREEING = 0.3  # of the pairs that agree, at least
NEAR = 0.5  # of an object's size: pairs that meet this closely agree
MIN_PAIRS_BENT = 12  # pairs for a homography; fewer bend it after single boxes
SCALES = (0.25, 4.0)  # scale from one photo to the other
MIN_IOU = 0.35  # intersection over union of two boxes of one place: neighbours reach .2 when boxes are loose
ROUNDS = 3
INSIDE = 0.75  # of a facing's area lies in the one box that shows several
MAKES_UP = 0.7  # of that box, at least, the facings take together, and each at most


@dataclass(frozen=True, eq=False)
class Registration:
    """How points of one photo lie in another: homogeneous coordinates (x, y, 1) times ``matrix`` (3, 3)."""

    matrix: Floats

    def points(self, xy: Floats) -> Floats:
        """Carry (N, 2) points over."""
        moved = np.column_stack([xy, np.ones(len(xy))]) @ self.matrix.T
        return np.asarray(moved[:, :2] / moved[:, 2:])

    def boxes(self, xyxy: Floats) -> Floats:
        """Carry (N, 4) boxes over, by the middles of their sides: a turned box does not grow."""
        middle = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        left, right = (self.points(np.column_stack([xyxy[:, at], middle[:, 1]]))[:, 0] for at in (0, 2))
        top, bottom = (self.points(np.column_stack([middle[:, 0], xyxy[:, at]]))[:, 1] for at in (1, 3))
        return np.column_stack([left, top, right, bottom])

    def inverse(self) -> Registration:
        """From the other photo to this one."""
        return Registration(np.asarray(np.linalg.inv(self.matrix), np.float64))


def register(before: Floats, after: Floats, size: Floats) -> Registration | None:
    """Find how the earlier photo lies in the later one.

    Args:
        before: (P, 2) box centres in the earlier photo.
        after: (P, 2) of what should be the same objects in the later one; many may be wrong.
        size: (P,) of the objects in the later photo, in pixels.

    Returns:
        The registration, or None if too few pairs agree on one.

    Source: RANSAC (Fischler and Bolles, 1981), as OpenCV has it; the same pairs give the same result.
    """
    import cv2

    if len(before) < MIN_PAIRS:
        return None
    reach = NEAR * float(np.median(size))
    similar, agree = cv2.estimateAffinePartial2D(
        before, after, method=cv2.RANSAC, ransacReprojThreshold=reach, maxIters=5000, confidence=0.9999
    )
    if similar is None or agree.sum() < max(MIN_PAIRS, MIN_AGREEING * len(before)):
        return None
    if not SCALES[0] <= np.hypot(similar[0, 0], similar[1, 0]) <= SCALES[1]:
        return None
    best = Registration(np.vstack([similar, [0.0, 0.0, 1.0]]))
    inliers = agree.ravel().astype(bool)
    if inliers.sum() >= MIN_PAIRS_BENT:
        bent, _ = cv2.findHomography(before, after, method=cv2.RANSAC, ransacReprojThreshold=reach)
        if bent is not None and np.linalg.det(bent) > 0:
            far = np.linalg.norm(Registration(bent).points(before) - after, axis=1)
            if (far <= reach).sum() >= inliers.sum():
                best = Registration(bent)
    return best


def compare_photos(
    before: ShelfReport, after: ShelfReport, *, sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
) -> Differences:
    """Say how a shelf has changed since an earlier photo.

    Args:
        before: the earlier photo, with identities joint with the later one's.
        after: the later photo.
        sizes: (height, width) of both in pixels: what the other photo does not show is not judged; None = all is.
    """
    old, new = layout_of(before), layout_of(after)
    order = compare_layouts(old, new)
    was, now = _places(before, old), _places(after, new)
    found = _registration(order.same, was, now)
    if found is None:
        return order
    carried = found.boxes(was.xyxy)
    back = found.inverse().boxes(now.xyxy)
    one_now, one_then = _joined(carried, was.product, now.xyxy), _joined(back, now.product, was.xyxy)
    aside_old, aside_new = one_now[0] | one_then[1], one_then[0] | one_now[1]
    pairs = [(i, j) for i, j in _at_one_place(order, carried, was, now) if i not in aside_old and j not in aside_new]
    left = sorted(set(range(len(was.slots))) - aside_old - {i for i, _ in pairs})
    right = sorted(set(range(len(now.slots))) - aside_new - {j for _, j in pairs})
    unseen = 0
    if sizes is not None:
        hidden = _outside(_middle(carried), sizes[1])
        beyond = _outside(_middle(back), sizes[0])
        unseen = sum(hidden[left].tolist()) + sum(beyond[right].tolist())
        left, right = [i for i in left if not hidden[i]], [j for j in right if not beyond[j]]
    moved = _moved(left, right, _middle(carried), _middle(now.xyxy), was, now)
    gone = set(left) - {i for i, _ in moved}
    come = set(right) - {j for _, j in moved}
    return replace(
        order,
        same=tuple((was.slots[i], now.slots[j]) for i, j in sorted(pairs)),
        moved=tuple((was.slots[i], now.slots[j]) for i, j in moved),
        missing=tuple(was.slots[i] for i in sorted(gone)),
        extra=tuple(now.slots[j] for j in sorted(come)),
        unseen=unseen,
        joined=len(one_now[0]) + len(one_then[0]),
    )


@dataclass(frozen=True, eq=False)
class _Places:
    """The facings of a layout in its order: slots, boxes, products, and the row of each object."""

    slots: list[Slot]
    xyxy: Floats
    product: list[str]
    row: dict[str, int]


def _places(report: ShelfReport, layout: Iterable[Sequence[Slot]]) -> _Places:
    slots = [slot for board in layout for slot in board]
    at = {name: row for row, name in enumerate(report.objects.object_id.tolist())}
    xyxy = report.objects.xyxy.astype(np.float64)[[at[s.object_id] for s in slots]].reshape(-1, 4)
    return _Places(slots, xyxy, [s.product for s in slots], {s.object_id: row for row, s in enumerate(slots)})


def _middle(xyxy: Floats) -> Floats:
    return (xyxy[:, :2] + xyxy[:, 2:]) / 2


def _registration(pairs: Iterable[tuple[Slot, Slot]], was: _Places, now: _Places) -> Registration | None:
    """Fit to the pairs in order and those of which there is only one; then to all that meet."""
    chosen = [(was.row[a.object_id], now.row[b.object_id]) for a, b in pairs]
    chosen += _only_ones(was, now)
    size = np.sqrt(np.prod(now.xyxy[:, 2:] - now.xyxy[:, :2], axis=1))
    found = None
    for _ in range(ROUNDS):
        rows = np.array(chosen, np.int64).reshape(-1, 2)
        better = register(_middle(was.xyxy)[rows[:, 0]], _middle(now.xyxy)[rows[:, 1]], size[rows[:, 1]])
        if better is None:
            break
        found = better
        chosen = _overlapping(found.boxes(was.xyxy), now.xyxy, was.product, now.product)
    return found


def _at_one_place(order: Differences, carried: Floats, was: _Places, now: _Places) -> list[tuple[int, int]]:
    """Rows of what stands where it stood: boxes that overlap when laid over each other; then, of the rest, those that
    are equal in the order of the boards.
    """
    pairs = _overlapping(carried, now.xyxy, was.product, now.product)
    taken_old, taken_new = {i for i, _ in pairs}, {j for _, j in pairs}
    for a, b in order.same:
        i, j = was.row[a.object_id], now.row[b.object_id]
        if i not in taken_old and j not in taken_new:
            pairs.append((i, j))
            taken_old.add(i)
            taken_new.add(j)
    return pairs


def _only_ones(was: _Places, now: _Places) -> list[tuple[int, int]]:
    """Pairs of products of which each photo shows one."""
    often = Counter(was.product), Counter(now.product)
    there = {product: at for at, product in enumerate(now.product)}
    return [(at, there[p]) for at, p in enumerate(was.product) if often[0][p] == often[1][p] == 1]


def _overlapping(a: Floats, b: Floats, names_a: Sequence[str], names_b: Sequence[str]) -> list[tuple[int, int]]:
    """Match boxes of one name that overlap, each once, those that overlap most first."""
    import shapely

    if not len(a) or not len(b):
        return []
    i, j = shapely.STRtree(rectangles(b)).query(rectangles(a))
    shared, area_a, area_b = _shared(a[i], b[j]), _area(a), _area(b)
    iou = shared / (area_a[i] + area_b[j] - shared)
    named = np.array([names_a[k] == names_b[m] for k, m in zip(i.tolist(), j.tolist(), strict=True)], np.bool_)
    keep = named & (iou >= MIN_IOU)
    i, j, iou = i[keep], j[keep], iou[keep]
    pairs: list[tuple[int, int]] = []
    left, right = set(), set()
    for k in np.lexsort((j, i, -iou)).tolist():
        if int(i[k]) not in left and int(j[k]) not in right:
            left.add(int(i[k]))
            right.add(int(j[k]))
            pairs.append((int(i[k]), int(j[k])))
    return pairs


def _joined(pieces: Floats, names: Sequence[str], whole: Floats) -> tuple[set[int], set[int]]:
    """Find several facings of one name that make up one box of the other photo.

    Args:
        pieces: (P, 4) boxes, laid over the other photo.
        names: their products.
        whole: (Q, 4) boxes of the other photo.

    Returns:
        Rows of the facings, and of the boxes.
    """
    import shapely

    if not len(pieces) or not len(whole):
        return set(), set()
    i, j = shapely.STRtree(rectangles(whole)).query(rectangles(pieces))
    shared, own, area = _shared(pieces[i], whole[j]), _area(pieces)[i], _area(whole)[j]
    keep = (shared >= INSIDE * own) & (own <= MAKES_UP * area)
    inner: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for piece, box, share in zip(i[keep].tolist(), j[keep].tolist(), (shared / area)[keep].tolist(), strict=True):
        inner[box].append((piece, share))
    joined = {
        box: {piece for piece, _ in own}
        for box, own in inner.items()
        if len(own) > 1 and sum(s for _, s in own) >= MAKES_UP and len({names[piece] for piece, _ in own}) == 1
    }
    return set().union(*joined.values()), set(joined)


def _area(xyxy: Floats) -> Floats:
    return np.asarray(np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1))


def _shared(a: Floats, b: Floats) -> Floats:
    """Areas that (N, 4) boxes share with others, row by row."""
    return np.asarray(np.prod(np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0), axis=1))


def _outside(xy: Floats, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray(((xy < 0) | (xy > np.array(size[::-1]))).any(axis=1))


def _moved(
    left: Sequence[int], right: Sequence[int], carried: Floats, middle: Floats, was: _Places, now: _Places
) -> list[tuple[int, int]]:
    """Match what is left by product, the nearest first come."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for j in right:
        waiting[now.product[j]].append(j)
    pairs = []
    for i in left:
        there = waiting[was.product[i]]
        if there:
            far = np.linalg.norm(middle[there] - carried[i], axis=1)
            pairs.append((i, there.pop(int(far.argmin()))))
    return pairs
