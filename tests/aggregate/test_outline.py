from __future__ import annotations

import cv2
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate import aggregate
from packed_scenes.aggregate.adjacency import Links
from packed_scenes.aggregate.outline import HOLE, outlines
from tests.aggregate.scenes import boxes_of, shape_of

NO_LINKS = Links(np.zeros((0, 2), int), np.zeros((0, 4)))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.sampled_from([2, 8, 20, 40]))
def test_is_the_morphological_closing_of_the_rastered_boxes(seed: int, count: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(50, 200, (count, 2))
    xyxy = np.hstack([corner, corner + rng.integers(10, 60, (count, 2))]).astype(float)
    raster = np.zeros((300, 300), np.uint8)
    for x1, y1, x2, y2 in xyxy.astype(int):
        raster[y1:y2, x1:x2] = 1
    closed = cv2.morphologyEx(raster, cv2.MORPH_CLOSE, np.ones((side + 1, side + 1), np.uint8))
    smallest = np.sqrt(np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1)).min()
    number, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    for hole in range(1, number):
        touches_border = labels[0, 0] == hole
        if not touches_border and stats[hole, cv2.CC_STAT_AREA] < HOLE * smallest**2:
            closed[labels == hole] = 1
    group = np.zeros(count, int)
    (polygons,) = outlines(xyxy, group, group, NO_LINKS, reach=np.array([float(side)]), frame=(300, 300))
    shape = shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in polygons])
    x, y = np.meshgrid(np.arange(300) + 0.5, np.arange(300) + 0.5)
    ours = shapely.contains_xy(shape, x.ravel(), y.ravel()).reshape(300, 300)
    # GEOS leaves out dents shallower than 1 % of the distance: whole pixels must agree
    assert np.count_nonzero(ours != closed.astype(bool)) == 0


def test_pieces_cut_off_from_every_member_are_dropped() -> None:
    xyxy = np.array([[0, 0, 50, 100], [90, 0, 140, 100], [50, 20, 90, 60]], float)
    links = Links(np.array([[0, 1]]), np.array([[50.0, 0, 90, 100]]))
    (polygons, other) = outlines(
        xyxy, np.array([0, 0, 1]), np.array([0, 0, 1]), links, reach=np.array([45.0, 45.0]), frame=(200, 200)
    )
    shape = shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in polygons])
    assert shape.area == 140 * 100 - 40 * 40
    assert len(polygons) == 1
    assert len(polygons[0]) == 2  # the other's object is a hole
    assert set(other[0][0]) == {(50, 20), (90, 20), (90, 60), (50, 60)}


def test_coordinates_have_two_decimals_and_each_edge_is_clipped() -> None:
    _, (found,) = aggregate(boxes_of((-3, 1.23456, 10, 20.98765), cluster=[1]), (30, 30))
    assert {point for ring in found.polygons[0] for point in ring} == {(0, 1.23), (0, 20.99), (10, 20.99), (10, 1.23)}
    for box, clipped in (
        ((3, -5, 10, 20), (3, 0, 10, 20)),
        ((-3, -5, 10, 20), (0, 0, 10, 20)),
        ((3, 5, 60, 20), (3, 5, 50, 20)),
        ((3, 5, 10, 40), (3, 5, 10, 30)),
    ):
        _, (found,) = aggregate(boxes_of(box, cluster=[1]), (30, 50))
        assert shape_of(found).bounds == clipped


def test_a_hole_smaller_than_a_quarter_of_the_smallest_object_is_filled() -> None:
    def frame(side: float) -> list[tuple[float, float, float, float]]:  # four boxes around a square hole
        return [
            (0, 0, 100, 40),
            (0, 40 + side, 100, 80 + side),
            (0, 40, 30, 40 + side),
            (30 + side, 40, 100, 40 + side),
        ]

    for side, rings in ((6, 1), (36, 2)):
        _, found = aggregate(boxes_of(*frame(side), cluster=[1] * 4), (200, 200), reach=0.0)
        (one,) = found
        assert [len(polygon) for polygon in one.polygons] == [rings], side


def outlined(xyxy: list[tuple[float, ...]], group: list[int], links: Links, reach: float) -> shapely.MultiPolygon:
    """The outline of group 0, each group being a cluster."""
    of, every = np.array(group), [reach] * (max(group) + 1)
    found = outlines(np.array(xyxy, float), of, of, links, reach=np.array(every), frame=(9000, 9000))[0]
    return shapely.MultiPolygon([(rings[0], list(rings[1:])) for rings in found])


def test_what_lies_between_linked_objects_is_filled_and_dropped_where_others_part_it_from_both() -> None:
    pair = [(0, 0, 50, 100), (90, 0, 140, 100)]
    links = Links(np.array([[0, 1]]), np.array([[50.0, 0, 90, 100]]))
    assert outlined(pair, [0, 0], links, 10).area == 140 * 100  # the gap is wider than what the closing reaches
    others = [(50, 0, 60, 100), (80, 0, 90, 100)]
    found = outlined(pair + others, [0, 0, 1, 2], links, 10)
    assert found.area == 2 * 50 * 100  # 60 ... 80 touches neither
    assert len(found.geoms) == 2
    below, above_it = (0, 100, 140, 120), (50, 90, 90, 100)  # the two are one piece now, what is dropped the second
    found = outlined([*pair, below, *others, above_it], [0, 0, 0, 1, 2, 3], links, 10)
    assert found.area == 2 * 50 * 100 + 140 * 20


def test_what_only_touches_the_picture_has_no_outline() -> None:
    (found,) = outlines(
        np.array([[-10.0, 5, 0, 20]]), np.zeros(1, int), np.zeros(1, int), NO_LINKS, reach=np.ones(1), frame=(30, 30)
    )
    assert found == ()
