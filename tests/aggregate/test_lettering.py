from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.lettering import (
    SMALLEST,
    Spot,
    badge_size,
    draw_badge,
    paste,
    place_badges,
    text_height,
    text_mask,
)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 60), st.sampled_from([(60, 80), (300, 400), (1000, 700), (2464, 3280)])
)
def test_badges_never_overlap_and_lie_inside_the_picture(seed: int, count: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.random((count, 2)) * shape[::-1]
    boxes = np.hstack([corner, corner + rng.random((count, 2)) * max(shape) / 5 + 2])
    placed = place_badges([Spot(f"{n}_{n % 3}", (9, 9, 9), boxes[n : n + 1]) for n in range(count)], shape)
    found = np.array([badge.box for badge in placed]).reshape(-1, 4)
    assert (found[:, :2] >= 0).all()
    assert (found[:, 2:] <= shape[::-1]).all()
    for n, box in enumerate(found):
        others = np.delete(found, n, axis=0)
        assert not ((box[:2] < others[:, 2:]) & (box[2:] > others[:, :2])).all(axis=1).any()
    assert all(badge.height >= SMALLEST for badge in placed)


def test_a_badge_stands_on_its_object_where_there_is_room() -> None:
    (badge,) = place_badges(
        [Spot("12_3", (9, 9, 9), np.array([[100.0, 100, 300, 300], [300, 100, 900, 300]]))], (800, 1000)
    )
    x1, y1, x2, y2 = badge.box
    assert 100 <= x1 < x2 <= 900
    assert 100 <= y1 < y2 <= 300
    assert badge.height == text_height((800, 1000))


def test_a_crowded_badge_shrinks_before_it_is_left_out() -> None:
    box = np.array([[0.0, 0, 90, 100]])
    placed = place_badges([Spot("88", (9, 9, 9), box)] * 40, (2000, 2000))
    heights = {badge.height for badge in placed}
    assert max(heights) == text_height((2000, 2000))
    assert 1 < len(placed) < 40
    assert len(heights) > 1


def test_text_height_follows_the_picture() -> None:
    assert text_height((40, 50)) == 11
    assert text_height((3280, 2464)) > 3 * text_height((1000, 800))


def test_digits_are_centred() -> None:
    for height in (11, 18, 59):
        ink = np.flatnonzero(text_mask("8", height).max(axis=1) > 127)
        above, below = ink[0], text_mask("8", height).shape[0] - 1 - ink[-1]
        assert abs(above - below) <= 2
        assert text_mask("8", height).shape[0] == text_mask("8_1", height).shape[0]


def test_paste_is_clipped_and_blends() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    paste(image, np.full((3, 3), 128, np.uint8), (-2, 2), (200, 100, 0))
    assert image[2:, 0].tolist() == [[100, 50, 0]] * 2
    assert image.any(axis=2).sum() == 2
    paste(image, np.full((3, 3), 255, np.uint8), (50, 50), (1, 1, 1))


def test_badge_text_contrasts_with_its_plate() -> None:
    for color in ((255, 210, 45), (60, 75, 255)):
        image = np.full((60, 80, 3), 128, np.uint8)
        draw_badge(image, "7", (20, 20), 20, color)
        width, tall = badge_size("7", 20)
        part = image[20 : 20 + tall, 20 : 20 + width].astype(int).sum(axis=2)
        assert abs(part.min() - sum(color)) > 200 or abs(part.max() - sum(color)) > 200
