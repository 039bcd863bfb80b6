"""A picture of how a shelf differs from what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import Color
from packed_scenes.aggregate.lettering import Spot, draw_badge, place_badges
from packed_scenes.aggregate.overlay import dash_boxes, fill, line_width
from packed_scenes.aggregate.planogram import Differences, Slot
from packed_scenes.data.objects import Objects

Image = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float64]

MISSING: Color = (255, 0, 0)
MOVED: Color = (255, 150, 0)
EXTRA: Color = (0, 120, 255)
SAME: Color = (0, 200, 80)
MAX_LETTERS = 18  # letters of a product's name on the picture
MIN_MARK_SHARE = 0.6  # of a product's width: the least that its mark takes, also where its place has been closed up


@dataclass(frozen=True, eq=False)
class Mark:
    """Where a missing facing should stand: its slot and (x1, y1, x2, y2) in pixels."""

    slot: Slot
    bbox: tuple[float, float, float, float]


def draw_differences(image: Image, objects: Objects, differences: Differences) -> Image:
    """Draw what agrees (thin green), moved (orange), is extra (blue) and is missing (red dashes where it should stand).

    Args:
        image: (H, W, 3) uint8 RGB of the shelf as found.
        objects: its objects.
        differences: from :func:`packed_scenes.aggregate.planogram.compare_layouts`.

    Returns:
        A new picture of the same size. Missing facings of boards that the photo does not show are not on it.
    """
    import cv2

    drawn = np.array(image, order="C")
    grey = cv2.cvtColor(drawn, cv2.COLOR_RGB2GRAY)[..., None]
    drawn = np.asarray(drawn * 0.6 + grey * 0.4).astype(np.uint8)  # less saturated colours make the marks visible
    line = line_width(image.shape)
    boxes = _boxes(objects)
    marks = missing_marks(objects, differences)
    spots: list[Spot] = []
    for _, slot in differences.same:
        _outline(drawn, boxes[slot.object_id], SAME, max(1, line // 2))
    changed = [("moved", slot, MOVED) for _, slot in differences.moved] + [
        ("extra", slot, EXTRA) for slot in differences.extra
    ]
    for word, slot, color in changed:
        box = boxes[slot.object_id]
        fill(drawn, [box[[[0, 1], [2, 1], [2, 3], [0, 3]]]], color, 0.35)
        _outline(drawn, box, color, line)
        spots.append(Spot(f"{word} {slot.product[:MAX_LETTERS]}", color, box[None]))
    for mark in marks:
        box = np.array(mark.bbox)
        fill(drawn, [box[[[0, 1], [2, 1], [2, 3], [0, 3]]]], MISSING, 0.3)
        dash_boxes(drawn, box[None], MISSING)
        spots.append(Spot(f"missing {mark.slot.product[:MAX_LETTERS]}", MISSING, box[None]))
    for badge in place_badges(spots, drawn.shape):
        draw_badge(drawn, badge.text, badge.corner, badge.height, badge.color)
    return drawn


def missing_marks(objects: Objects, differences: Differences) -> list[Mark]:
    """Say where missing facings should stand: between the neighbours that agree on the matched board.

    They share the space between them; a mark is as high as the product elsewhere in the photo, or as its neighbours.
    """
    boxes = _boxes(objects)
    if not boxes:
        return []
    found_on = dict(differences.boards)
    sizes = _product_sizes(boxes, differences)
    marks: list[Mark] = []
    for row in sorted({slot.row for slot in differences.missing} & found_on.keys()):
        agreed = [(a, boxes[b.object_id]) for a, b in differences.same if a.row == row]
        on_board = [b for b in _slots(differences) if b.row == found_on[row]]
        typical = np.median([boxes[b.object_id] for b in on_board], axis=0)
        waiting: dict[int, list[Slot]] = {}
        for slot in sorted((s for s in differences.missing if s.row == row), key=lambda s: s.position):
            waiting.setdefault(_place(slot, agreed), []).append(slot)
        for place, slots in waiting.items():
            before = agreed[place - 1][1] if place else None
            after = agreed[place][1] if place < len(agreed) else None
            marks += _between(slots, before, after, typical, sizes)
    return marks


def _place(slot: Slot, agreed: Sequence[tuple[Slot, Boxes]]) -> int:
    """Say before which of the agreed facings one is missing: within a run of the same product, where most room is."""
    first = last = sum(a.position < slot.position for a, _ in agreed)
    while first and agreed[first - 1][0].product == slot.product:
        first -= 1
    while last < len(agreed) and agreed[last][0].product == slot.product:
        last += 1
    inner = range(max(first, 1), min(last, len(agreed) - 1) + 1)
    room = {place: float(agreed[place][1][0] - agreed[place - 1][1][2]) for place in inner}
    return max(room, key=lambda place: room[place]) if first < last and room else first


def _between(
    slots: Sequence[Slot], before: Boxes | None, after: Boxes | None, typical: Boxes, sizes: Mapping[str, Boxes]
) -> list[Mark]:
    """Lay marks side by side between two boxes, or beside the only one."""
    beside = [box for box in (before, after) if box is not None] or [typical]
    bottom = float(np.mean([box[3] for box in beside]))
    size = [sizes.get(slot.product, np.mean([box[2:] - box[:2] for box in beside], axis=0)) for slot in slots]
    widths = np.array([float(s[0]) for s in size])
    if before is not None and after is not None:
        room = float(after[0] - before[2])
        widths *= min(1.0, max(MIN_MARK_SHARE, room / widths.sum()))
        start = float(before[2] + after[0]) / 2 - widths.sum() / 2
    elif after is not None:
        start = float(after[0]) - widths.sum()
    else:
        start = float((typical if before is None else before)[2])
    edges = start + np.concatenate([[0.0], np.cumsum(widths)])
    return [
        Mark(slot, (float(edges[k]), bottom - float(size[k][1]), float(edges[k + 1]), bottom))
        for k, slot in enumerate(slots)
    ]


def _slots(differences: Differences) -> list[Slot]:
    return [b for _, b in (*differences.same, *differences.moved)] + list(differences.extra)


def _product_sizes(boxes: Mapping[str, Boxes], differences: Differences) -> dict[str, Boxes]:
    """Return the median (width, height) of each product that is in the photo."""
    by_product: dict[str, list[Boxes]] = {}
    for slot in _slots(differences):
        by_product.setdefault(slot.product, []).append(boxes[slot.object_id][2:] - boxes[slot.object_id][:2])
    return {product: np.median(sizes, axis=0) for product, sizes in by_product.items()}


def _boxes(objects: Objects) -> dict[str, Boxes]:
    return dict(zip(objects.object_id.tolist(), objects.xyxy.astype(np.float64), strict=True))


def _outline(image: Image, box: Boxes, color: Color, line: int) -> None:
    import cv2

    x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
    cv2.rectangle(image, (x1, y1), (x2, y2), (0, 0, 0), line + max(2, line // 2))
    cv2.rectangle(image, (x1, y1), (x2, y2), color, line)
