from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.planogram import (
    Layout,
    Slot,
    compare_layouts,
    differences_csv,
    layout_of,
    parse_planogram,
    planogram_csv,
    read_planogram,
)
from packed_scenes.aggregate.shelf import shelf_report
from packed_scenes.data import InputError
from tests.aggregate.scenes import boxes_of

BOARDS = st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9), max_size=4)


def layout(boards: list[list[str]], mark: str = "") -> Layout:
    return tuple(
        tuple(Slot(product, row, at, mark and f"{mark}{row}.{at}") for at, product in enumerate(board, start=1))
        for row, board in enumerate(boards, start=1)
    )


def products(slots: object) -> Counter[str]:
    return Counter(slot.product for slot in slots)  # type: ignore[attr-defined]


@settings(max_examples=80, deadline=None)
@given(BOARDS, BOARDS)
def test_every_facing_is_accounted_for_once(expected: list[list[str]], found: list[list[str]]) -> None:
    left, right = layout(expected), layout(found, "x")
    d = compare_layouts(left, right)
    assert Counter([a for a, _ in (*d.same, *d.moved)] + list(d.missing)) == Counter(s for b in left for s in b)
    assert Counter([b for _, b in (*d.same, *d.moved)] + list(d.extra)) == Counter(s for b in right for s in b)
    assert all(a.product == b.product for a, b in (*d.same, *d.moved))
    assert not products(d.missing) & products(d.extra)  # else it would have moved
    positions = [(a.row, a.position, b.row, b.position) for a, b in d.same]
    for one, other in itertools.pairwise(positions):
        assert one[:2] < other[:2]
        assert one[2:] < other[2:]


@settings(max_examples=40, deadline=None)
@given(BOARDS)
def test_a_shelf_agrees_with_itself(boards: list[list[str]]) -> None:
    d = compare_layouts(layout(boards), layout(boards, "x"))
    assert len(d.same) == sum(map(len, boards))
    assert (d.moved, d.missing, d.extra) == ((), (), ())
    assert d.agreement == 1


def test_planted_changes_are_named() -> None:
    plan = [["a", "a", "b", "c"], ["d", "e", "f"]]
    shelf = [["a", "a", "c"], ["d", "b", "e", "g"]]
    d = compare_layouts(layout(plan), layout(shelf, "x"))
    assert [(a.product, (a.row, a.position), (b.row, b.position)) for a, b in d.moved] == [("b", (1, 3), (2, 2))]
    assert [(s.product, s.row, s.position) for s in d.missing] == [("f", 2, 3)]
    assert [(s.product, s.object_id) for s in d.extra] == [("g", "x2.4")]
    assert d.agreement == pytest.approx(5 / 7)
    rows = list(csv.DictReader(io.StringIO(differences_csv(d))))
    assert [(row["change"], row["product"], row["to_row"]) for row in rows] == [
        ("missing", "f", ""),
        ("moved", "b", "2"),
        ("extra", "g", "2"),
    ]


def test_a_photo_that_shows_the_lower_boards_only() -> None:
    plan = [["a", "b", "c"], ["d", "e", "f"], ["g", "a", "g"]]
    d = compare_layouts(layout(plan), layout(plan[1:], "x"))
    assert d.boards == ((2, 1), (3, 2))
    assert products(d.missing) == Counter("abc")
    assert d.extra == d.moved == ()


def test_planogram_files(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_text("\ufeffRow;Position;Product;Facings\n2;1;Omo 3 l;2\n1;2; b ;\n1;1;a;3\n", encoding="utf-8")
    plan = read_planogram(file)
    assert [[s.product for s in board] for board in plan] == [["a", "a", "a", "b"], ["Omo 3 l", "Omo 3 l"]]
    assert [s.position for s in plan[0]] == [1, 2, 3, 4]
    assert parse_planogram(planogram_csv(plan)) == plan


@settings(max_examples=30, deadline=None)
@given(BOARDS)
def test_planogram_text_round_trip(boards: list[list[str]]) -> None:
    assert parse_planogram(planogram_csv(layout(boards))) == layout(boards)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'row' is missing"),
        ("row,product\n1,a\n", "'position' is missing"),
        ("row,position,product\n0,1,a\n", "line 2: row must be a whole number"),
        ("row,position,product\n1,x,a\n", "line 2: position"),
        ("row,position,product,facings\n1,1,a,99999999\n", "more than"),
        ("row,position,product\n1,1,\n", "line 2 names no product"),
        ("row,position,product\n1\n", "line 2 names no product"),
    ],
)
def test_bad_planograms_say_where(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_planogram(text)


def test_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_planogram(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x80")
    with pytest.raises(InputError) as refused:
        read_planogram(tmp_path / "b.csv")
    assert len(str(refused.value).splitlines()) == 1


def test_layout_reads_left_to_right_and_leaves_unknown_objects_out() -> None:
    objects = boxes_of(
        (100, 0, 140, 90),
        (0, 2, 40, 90),
        (50, 0, 90, 90),
        (0, 200, 40, 250),
        (0, 150, 40, 199),
        cluster=[5, 7, -1, 7, 8],
    )
    found = layout_of(shelf_report(objects, names={5: "Tea"}))
    assert [[(s.product, s.object_id) for s in board] for board in found] == [
        [("7", "1"), ("Tea", "0")],
        [("7", "3"), ("8", "4")],
    ]
    assert np.array_equal([s.position for s in found[0]], [1, 2])
