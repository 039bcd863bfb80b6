"""Training crops: boxes follow the pixels, whatever is done to the picture."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.detect.training.augment import Augmentation, crop, disturb
from packed_scenes.detect.training.clutter import add_clutter
from packed_scenes.detect.training.pool import Example
from tests.detect.fakes import picture

PLAIN = Augmentation(colour=0, clutter=0)


def example(size: int = 30, gap: int = 12) -> Example:
    image, boxes = picture(420, 300, size=size, gap=gap)
    return Example(image, boxes, np.zeros(len(boxes), np.int64))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([64, 128, 320]))
def test_boxes_follow_the_pixels_through_the_crop(seed: int, size: int) -> None:
    cut = crop(example(), size, np.random.default_rng(seed), PLAIN)
    assert cut.image.shape == (size, size, 3)
    assert (cut.xyxy >= 0).all()
    assert (cut.xyxy <= size).all()
    for x1, y1, x2, y2 in cut.xyxy:
        inner = cut.image[int(np.ceil(y1 + 1)) : int(y2 - 1), int(np.ceil(x1 + 1)) : int(x2 - 1), 0]
        assert inner.size == 0 or inner.mean() > 225  # the square is white; blurred by the resize at its rim


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_clutter_cuts_or_drops_what_it_covers(seed: int) -> None:
    before = crop(example(), 320, np.random.default_rng(seed), PLAIN)
    after = add_clutter(before, np.random.default_rng(seed))
    assert len(after.xyxy) <= len(before.xyxy)
    assert (after.xyxy[:, 2:] > after.xyxy[:, :2]).all()
    assert (after.xyxy[:, :2] >= 0).all()
    assert len(after.class_id) == len(after.xyxy)


def test_disturbing_keeps_the_shape_and_nothing_at_zero() -> None:
    image = example().image
    assert disturb(image, np.random.default_rng(0), 0.0) is image
    for seed in range(20):
        changed = disturb(image, np.random.default_rng(seed), 1.0)
        assert (changed.shape, changed.dtype) == (image.shape, np.uint8)


def test_squeezed_crops_hold_narrower_objects() -> None:
    squeezed = replace(PLAIN, squeeze=(0.5, 0.51))
    cut = crop(example(), 320, np.random.default_rng(3), squeezed)
    inside = cut.xyxy[((cut.xyxy > 1) & (cut.xyxy < 319)).all(1)]
    side = inside[:, 2:] - inside[:, :2]
    assert len(inside)
    assert np.allclose(side[:, 0] / side[:, 1], 0.505, atol=0.01)


def test_dimmed_crops_lose_contrast() -> None:
    image = example().image
    plain, dim = (disturb(image, np.random.default_rng(1), 1e-3, dim=share) for share in (0.0, 1.0))
    assert 0.15 < dim.std() / plain.std() < 0.7


def test_dense_pictures_are_zoomed_in() -> None:
    image, boxes = picture(900, 900, size=8, gap=4)
    cut = crop(
        Example(image, boxes, np.zeros(len(boxes), np.int64)),
        320,
        np.random.default_rng(0),
        Augmentation(max_objects=50),
    )
    assert len(cut.xyxy) < 90
