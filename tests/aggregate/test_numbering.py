"""The number of a congregation within its cluster: most members first, equals in reading order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate import aggregate
from packed_scenes.aggregate.congregations import numbering
from tests.aggregate.scenes import boxes_of, shape_of

GROUP = st.tuples(
    st.integers(0, 2), st.integers(0, 90), st.integers(0, 90), st.integers(2, 40), st.integers(2, 40), st.integers(1, 3)
)


def naive(owner, bbox, count):
    """Clusters in order; within one, by members, row, left edge, top edge. A row begins with its highest group and
    takes the following ones while their middles lie no more than half of their own height below its middle.
    """
    order = []
    for cluster in sorted(set(owner)):
        groups = [g for g in range(len(owner)) if owner[g] == cluster]
        middle = {g: (bbox[g][1] + bbox[g][3]) / 2 for g in groups}
        row, first = {}, None
        for g in sorted(groups, key=lambda g: (middle[g], bbox[g][0])):
            if first is None or middle[g] > middle[first] + (bbox[g][3] - bbox[g][1]) / 2:
                first = g
            row[g] = middle[first]
        order += sorted(groups, key=lambda g: (-count[g], row[g], bbox[g][0], bbox[g][1]))
    return order


@settings(deadline=None)
@given(st.lists(GROUP, min_size=1, max_size=12))
def test_the_same_as_in_words(groups):
    owner = np.array([g[0] for g in groups])
    bbox = np.array([[x, y, x + w, y + h] for _, x, y, w, h, _ in groups], float)
    count = np.array([g[5] for g in groups])
    order, index = numbering(owner, bbox, count)
    key = [(owner[g], count[g], *bbox[g]) for g in order]  # groups that are equal in all may change places
    assert key == [(owner[g], count[g], *bbox[g]) for g in naive(owner.tolist(), bbox.tolist(), count.tolist())]
    for cluster in np.unique(owner):
        assert sorted(index[owner == cluster]) == list(range(1, (owner == cluster).sum() + 1))
    assert [int(index[g]) for g in order if owner[g] == owner[order[0]]] == list(
        range(1, (owner == owner[order[0]]).sum() + 1)
    )


def test_rows_of_uneven_height_read_from_left_to_right():
    # the second box stands 9 px lower than the first, less than half its height; the third 11 px lower, more
    boxes = boxes_of((300, 0, 340, 20), (0, 9, 40, 29), (150, 22, 190, 42), cluster=[5, 5, 5])
    _, found = aggregate(boxes, (100, 400), reach=0.0)
    assert [c.object_ids for c in found] == [("1",), ("0",), ("2",)]


def test_the_outline_closes_notches_up_to_the_reach():
    boxes = boxes_of((0, 0, 50, 100), (50, 50, 70, 100), (70, 0, 120, 100), cluster=[1, 1, 1])
    _, (found,) = aggregate(boxes, (200, 200))  # typical size 71: the 20 px notch is below .3 of it
    assert shape_of(found).area == pytest.approx(120 * 100)
    _, (open_,) = aggregate(boxes, (200, 200), reach=0.1)
    assert shape_of(open_).area == pytest.approx(120 * 100 - 20 * 50)


def test_the_outline_closes_what_lies_between_objects_that_do_not_face_each_other() -> None:
    """A pocket of 10 x 10 px between the first and the third, which overlap in a tenth of their height alone."""
    boxes = boxes_of((0, 0, 50, 100), (20, 100, 60, 190), (60, 90, 110, 190), cluster=[1, 1, 1])
    solid = 50 * 100 + 40 * 90 + 50 * 100
    for reach, pocket in ((0.3, 100), (0.1, 0)):  # of a size of some 70 px
        _, (found,) = aggregate(boxes, (200, 200), reach=reach)
        assert shape_of(found).area == pytest.approx(solid + pocket)


def test_a_congregation_is_a_value():
    _, (found,) = aggregate(boxes_of((1.2345, 2, 4, 6.789), cluster=[3]), (10, 10))
    assert found.bbox == (1.23, 2, 4, 6.79)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.index = 2
    assert aggregate(boxes_of((0, 0, 1, 1), cluster=[3]), (1, 1))[1][0].bbox == (0, 0, 1, 1)
