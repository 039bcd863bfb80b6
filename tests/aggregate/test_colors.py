from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings

from packed_scenes.aggregate import assign_colors, colors_of
from packed_scenes.aggregate.colors import MAX_COLORS, PALETTE, is_light, lab
from packed_scenes.data import Objects
from tests.aggregate.scenes import packed


def test_lab_agrees_with_opencv() -> None:
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (200, 3))
    expected = cv2.cvtColor((colors / 255).astype(np.float32)[None], cv2.COLOR_RGB2LAB)[0]
    np.testing.assert_allclose(lab([tuple(c) for c in colors.tolist()]), expected, atol=0.6)


def test_palette_colours_are_far_apart() -> None:
    points = lab(PALETTE)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(len(PALETTE))
    assert apart.min() > 30


def test_few_clusters_get_a_colour_each_and_neighbours_of_many_differ_clearly() -> None:
    boxes = np.array(
        [[40 * (n % 25), 60 * (n // 25), 40 * (n % 25) + 38, 60 * (n // 25) + 58] for n in range(200)], float
    )
    few = assign_colors([Objects.from_boxes(boxes[:20], cluster=np.arange(20))])
    assert len(set(few.values())) == 20
    many = assign_colors([Objects.from_boxes(boxes, cluster=np.arange(200))])
    points = lab([many[n] for n in range(200)])
    beside = [np.linalg.norm(points[n] - points[n + 1]) for n in range(199) if n % 25 != 24]
    below = [np.linalg.norm(points[n] - points[n + 25]) for n in range(175)]
    assert min(beside + below) > 30
    assert len(set(many.values())) == 200
    thousands = assign_colors([Objects.from_boxes(np.tile(boxes, (5, 1)), cluster=np.arange(1000))])
    assert len(set(thousands.values())) == MAX_COLORS


@settings(max_examples=30, deadline=None)
@given(packed(clusters=8), packed(clusters=8))
def test_the_order_of_scenes_and_rows_does_not_matter(first: Objects, second: Objects) -> None:
    colors = assign_colors([first, second])
    assert colors == assign_colors([second.select(np.arange(len(second))[::-1]), first])
    assert set(colors) == set(first.cluster[first.cluster >= 0]) | set(second.cluster[second.cluster >= 0])


def test_nothing_to_colour() -> None:
    assert assign_colors([]) == {}
    assert assign_colors([Objects.empty()]) == {}


def test_light_and_dark() -> None:
    assert is_light((255, 210, 45))
    assert not is_light((60, 75, 255))


def test_clusters_of_a_large_folder_of_crops_have_colours_at_once() -> None:
    labels = np.arange(30_000) % 5_000 - 1  # identical boxes would be 450 million neighbouring pairs
    colors = colors_of(labels)
    assert set(colors) == set(range(4_999))
    used = np.unique(list(colors.values()), axis=0, return_counts=True)[1]
    assert used.max() - used.min() <= 1
