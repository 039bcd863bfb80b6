from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.aggregate.shelf import gaps_csv, shelf_csv, shelf_report
from packed_scenes.data import InputError, Objects
from tests.aggregate.scenes import boxes_of, packed


def small_shelf() -> Objects:
    """Upper board: 1 1 . 2; lower board: 3 stacked twice, then an unknown one."""
    return boxes_of(
        (0, 0, 50, 100), (52, 0, 102, 100), (160, 10, 210, 100),
        (0, 200, 60, 250), (0, 150, 60, 199), (62, 160, 122, 250),
        cluster=[1, 1, 2, 3, 3, -1],
    )  # fmt: skip


def test_facings_places_and_shares() -> None:
    report = shelf_report(small_shelf(), scene="a", names={2: "Tea"})
    assert [(s.name, s.row, s.facings, s.places) for s in report.totals] == [
        ("1", 0, 2, 2),
        ("3", 0, 2, 1),
        ("Tea", 0, 1, 1),
        ("?", 0, 1, 1),
    ]
    assert [(s.row, s.name, s.facings) for s in report.lines] == [(1, "1", 2), (1, "Tea", 1), (2, "3", 2), (2, "?", 1)]
    assert report.lines[0].of_row == pytest.approx(2 / 3)
    assert report.totals[0].of_count == pytest.approx(1 / 3)
    area = 2 * 5000 + 4500 + 3000 + 60 * 49 + 60 * 90
    assert report.totals[0].of_area == pytest.approx(10000 / area)


def test_a_missing_facing_is_a_gap_between_its_neighbours() -> None:
    (gap,) = shelf_report(small_shelf()).gaps
    assert (gap.row, gap.left, gap.right, gap.room) == (1, "1", "2", 1)
    assert gap.bbox == (102, 10, 160, 100)


def test_a_wide_object_in_front_hides_no_gap_and_makes_none() -> None:
    objects = boxes_of(
        (0, 0, 300, 100), (20, 20, 60, 100), (305, 0, 355, 100), (420, 0, 470, 100), cluster=[1, 2, 3, 4]
    )
    assert [(g.left, g.right) for g in shelf_report(objects).gaps] == [("3", "4")]


@settings(max_examples=60, deadline=None)
@given(packed(clusters=4))
def test_nothing_is_lost_or_counted_twice(objects: Objects) -> None:
    report = shelf_report(objects)
    for shares in (report.lines, report.totals):
        assert sum(s.facings for s in shares) == len(objects)
        assert sum(s.of_count for s in shares) == pytest.approx(1 if len(objects) else 0)
        assert sum(s.of_area for s in shares) == pytest.approx(1 if len(objects) else 0)
        assert all(1 <= s.places <= s.facings for s in shares)
    for row in range(1, report.rows.count + 1):
        assert sum(s.of_row for s in report.lines if s.row == row) == pytest.approx(1)
    for gap in report.gaps:
        assert gap.bbox[0] < gap.bbox[2]
        assert gap.bbox[1] < gap.bbox[3]


def test_tables() -> None:
    report = shelf_report(small_shelf(), scene="a", names={2: "=cmd()", 1: '5"'})
    rows = list(csv.DictReader(io.StringIO(shelf_csv([report, report]))))
    assert len(rows) == 2 * 4
    assert [rows[0][name] for name in ("scene", "row", "cluster", "name", "facings", "share_count")] == [
        "a", "1", "1", '5"', "2", "0.3333",
    ]  # fmt: skip
    assert "'=cmd()" in {row["name"] for row in rows}  # a spreadsheet must not run it
    (gap,) = csv.DictReader(io.StringIO(gaps_csv([report])))
    assert (gap["x1"], gap["room"], gap["left"]) == ("102.0", "1", '5"')


def test_degenerate() -> None:
    empty = shelf_report(Objects.empty().replace(cluster=np.zeros(0, int)))
    assert (empty.lines, empty.totals, empty.gaps) == ((), (), ())
    with pytest.raises(InputError, match="no cluster"):
        shelf_report(Objects.empty())
