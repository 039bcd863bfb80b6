from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.aggregate.lettering import (
    MIN_HEIGHT,
    Spot,
    badge_size,
    draw_badge,
    has_letters,
    paste,
    place_badges,
    text_height,
    text_mask,
    truncated,
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
    assert all(badge.height >= MIN_HEIGHT for badge in placed)


def test_a_badge_stands_beside_its_object_where_there_is_room() -> None:
    spot = Spot("12_3", (9, 9, 9), np.array([[100.0, 100, 300, 300], [300, 100, 900, 300]]))
    (badge,) = place_badges([spot], (800, 1000))
    x1, y1, x2, y2 = badge.box
    assert 100 <= x1 < x2 <= 900
    assert y2 <= 100 or y1 >= 300
    assert badge.height == round(0.75 * text_height((800, 1000)))


def test_a_badge_hides_as_little_of_others_as_it_can() -> None:
    above = np.array([[80.0, 40, 420, 99]])  # another object stands where the badge would
    spot = Spot("7", (9, 9, 9), np.array([[100.0, 100, 200, 300]]))
    (badge,) = place_badges([spot], (800, 1000), obstacles=np.concatenate([spot.boxes, above]))
    assert badge.box[1] >= 300


def test_text_is_in_proportion_to_the_objects_and_never_wider_than_the_group() -> None:
    def height(side: float, text: str = "4") -> list[int]:
        spot = Spot(text, (9, 9, 9), np.array([[500.0, 500, 500 + side, 500 + side]]))
        return [badge.height for badge in place_badges([spot], (3000, 3000))]

    assert height(100) == [20]
    assert height(30) == [MIN_HEIGHT]
    assert height(300) == [round(0.75 * text_height((3000, 3000)))]
    assert height(16, "12_34") == []


def test_where_there_is_no_room_a_badge_is_left_out() -> None:
    box = np.array([[0.0, 0, 90, 100]])
    placed = place_badges([Spot("88", (9, 9, 9), box)] * 40, (2000, 2000))
    assert 1 < len(placed) < 40


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


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=30), st.integers(9, 24), st.integers(0, 300))
def test_a_name_is_cut_until_it_fits(name: str, height: int, width: int) -> None:
    cut = truncated(name, height, width)
    assert not cut or badge_size(cut, height)[0] <= width
    assert cut in ("", name) or name.startswith(cut.removesuffix("…"))
    if has_letters(name) and badge_size(name, height)[0] <= width:
        assert cut == name


def test_a_name_without_room_or_letters_leaves_the_number() -> None:
    box = np.array([[100.0, 100, 200, 300]])

    def said(name: str) -> str:
        (badge,) = place_badges([Spot("7_2", (9, 9, 9), box, name)], (800, 1000))
        assert badge.box[2] - badge.box[0] <= 100
        return badge.text

    assert said("Tea") == "Tea"
    assert said("Coffee beans, roasted").startswith("Coff")
    assert said("可口可乐") == said("tea \U0001f375") == said("") == "7_2"  # the font has no such letters
    assert has_letters("Ένα τσάι, чай, thé 50 %")


def test_the_underscore_of_a_label_stands_clear_of_the_rim() -> None:
    for height in (9, 11, 14, 24):
        image = np.full((80, 200, 3), 90, np.uint8)
        draw_badge(image, "0_5", (10, 10), height, (0, 0, 200))
        column = (image[:, 10 + badge_size("0_5", height)[0] // 2] == 255).all(axis=1)
        assert np.flatnonzero(np.diff(column.astype(int)) == 1).size >= 3  # upper rim, underscore, lower rim
