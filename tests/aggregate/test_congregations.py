from __future__ import annotations

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate import DEFAULT_REACH, ScaleBy, aggregate
from packed_scenes.data import InputError, Objects
from tests.aggregate.scenes import FRAME, boxes_of, members, packed, shape_of

REACH = st.sampled_from([0.0, 0.1, DEFAULT_REACH, 0.7, 3.0])


@settings(max_examples=60, deadline=None)
@given(packed(), REACH, st.sampled_from(list(ScaleBy)))
def test_every_object_but_noise_is_in_exactly_one_congregation(
    objects: Objects, reach: float, scale_by: ScaleBy
) -> None:
    grouped, found = aggregate(objects, FRAME, reach=reach, scale_by=scale_by)
    listed = [name for c in found for name in c.object_ids]
    assert sorted(listed) == sorted(objects.object_id[objects.cluster >= 0])
    row = {name: at for at, name in enumerate(grouped.object_id.tolist())}
    for c in found:
        rows = [row[name] for name in c.object_ids]
        assert set(grouped.cluster[rows]) == {c.cluster}
        assert set(grouped.congregation[rows]) == {c.index}
    assert (grouped.congregation[objects.cluster < 0] == -1).all()
    assert grouped.replace(congregation=None) == objects


@settings(max_examples=60, deadline=None)
@given(packed(), REACH)
def test_the_outline_holds_its_members_and_never_covers_others_between_them(objects: Objects, reach: float) -> None:
    _, found = aggregate(objects, (10_000, 10_000), reach=reach)
    boxes = dict(zip(objects.object_id.tolist(), shapely.box(*objects.xyxy.astype(float).T), strict=True))
    cluster = dict(zip(objects.object_id.tolist(), objects.cluster.tolist(), strict=True))
    for c in found:
        shape, own = shape_of(c), shapely.union_all([boxes[name] for name in c.object_ids])
        assert shape.is_valid
        assert own.difference(shape).area < 1
        bridge = shape.difference(own)
        for name, box in boxes.items():
            if cluster[name] != c.cluster:
                assert bridge.intersection(box).area < 1


@settings(max_examples=40, deadline=None)
@given(packed(), REACH, st.integers(-50, 200), st.integers(-50, 200), st.sampled_from([0.5, 2.0, 4.0]))
def test_moves_and_scales_with_the_picture(objects: Objects, reach: float, dx: int, dy: int, zoom: float) -> None:
    moved = objects.replace(xyxy=(objects.xyxy + np.array([dx, dy, dx, dy])) * zoom)
    _, here = aggregate(objects, (5000, 5000), reach=reach)
    there_objects, there = aggregate(moved, (5000, 5000), reach=reach)
    assert members(here) == members(there)
    if min(dx, dy) >= 0:
        assert [c.label for c in here] == [c.label for c in there]
        for a, b in zip(here, there, strict=True):
            expected = shapely.transform(shape_of(a), lambda p: (p + np.array([dx, dy])) * zoom)
            assert expected.symmetric_difference(shape_of(b)).area <= 0.02 * zoom**2 * (1 + expected.length / zoom)
    assert len(there_objects) == len(objects)


