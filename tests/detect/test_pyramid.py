import cv2
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from packed_scenes.detect.pyramid import Pyramid, detail, is_flat


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(40, 300), st.integers(40, 300), st.floats(0.05, 1.4))
def test_parts_are_what_resizing_the_cut_gives(seed: int, width: int, height: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 6)
    x1, y1 = int(rng.integers(0, width // 2)), int(rng.integers(0, height // 2))
    part = float(x1), float(y1), float(width), float(height)
    size = max(1, round((width - x1) * scale)), max(1, round((height - y1) * scale))
    assume(min(size) >= 8)  # halving an odd side loses a pixel, which shows in a piece of two pixels
    cut, shown = Pyramid(image).part(part, width=size[0], height=size[1])
    assert cut.shape == (size[1], size[0], 3)
    assert np.abs(np.subtract(shown, part)).max() <= max(1.0, 1 / scale)
    left, top, right, bottom = (int(v) for v in shown)
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    plain = cv2.resize(image[top:bottom, left:right], size, interpolation=filter_)
    halvings = max(0, int(-np.log2(scale)))  # each rounds to whole grey levels
    assert np.abs(cut.astype(int) - plain.astype(int)).max() <= 3 + halvings // 2


def test_flat_parts_and_detail() -> None:
    rng = np.random.default_rng(0)
    grey = np.full((300, 400, 3), 190, np.uint8)
    noisy = (grey + rng.normal(0, 2, grey.shape)).astype(np.uint8)
    marked = noisy.copy()
    marked[100:112, 200:212] = 90
    assert is_flat(grey)
    assert is_flat(noisy)
    assert not is_flat(marked)
    assert detail(marked) > detail(grey) == 0
