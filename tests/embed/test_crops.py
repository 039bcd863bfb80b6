import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.data.letterbox import GREY, letterbox
from packed_scenes.embed.crops import letterbox_boxes, letterbox_crops, pixel_boxes


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_letterbox_keeps_the_aspect_ratio(h: int, w: int, stretch: bool) -> None:
    canvas = letterbox(np.full((h, w, 3), 255, np.uint8), width=96, height=144, stretch=stretch)
    filled = (canvas == 255).all(2)
    rows, columns = filled.any(1).sum(), filled.any(0).sum()
    assert canvas.shape == (144, 96, 3)
    assert filled.sum() == rows * columns
    assert (canvas[~filled] == GREY).all()
    if stretch:
        assert (rows, columns) == (144, 96)
    else:
        scale = min(96 / w, 144 / h)
        assert abs(rows - max(1, h * scale)) <= 1
        assert abs(columns - max(1, w * scale)) <= 1


def test_shrinking_averages_areas() -> None:
    fine = np.zeros((288, 192, 3), np.uint8)
    fine[::2] = 255  # stripes of one pixel: sampling would give 0 or 255, averaging gives grey
    canvas = letterbox(fine, width=96, height=144)
    assert np.abs(canvas.astype(int) - 127).max() <= 1


def test_boxes_equal_crops_cut_by_hand() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (80, 120, 3), dtype=np.uint8)
    boxes = np.array([[3, 4, 30, 60], [-5, 10, 40.4, 90], [100, 0, 120, 80]], np.float32)
    by_hand = [image[4:60, 3:30], image[10:80, 0:40], image[0:80, 100:120]]
    assert np.array_equal(
        letterbox_boxes(image, boxes, width=24, height=36), letterbox_crops(by_hand, width=24, height=36)
    )


def test_tiny_and_partly_outside_boxes_keep_a_pixel() -> None:
    found = pixel_boxes([[9.9, 9.9, 10.1, 10.1], [-3, -3, 0.2, 0.2], [99.6, 49.6, 200, 200]], width=100, height=50)
    assert ((found[:, 2:] - found[:, :2]) >= 1).all()
    assert found.min() >= 0
    assert (found[:, 2] <= 100).all()
    assert (found[:, 3] <= 50).all()


@pytest.mark.parametrize("box", [[10, 10, 5, 20], [200, 0, 210, 9], [-20, 0, -1, 9], [0, 0, np.nan, 9]])
def test_impossible_boxes_are_refused(box: list[float]) -> None:
    with pytest.raises(InputError):
        pixel_boxes([box], width=100, height=100)


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(InputError, match="uint8"):
        letterbox_boxes(np.zeros((5, 5, 3), np.float32), [[0, 0, 2, 2]], width=8, height=8)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"\(N, 4\)"):
        letterbox_boxes(np.zeros((5, 5, 3), np.uint8), [[0, 0, 2]], width=8, height=8)


def test_no_boxes_give_no_crops() -> None:
    assert letterbox_boxes(np.zeros((5, 5, 3), np.uint8), [], width=8, height=8).shape == (0, 8, 8, 3)
