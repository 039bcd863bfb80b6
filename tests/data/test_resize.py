from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data.resize import shrink


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 160), st.integers(0, 160), st.integers(0, 99))
def test_shrinking_is_area_averaging(width: int, height: int, wider: int, taller: int, seed: int) -> None:
    """Smooth pictures, as photos are: noise between neighbours would show where the odd last row was left out."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = cv2.resize(small, (width + wider, height + taller), interpolation=cv2.INTER_LINEAR)
    found = shrink(image, width=width, height=height)
    plain = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    assert found.shape == plain.shape == (height, width, 3)
    assert found.dtype == np.uint8
    step = 2 * 255 * 6 / min(image.shape[:2])  # the most that two neighbours differ
    assert np.abs(found.astype(int) - plain).max() <= step + 2


def test_exact_factors_agree_to_the_last_rounding() -> None:
    image = np.random.default_rng(0).integers(0, 256, (320, 480, 3), dtype=np.uint8)
    plain = cv2.resize(image, (60, 40), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(shrink(image, width=60, height=40).astype(int) - plain).max() <= 2


def test_a_picture_of_that_size_is_given_back() -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    assert shrink(image, width=7, height=5) is image
