"""Which objects stand together, against the rule in its words, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.adjacency import ScaleBy, adjacent_pairs, group_median, object_scale

BOX = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(2, 30), st.integers(2, 30), st.integers(-1, 2))


def naive(xyxy, cluster, reach, scale_by):
    """Pairs of a cluster whose gap is within reach, that face each other over a third of the smaller side (or have
    their feet near), with no more than half of the gap's cross-section covered by others.
    """
    width, height = xyxy[:, 2] - xyxy[:, 0], xyxy[:, 3] - xyxy[:, 1]
    typical = np.array([np.median(np.sqrt(width * height)[cluster == c]) for c in cluster])
    scale = height if scale_by is ScaleBy.HEIGHT else typical
    found = set()
    for i in range(len(xyxy)):
        for j in range(i + 1, len(xyxy)):
            if cluster[i] != cluster[j] or cluster[i] < 0:
                continue
            s = (scale[i] + scale[j]) / 2
            low, high = np.maximum(xyxy[i, :2], xyxy[j, :2]), np.minimum(xyxy[i, 2:], xyxy[j, 2:])
            gap, smaller = low - high, np.minimum([width[i], height[i]], [width[j], height[j]])
            near, faces = gap <= reach * s, -gap >= smaller / 3
            if scale_by is ScaleBy.HEIGHT:
                joined = near[0] and abs(xyxy[i, 3] - xyxy[j, 3]) <= reach * s
            else:
                joined = (near[0] and faces[1]) or (near[1] and faces[0])
            if joined and gap.max() > 0.05 * s and covered(gap, low, high, xyxy, cluster, cluster[i]) > 0.5:
                joined = False
            if joined:
                found.add((i, j))
    return found


def covered(gap, low, high, xyxy, cluster, own):
    """The share of the gap's cross-section that others cover, sampled at half pixels of whole-pixel boxes."""
    along = int(gap.argmax())
    across = 1 - along
    start, stop = sorted((low[across], high[across]))
    first, last = sorted((low[along], high[along]))
    points = np.arange(start, stop) + 0.5
    hit = np.zeros(len(points), bool)
    for box, name in zip(xyxy, cluster, strict=True):
        if name != own and min(box[2 + along], last) > max(box[along], first):
            hit |= (points > box[across]) & (points < box[2 + across])
    return hit.mean()


@settings(max_examples=200, deadline=None)
@given(st.lists(BOX, min_size=2, max_size=9), st.sampled_from([0.0, 0.21, 0.5, 1.3]), st.sampled_from(list(ScaleBy)))
def test_the_same_as_in_words(boxes, reach, scale_by):
    xyxy = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in boxes], float)
    cluster = np.array([b[4] for b in boxes])
    links = adjacent_pairs(xyxy, cluster, reach=reach, scale_by=scale_by)
    assert {tuple(sorted(p)) for p in links.pairs.tolist()} == naive(xyxy, cluster, reach, scale_by)


def test_scale_is_the_median_size_of_the_cluster_or_the_own_height():
    xyxy = np.array([[0, 0, 4, 9], [0, 0, 4, 1], [5, 5, 30, 9], [0, 0, 7, 3]], float)
    cluster = np.array([1, 1, 1, 0])
    assert object_scale(xyxy, cluster, ScaleBy.HEIGHT).tolist() == [9, 1, 4, 3]
    assert object_scale(xyxy, cluster, ScaleBy.OBJECT) == pytest.approx([6, 6, 6, 21**0.5])
    assert group_median(np.array([3.0, 1, 2, 8]), np.array([0, 0, 1, 1])).tolist() == [2, 2, 5, 5]


def test_gaps_are_covered_each_by_itself():
    """Two pairs far from each other, both kept apart by a box across 6 of the 10 px between them; nine px lower not."""
    for down, joined in ((0, []), (9, [(0, 1), (3, 4)])):
        pair = np.array([[0, 0, 10, 10], [14, 0, 24, 10], [11, 2 + down, 13, 8 + down]], float)
        xyxy = np.concatenate([pair, pair + np.array([500, 90, 500, 90])])
        links = adjacent_pairs(xyxy, np.array([0, 0, 1, 2, 2, 1]), reach=0.5)
        assert sorted(map(tuple, links.pairs.tolist())) == joined
