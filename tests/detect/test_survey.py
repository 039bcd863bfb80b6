"""What is found must not depend on the picture's shape or size, nor on the user's filters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import Objects
from packed_scenes.data.shipped import ASSETS
from packed_scenes.detect import Detector
from packed_scenes.detect.scale import SizeEstimate
from packed_scenes.detect.survey import BUDGET, Region, Survey, blocks, quarters, survey
from tests.detect.fakes import Rectangles, picture


def detector(**options: object) -> Detector:
    return Detector(Rectangles(), confidence=0.3, **options)  # type: ignore[arg-type]


def same(found: Objects, boxes: np.ndarray, *, within: float) -> bool:
    order = [b[np.lexsort((b[:, 0].round(-1), b[:, 1].round(-1)))] for b in (found.xyxy, boxes)]
    return len(found) == len(boxes) and bool(np.abs(order[0] - order[1]).max() < within)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 4000))
def test_blocks_and_quarters_cover_a_picture(width: int, height: int) -> None:
    parts = blocks(width, height)
    for cut in (parts, [q for p in parts for q in quarters(p)]):
        assert sum((p[2] - p[0]) * (p[3] - p[1]) for p in cut) == pytest.approx(width * height)
        assert max(p[2] for p in cut) == width
        assert max(p[3] for p in cut) == height
    assert len(parts) == 1 or (len(parts) > 1 and max(width, height) > 4 * min(width, height))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_scene_side_by_side_gives_as_many_more(axis: int) -> None:
    image, boxes = picture(640, 480, size=40, gap=14)
    image = np.concatenate([image] * 6, axis)
    found, info = detector().detect_with_info(image)
    assert len(found) == 6 * len(boxes)
    assert not info.warnings


@pytest.mark.slow
@pytest.mark.parametrize("corner", [(0, 0), (1500, 700)])
def test_a_scene_on_a_large_plain_canvas_gives_the_same(corner: tuple[int, int]) -> None:
    image, boxes = picture(640, 480, size=22, gap=8)
    canvas = np.full((4 * 480, 4 * 640, 3), 30, np.uint8)
    canvas[corner[1] : corner[1] + 480, corner[0] : corner[0] + 640] = image
    found, info = detector().detect_with_info(canvas)
    assert same(found, boxes + np.array([*corner, *corner]), within=2)
    assert not info.warnings


@pytest.mark.parametrize("size", [12, 48, 400])
def test_objects_from_twelve_pixels_to_half_the_picture(size: int) -> None:
    image, boxes = (
        picture(2600, 2000, size=size, gap=size // 2) if size > 100 else picture(1600, 1200, size=size, gap=2 * size)
    )
    found, info = detector().detect_with_info(image)
    assert same(found, boxes, within=0.2 * size)
    assert info.object_px == pytest.approx(size, rel=0.15)
    half, boxes = picture(800, 600, size=290, gap=8)
    assert same(detector().detect(half), boxes, within=10)


def test_specks_are_looked_at_more_closely_and_larger_objects_are_not() -> None:
    for size, closer in ((30, True), (80, False)):
        image, _ = picture(2800, 2000, size=size, gap=size // 2)
        found = detector()
        _, info = found.detect_with_info(image)
        looks = [long for long, _ in found.network.sizes]  # type: ignore[attr-defined]
        assert looks[:2] == [640, 896]
        assert 448 not in looks  # they are smaller there
        assert (info.survey_megapixels > 2) == closer
        assert info.object_px == pytest.approx(size, rel=0.1)


def test_the_smallest_look_is_taken_where_objects_are_large() -> None:
    """The network is best at 40 px."""
    for size, looks in ((55, [640, 896]), (80, [640, 896, 448])):
        image, boxes = picture(960, 900, size=size, gap=20)
        found = detector()
        assert same(found.detect(image), boxes, within=6)
        assert [long for long, _ in found.network.sizes][:-1] == looks  # type: ignore[attr-defined]


def test_the_input_of_a_look_serves_for_the_detection() -> None:
    image, boxes = picture(960, 900, size=60, gap=20)  # 40 px in the look of 640
    found = detector()
    objects, info = found.detect_with_info(image)
    assert same(objects, boxes, within=6)
    assert info.input_size == (640, 600)
    assert [long for long, _ in found.network.sizes] == [640, 896]  # type: ignore[attr-defined]


@settings(max_examples=12, deadline=None)
@given(st.floats(0.05, 0.95), st.integers(1, 80), st.integers(0, 100))
def test_confidence_and_cap_only_filter(confidence: float, cap: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = np.full((500, 700, 3), 10, np.uint8)
    for x in range(10, 640, 60):
        for y in range(10, 440, 60):
            w, h = rng.integers(12, 50, 2)
            image[y : y + h, x : x + w] = 255
    every = Detector(Rectangles(), confidence=0.05).detect(image)
    some = Detector(Rectangles(), confidence=confidence, max_objects=cap).detect(image)
    wanted = every.select(every.score >= confidence)
    assert np.array_equal(some.xyxy, wanted.xyxy[:cap])
    assert np.array_equal(some.score, wanted.score[:cap])


@pytest.mark.slow
def test_parts_of_different_scales_are_run_each_at_its_own() -> None:
    near, far = picture(1200, 1200, size=200, gap=60)[0], picture(1200, 1200, size=18, gap=9)[0]
    count = sum(len(picture(1200, 1200, size=s, gap=g)[1]) for s, g in ((200, 60), (18, 9)))
    found, info = detector().detect_with_info(np.concatenate([near, near, near, near, far], 1))
    assert info.regions > 1
    assert len(found) == count + 3 * len(picture(1200, 1200, size=200, gap=60)[1])


@pytest.mark.parametrize("far", [10, 14, 18])
def test_a_far_part_of_one_picture_is_run_once_more_closer(far: int) -> None:
    """Its objects are seen, but so small that the network's scores would fall. (At 15 or 16 px both parts weigh the
    same, and the whole picture is run closer.)
    """
    near, boxes = picture(1600, 1200, size=90, gap=20)
    small, more = picture(400, 600, size=far, gap=far)
    near[:600, 1200:] = small
    boxes = boxes[(boxes[:, 2] <= 1200) | (boxes[:, 1] >= 600)]
    cut = (boxes[:, 0] < 1200) & (boxes[:, 2] > 1200) & (boxes[:, 1] < 600)
    found, info = detector().detect_with_info(near)
    assert info.regions > 1
    assert len(found) == pytest.approx(len(boxes[~cut]) + len(more), rel=0.08)


def test_objects_that_hold_many_are_looked_into() -> None:
    def estimate_at(part: tuple[float, ...], scale: float) -> SizeEstimate:
        """From afar whole shelves are seen, from near 50 px goods."""
        size = 50.0 if 50 * scale > 10 else 600.0
        boxes = np.array([[700, 700, 700 + size, 700 + size]] * 2, np.float32)
        return SizeEstimate(scale, size, 12.0, boxes)

    seen = survey(6000, 4000, estimate_at, lambda part: 1.0, best_px=80)
    assert seen.object_px == 50
    assert seen.converged


def test_the_budget_is_kept_to_and_its_end_told() -> None:
    spent = [0.0]

    def estimate_at(part: tuple[float, ...], scale: float) -> SizeEstimate:
        spent[0] += (part[2] - part[0]) * (part[3] - part[1]) * scale**2
        return SizeEstimate(scale, 3.0 / scale, 12.0)  # specks at any scale

    seen = survey(10**6, 10**6, estimate_at, lambda part: 1.0, best_px=80)
    assert not seen.converged
    assert seen.input_pixels == pytest.approx(spent[0])
    assert spent[0] < 1.1 * BUDGET


def test_regions_of_one_size_become_one() -> None:
    regions = [Region((x, y, x + 5.0, y + 5.0), 10.0 if x else 40.0, 5.0) for y in (0.0, 5.0) for x in (0.0, 5.0)]
    merged = Survey(regions, 10.0, True, 0.0).merged()
    assert sorted((r.rectangle, r.object_px) for r in merged) == [((0, 0, 5, 10), 40.0), ((5, 0, 10, 10), 10.0)]


@pytest.mark.slow
def test_six_shelves_side_by_side() -> None:
    from packed_scenes.data import read_image

    shelf = read_image(ASSETS / "samples" / "shelf.jpg")[::2, ::2]
    one = len(Detector.load().detect(shelf))
    found, info = Detector.load().detect_with_info(np.concatenate([shelf] * 6, 1))
    assert len(found) == pytest.approx(6 * one, rel=0.05)
    assert not info.warnings
