from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.difference import EXTRA, MISSING, MOVED, SAME, draw_differences, missing_marks
from packed_scenes.aggregate.planogram import Differences, compare_layouts, layout_of, parse_planogram
from packed_scenes.aggregate.shelf import shelf_report
from packed_scenes.data import Objects
from tests.aggregate.scenes import boxes_of, packed


def shelf() -> Objects:
    """One board: 1 1 . 1 2 3."""
    return boxes_of(*[(x, 50, x + 50, 150) for x in (0, 50, 150, 200, 250)], cluster=[1, 1, 1, 2, 3])


def against(objects: Objects, products: str) -> Differences:
    lines = "\n".join(f"1,{at},{product}" for at, product in enumerate(products, start=1))
    return compare_layouts(parse_planogram(f"row,position,product\n{lines}\n"), layout_of(shelf_report(objects)))


def test_a_missing_facing_is_marked_where_its_run_has_room() -> None:
    (mark,) = missing_marks(shelf(), against(shelf(), "111123"))
    assert mark.slot.product == "1"
    assert mark.bbox == (100, 50, 150, 150)


def test_missing_ones_at_the_ends_and_in_a_closed_place() -> None:
    marks = {m.slot.product: m.bbox for m in missing_marks(shelf(), against(shelf(), "9111283"))}
    assert marks["9"] == (-50, 50, 0, 150)
    assert marks["8"] == (235, 50, 265, 150)  # 60 % of its width, over the seam
    (last,) = missing_marks(shelf(), against(shelf(), "111237"))
    assert last.bbox == (300, 50, 350, 150)


def test_colours_say_what_happened() -> None:
    image = np.full((200, 400, 3), 120, np.uint8)
    drawn = draw_differences(image, shelf(), against(shelf(), "31112"))
    pixels = {tuple(p) for p in drawn.reshape(-1, 3).tolist()}
    assert MOVED in pixels
    assert SAME in pixels
    assert MISSING not in pixels
    assert EXTRA not in pixels
    assert (image == 120).all()
    more = draw_differences(image, shelf(), against(shelf(), "11112"))
    assert {MISSING, EXTRA} <= {tuple(p) for p in more.reshape(-1, 3).tolist()}


@settings(max_examples=25, deadline=None)
@given(packed(clusters=3), st.text("0123", max_size=8))
def test_any_shelf_can_be_compared_and_drawn(objects: Objects, products: str) -> None:
    differences = against(objects, products)
    image = np.zeros((300, 300, 3), np.uint8)
    assert draw_differences(image, objects, differences).shape == image.shape
    found_rows = dict(differences.boards)
    expected = sum(slot.row in found_rows for slot in differences.missing) if len(objects) else 0
    assert len(missing_marks(objects, differences)) == expected
