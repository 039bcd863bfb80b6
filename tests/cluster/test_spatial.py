from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.cluster import AverageLinkage
from packed_scenes.cluster.dense import cosine_distances
from packed_scenes.cluster.spatial import SAME_SIZE, SIDE_GAP, STACK_GAP, neighbouring, patches, spatial_distances
from tests.cluster.synthetic import scene_vectors

# three in a row, one on top of the second, one far away, one beside but twice as high
BOXES = np.array(
    [
        [0, 100, 50, 200], [55, 100, 105, 200], [112, 102, 160, 198],
        [56, 0, 104, 95], [600, 100, 650, 200], [165, 0, 215, 200],
    ],
    float,
)  # fmt: skip


def pairs(xyxy: np.ndarray) -> list[tuple[int, int]]:
    one, two = neighbouring(xyxy)
    return list(zip(one.tolist(), two.tolist(), strict=True))


def naive(xyxy: np.ndarray) -> list[tuple[int, int]]:
    """Every box with every other, by the rule as it is written down."""
    found = []
    for i, j in combinations(range(len(xyxy)), 2):
        size = np.maximum(np.array([xyxy[k][2:] - xyxy[k][:2] for k in (i, j)]), 1e-9)
        overlap = np.minimum(xyxy[i][2:], xyxy[j][2:]) - np.maximum(xyxy[i][:2], xyxy[j][:2])
        share, gap = np.maximum(overlap, 0) / size.min(0), np.maximum(-overlap, 0) / np.sqrt(size.prod(0))
        unlike = np.abs(np.log(size[0] / size[1]))
        beside = share[1] > 0.5 and share[0] < 0.5 and gap[0] < SIDE_GAP and unlike[1] < SAME_SIZE
        stacked = share[0] > 0.5 and share[1] < 0.5 and gap[1] < STACK_GAP and unlike[0] < SAME_SIZE
        if beside or stacked:
            found.append((i, j))
    return found


def test_neighbours_are_beside_or_on_top_at_one_size() -> None:
    assert pairs(BOXES) == [(0, 1), (1, 2), (1, 3)]


def test_neighbours_do_not_depend_on_scale() -> None:
    assert pairs(BOXES * 7 + 30) == pairs(BOXES)


@given(st.integers(0, 10_000), st.integers(0, 40))
def test_neighbours_equal_comparing_all_with_all(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 12, (count, 2)) * 10.0
    boxes = np.concatenate([corner, corner + rng.integers(8, 14, (count, 2))], axis=1)
    assert pairs(boxes) == naive(boxes)


def test_patches_need_likeness() -> None:
    distance = np.full((6, 6), 0.9)
    distance[0, 1] = distance[1, 0] = distance[1, 3] = distance[3, 1] = 0.1
    found = patches(distance, BOXES, max_distance=0.2)
    assert found[0] == found[1] == found[3]
    assert len(set(found.tolist())) == 4


def test_scenes_do_not_touch_each_other() -> None:
    X, _ = scene_vectors(12)
    distance = cosine_distances(X)
    scene = np.repeat([0, 1], 6)
    out = spatial_distances(distance, np.concatenate([BOXES, BOXES]), scene, reach=0.2)
    across = scene[:, None] != scene
    np.testing.assert_array_equal(out[across], distance[across])
    np.testing.assert_allclose(out[:6, :6], spatial_distances(distance[:6, :6], BOXES, None, reach=0.2))
    assert (out >= 0).all()
    np.testing.assert_array_equal(out, out.T)


def test_like_neighbours_are_joined_before_like_strangers() -> None:
    angle = np.array([0.0, 0.7, 2.0, 3.0, 0.7, 4.0])  # rows 1 and 4 are equally far from row 0
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    labels = AverageLinkage(0.22, calibrated=0.2).fit_predict(X[[0, 1]], xyxy=BOXES[[0, 1]])
    assert labels.tolist() == [0, 0]
    assert AverageLinkage(0.22, calibrated=0.2).fit_predict(X[[0, 4]], xyxy=BOXES[[0, 4]]).tolist() == [0, 1]
    off = AverageLinkage(0.22, calibrated=0.2, spatial=False).fit_predict(X[[0, 1]], xyxy=BOXES[[0, 1]])
    assert off.tolist() == [0, 1]