@settings(max_examples=40, deadline=None)
@given(packed(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(objects: Objects, random: object) -> None:
    order = np.arange(len(objects))
    random.shuffle(order)  # type: ignore[attr-defined]
    _, here = aggregate(objects, FRAME)
    _, there = aggregate(objects.select(order), FRAME)
    assert members(here) == members(there)
    assert [(c.label, c.bbox, c.polygons) for c in here] == [(c.label, c.bbox, c.polygons) for c in there]


@settings(max_examples=40, deadline=None)
@given(packed(clusters=1))
def test_a_longer_reach_only_joins(objects: Objects) -> None:
    alone = objects.select(objects.cluster >= 0)  # others in between may not block the longer reach
    finer, coarser = (members(aggregate(alone, FRAME, reach=reach)[1]) for reach in (0.2, 0.8))
    for cluster, group in finer:
        assert any(cluster == other and group <= larger for other, larger in coarser)


def test_gap_of_a_missing_facing_separates_and_labels_follow_the_reference() -> None:
    objects = boxes_of((0, 0, 60, 100), (62, 0, 122, 100), (190, 0, 250, 100), (300, 0, 360, 90), cluster=[4, 4, 4, 7])
    grouped, found = aggregate(objects, (100, 400))
    assert [(c.label, c.index, c.object_ids) for c in found] == [
        ("4_1", 1, ("0", "1")),
        ("4_2", 2, ("2",)),
        ("7", 1, ("3",)),
    ]
    assert grouped.congregation.tolist() == [1, 1, 2, 1]
    assert found[0].bbox == (0, 0, 122, 100)
    assert set(found[0].polygons[0][0]) == {(0, 0), (0, 100), (122, 100), (122, 0)}


def test_numbers_go_by_members_then_in_reading_order() -> None:
    single = [(200, 8, 240, 48), (0, 0, 40, 40), (100, 300, 140, 340), (0, 296, 40, 336)]
    pair = [(300, 600, 340, 640), (342, 600, 382, 640)]
    _, found = aggregate(boxes_of(*single, *pair, cluster=[2] * 6), (700, 500))
    assert [c.object_ids for c in found] == [("4", "5"), ("1",), ("0",), ("3",), ("2",)]


@pytest.mark.parametrize("other", [9, -1])
def test_an_object_between_keeps_two_groups_apart(other: int) -> None:
    a, b = (0, 0, 100, 200), (128, 0, 228, 200)
    assert len(aggregate(boxes_of(a, b, cluster=[1, 1]), (200, 300))[1]) == 1
    thin, short = (101, 20, 127, 200), (101, 140, 127, 200)
    _, apart = aggregate(boxes_of(a, b, thin, cluster=[1, 1, other]), (200, 300))
    assert len([c for c in apart if c.cluster == 1]) == 2
    _, joined = aggregate(boxes_of(a, b, short, cluster=[1, 1, other]), (200, 300))
    (group,) = (c for c in joined if c.cluster == 1)
    assert shape_of(group).area == pytest.approx(2 * 100 * 200 + 28 * 200 - 26 * 60, abs=1)


def test_two_objects_share_the_gap_and_neither_is_counted_twice() -> None:
    a, b = (0, 0, 100, 200), (128, 0, 228, 200)
    overlapping = [(101, 0, 120, 80), (110, 20, 127, 90)]  # 90 of 200: less than half, though 80 + 70 is more
    assert len({c.label for c in aggregate(boxes_of(a, b, *overlapping, cluster=[1, 1, 2, 3]), (200, 300))[1]}) == 3
    third = [*overlapping, (101, 150, 127, 200)]
    _, found = aggregate(boxes_of(a, b, *third, cluster=[1, 1, 2, 3, 4]), (200, 300))
    assert [c.label for c in found if c.cluster == 1] == ["1_1", "1_2"]


def test_corners_that_touch_do_not_join_but_faces_do() -> None:
    diagonal = boxes_of((0, 0, 100, 100), (98, 98, 198, 198), cluster=[1, 1])
    assert len(aggregate(diagonal, (200, 200))[1]) == 2
    shifted = boxes_of((0, 0, 100, 100), (102, 60, 202, 160), cluster=[1, 1])
    assert len(aggregate(shifted, (200, 300))[1]) == 1


def test_a_missing_object_in_the_middle_stays_a_hole_and_a_crack_does_not() -> None:
    ring = [(x, y, x + 50, y + 50) for x in (0, 50, 100) for y in (0, 50, 100) if (x, y) != (50, 50)]
    _, (found,) = aggregate(boxes_of(*ring, cluster=[1] * 8), (200, 200))
    assert [len(polygon) for polygon in found.polygons] == [2]
    cracked = [(x * 0.9 + 5, y * 0.9 + 5, x * 0.9 + 55, y * 0.9 + 55) for x, y, _, _ in [*ring, (50, 50, 0, 0)]]
    _, (whole,) = aggregate(boxes_of(*cracked, cluster=[1] * 9), (200, 200))
    assert [len(polygon) for polygon in whole.polygons] == [1]


def test_height_mode_joins_people_whose_feet_are_near() -> None:
    near = boxes_of((0, 0, 40, 100), (60, 10, 100, 110), (102, 60, 142, 160), cluster=[0, 0, 0])
    _, found = aggregate(near, (300, 300), scale_by="height")
    assert [c.object_ids for c in found] == [("0", "1"), ("2",)]
    far = boxes_of((0, 0, 4, 10), (6, 1, 10, 11), (60, 10, 100, 110), cluster=[0, 0, 0])  # small ones stand far away
    _, found = aggregate(far, (300, 300), scale_by=ScaleBy.HEIGHT)
    assert [c.object_ids for c in found] == [("0", "1"), ("2",)]


def test_degenerate_scenes() -> None:
    nothing, none_found = aggregate(Objects.empty().replace(cluster=np.zeros(0, int)), (10, 10))
    assert len(nothing) == 0
    assert none_found == []
    noise, none_found = aggregate(boxes_of((0, 0, 5, 5), (5, 0, 9, 9), cluster=[-1, -1]), (10, 10))
    assert noise.congregation.tolist() == [-1, -1]
    assert none_found == []
    _, (one,) = aggregate(boxes_of((1, 2, 4, 6), cluster=[3]), (10, 10))
    assert one.label == "3"
    assert one.bbox == (1, 2, 4, 6)


def test_outlines_are_clipped_to_the_picture() -> None:
    objects = boxes_of((-10, -5, 30, 40), (28, 0, 70, 45), (200, 200, 220, 220), cluster=[1, 1, 2])
    _, (inside, outside) = aggregate(objects, (40, 50))
    assert inside.bbox == (0, 0, 50, 40)
    assert shape_of(inside).bounds == (0, 0, 50, 40)
    assert outside.polygons == ()
    assert outside.object_ids == ("2",)
    json.dumps([inside.to_json(), outside.to_json()], allow_nan=False)


@pytest.mark.slow
def test_three_thousand_objects() -> None:
    x, y = (v.ravel() for v in np.meshgrid(np.arange(75) * 52.0, np.arange(40) * 90.0))
    boxes = np.stack([x, y, x + 50, y + 80], axis=1)
    for cluster in (np.zeros(3000, int), np.arange(3000), np.arange(3000) // 5):
        grouped, found = aggregate(Objects.from_boxes(boxes, cluster=cluster), (4000, 4000))
        assert len(found) == len(np.unique(cluster))
        assert (grouped.congregation == 1).all()


def test_bad_options_name_themselves() -> None:
    objects = boxes_of((0, 0, 5, 5), cluster=[0])
    for message, options in (
        ("reach", {"reach": -1}),
        ("reach", {"reach": float("nan")}),
        ("scale_by", {"scale_by": "width"}),
    ):
        with pytest.raises(InputError, match=message):
            aggregate(objects, (10, 10), **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="image_size"):
        aggregate(objects, (0, 10))
    with pytest.raises(InputError, match="no cluster"):
        aggregate(objects.replace(cluster=None), (10, 10))
