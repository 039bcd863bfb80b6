from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.adjacency import FACING, ScaleBy, adjacent_pairs, components, group_median, object_scale
from packed_scenes.data import Objects
from tests.aggregate.scenes import packed


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.floats(0, 100)), max_size=20))
def test_group_median_is_the_median_of_each_group(rows: list[tuple[int, float]]) -> None:
    group, value = np.array([g for g, _ in rows], int), np.array([v for _, v in rows], float)
    expected = [np.median(value[group == g]) for g in group]
    np.testing.assert_allclose(group_median(value, group), expected)


@settings(max_examples=60, deadline=None)
@given(packed(most=16), st.sampled_from([0.0, 0.3, 1.0]))
def test_pairs_agree_with_a_loop_over_all_pairs_when_nothing_blocks(objects: Objects, reach: float) -> None:
    kept = objects.select(objects.cluster == 0)
    xyxy, cluster = kept.xyxy.astype(float), kept.cluster
    scale = object_scale(xyxy, cluster, ScaleBy.OBJECT)
    expected = set()
    for i in range(len(kept)):
        for j in range(i + 1, len(kept)):
            low, high = np.maximum(xyxy[i, :2], xyxy[j, :2]), np.minimum(xyxy[i, 2:], xyxy[j, 2:])
            gap = low - high
            sides = np.minimum(xyxy[i, 2:] - xyxy[i, :2], xyxy[j, 2:] - xyxy[j, :2])
            if any(gap[a] <= reach * scale[i] and -gap[1 - a] >= FACING * sides[1 - a] for a in (0, 1)):
                expected.add((i, j))
    assert {tuple(sorted(pair)) for pair in adjacent_pairs(xyxy, cluster, reach=reach).pairs.tolist()} == expected


def test_bridges_are_the_gaps() -> None:
    xyxy = np.array([[0, 0, 10, 10], [12, 2, 20, 14], [0, 11, 10, 20]], float)
    links = adjacent_pairs(xyxy, np.zeros(3, int), reach=0.5)
    found = {tuple(sorted(p)): b for p, b in zip(links.pairs.tolist(), links.bridges.tolist(), strict=True)}
    assert found == {(0, 1): [10, 2, 12, 10], (0, 2): [0, 10, 10, 11], (1, 2): [10, 11, 12, 14]}


def test_components_are_numbered_by_first_row() -> None:
    assert components(5, np.array([[1, 3], [2, 4]])).tolist() == [0, 1, 2, 1, 2]
    assert components(0, np.zeros((0, 2), int)).tolist() == []
