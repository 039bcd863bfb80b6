from __future__ import annotations

import numpy as np
import pytest

from packed_scenes.aggregate import ContactSheet
from packed_scenes.aggregate.legend import cut, letterbox
from packed_scenes.data import InputError, Objects


def scene(colors: list[tuple[int, int, int]], cluster: list[int]) -> tuple[np.ndarray, Objects]:
    image = np.zeros((50, 60 * len(colors), 3), np.uint8)
    boxes = []
    for n, color in enumerate(colors):
        image[:, 60 * n : 60 * n + 60] = color
        boxes.append((60 * n, 0, 60 * n + 60, 50))
    return image, Objects.from_boxes(
        np.array(boxes, float), cluster=cluster, probability=np.linspace(1, 0.1, len(colors))
    )


def row_of(sheet: np.ndarray, color: tuple[int, int, int]) -> float:
    return float(np.flatnonzero((sheet == color).all(axis=2).any(axis=1)).mean())


def column_of(sheet: np.ndarray, color: tuple[int, int, int]) -> float:
    return float(np.flatnonzero((sheet == color).all(axis=2).any(axis=0)).mean())


RED, BLUE, GREY, PINK = (250, 10, 10), (10, 10, 250), (99, 99, 99), (250, 99, 200)


def test_rows_by_size_over_all_scenes_noise_last() -> None:
    one, a = scene([RED, GREY, GREY, BLUE], [5, -1, -1, 2])
    two, b = scene([BLUE, PINK], [2, 9])
    sheet = ContactSheet([("one", a), ("two", b)])
    sheet.add("one", one)
    sheet.add("two", two)
    drawn = sheet.draw()
    assert column_of(drawn, BLUE) < column_of(drawn, RED) < column_of(drawn, PINK)  # singles stand side by side
    assert row_of(drawn, BLUE) == row_of(drawn, PINK) < row_of(drawn, GREY)
    assert np.count_nonzero((drawn == BLUE).all(axis=2)) > 2 * 0.9 * 96 * 80


def test_caps_keep_the_sheet_bounded_and_noise_visible() -> None:
    image, objects = scene([RED] * 40, [0] * 20 + list(range(1, 11)) + [-1] * 10)
    sheet = ContactSheet([("a", objects)], columns=4, rows=5, cell=(30, 30))
    sheet.add("a", image)
    full, wide = sheet.draw(), ContactSheet([("a", objects)], columns=40, rows=40, cell=(30, 30)).draw()
    assert full.shape[1] < wide.shape[1]
    assert full.shape[0] * full.shape[1] < wide.shape[0] * wide.shape[1]
    assert [row.cluster for row in sheet._rows] == [0, 1, 2, 3, -1]
    assert [row for _, row in sheet._rows[0].shown] == [0, 6, 13, 19]  # most probable, least probable, evenly between


def test_scenes_not_added_stay_grey_and_unknown_ones_are_refused() -> None:
    image, objects = scene([RED], [0])
    sheet = ContactSheet([("a", objects)])
    assert not (sheet.draw() == RED).all(axis=2).any()
    with pytest.raises(InputError, match="not on this contact sheet"):
        sheet.add("b", image)


def test_degenerate() -> None:
    assert ContactSheet([]).draw().shape[2] == 3
    empty = Objects.empty().replace(cluster=np.zeros(0, int))
    assert ContactSheet([("a", empty)]).draw().any()
    with pytest.raises(InputError, match="repeat"):
        ContactSheet([("a", empty), ("a", empty)])
    with pytest.raises(InputError, match="no cluster"):
        ContactSheet([("a", Objects.empty())])
    with pytest.raises(InputError, match="at least 1"):
        ContactSheet([], columns=0)


def test_crops_keep_their_aspect_ratio_and_stay_in_the_picture() -> None:
    boxed = letterbox(np.zeros((10, 40, 3), np.uint8), (80, 80))
    assert (boxed[30:50] == 0).all()
    assert (boxed[:30] == 250).all()
    assert letterbox(np.zeros((1, 900, 3), np.uint8), (20, 30)).shape == (20, 30, 3)
    image = np.zeros((10, 10, 3), np.uint8)
    assert cut(image, np.array([-5, -5, 3.5, 4])).shape == (4, 4, 3)
    assert cut(image, np.array([20, 20, 30, 30])).shape == (1, 1, 3)


def test_only_scenes_with_crops_on_the_sheet_are_needed():
    one = Objects.from_boxes([[0, 0, 9, 9]] * 3, cluster=np.zeros(3), probability=np.array([1, 0.9, 0.8]))
    two = one.replace(probability=np.array([0.7, 0.6, 0.5]))
    empty = Objects.from_boxes(np.zeros((0, 4)), cluster=np.zeros(0))
    assert ContactSheet([("one", one), ("two", two), ("empty", empty)], columns=1).scenes_needed == ["one"]
    assert ContactSheet([("one", one), ("two", two), ("empty", empty)]).scenes_needed == ["one", "two"]
