from types import SimpleNamespace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.data import Objects, Scene
from packed_scenes.detect.info import DetectionInfo
from packed_scenes.merged_boxes import MIN_CORRELATION, SAME, cut, self_correlation, split_merged
from packed_scenes.observe import Observer
from packed_scenes.settings import Settings

SIDE = 40
PLAIN = np.full((4 * SIDE, 8 * SIDE, 3), 230, np.uint8)


def texture(seed: int) -> npt.NDArray[np.uint8]:
    """A package: blocks of colour."""
    blocks = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((SIDE // 5, SIDE // 5, 1), np.uint8))


def picture(*things: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """A picture with packages as (seed, column, row)."""
    image = PLAIN.copy()
    for seed, column, row in things:
        image[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE] = texture(seed)
    return image


def embed(image: npt.NDArray[np.uint8], xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean colours of a grid of 5 x 5, without their mean."""
    rows = []
    for x1, y1, x2, y2 in xyxy.astype(int):
        crop = image[y1:y2, x1:x2].astype(np.float32)
        grid = [c.mean((0, 1)) for strip in np.array_split(crop, 5) for c in np.array_split(strip, 5, axis=1)]
        rows.append(np.concatenate(grid))
    vectors = np.stack(rows) if rows else np.zeros((0, 75), np.float32)
    vectors = vectors - vectors.mean(1, keepdims=True)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)).astype(np.float32)


def boxes(*places: tuple[int, int, int, int], score: float = 0.8) -> npt.NDArray[np.float32]:
    return SIDE * np.array(places, np.float32).reshape(-1, 4)


def found(image: npt.NDArray[np.uint8], xyxy: npt.NDArray[np.float32]) -> Objects:
    score = np.linspace(0.9, 0.6, len(xyxy)).astype(np.float32)
    return Objects.from_boxes(xyxy, score=score, embedding=embed(image, xyxy))


def faint(xyxy: npt.NDArray[np.float32]) -> Objects:
    return Objects.from_boxes(xyxy, score=np.full(len(xyxy), 0.1, np.float32))


STACK = picture((1, 0, 0), (1, 0, 1), (2, 3, 0), (3, 3, 1))
WHOLE = boxes((0, 0, 1, 2), (3, 0, 4, 2))


def test_a_stack_of_two_is_two_where_one_of_them_was_seen() -> None:
    made = split_merged(STACK, found(STACK, WHOLE), faint(boxes((0, 0, 1, 1), (3, 0, 4, 1))), embed)
    assert sorted(map(tuple, (made.xyxy / SIDE).tolist())) == [(0, 0, 1, 1), (0, 1, 1, 2), (3, 0, 4, 2)]
    assert made.score.tolist() == pytest.approx([0.9, 0.9, 0.6])
    assert made.object_id.tolist() == ["0", "1", "2"]
    assert made.embedding is not None
    assert np.allclose(made.embedding, embed(STACK, made.xyxy), atol=1e-6)


def test_nothing_is_split_that_the_detector_saw_no_part_of() -> None:
    objects = found(STACK, WHOLE)
    assert split_merged(STACK, objects, Objects.empty(), embed) is objects
    assert split_merged(STACK, objects, faint(boxes((5, 2, 6, 3))), embed) is objects
    bare = objects.replace(embedding=None)
    assert split_merged(STACK, bare, faint(boxes((0, 0, 1, 1))), embed) is bare
    assert len(split_merged(STACK, Objects.empty(), faint(boxes((0, 0, 1, 1))), embed)) == 0


def test_its_like_is_split_too_and_another_of_its_size_is_not() -> None:
    image = picture((1, 0, 0), (1, 0, 1), (1, 2, 0), (1, 2, 1), (4, 4, 0), (4, 4, 1), (5, 6, 0), (5, 6, 1))
    mixed = texture(4) // 2 + texture(6) // 2  # the third thing's lower half is less like its upper one
    image[SIDE : 2 * SIDE, 4 * SIDE : 5 * SIDE] = mixed
    assert MIN_CORRELATION < self_correlation(image, boxes((4, 0, 5, 2))[0], 1) < SAME
    objects = found(image, boxes((0, 0, 1, 2), (2, 0, 3, 2), (4, 0, 5, 2), (6, 0, 7, 2)))
    made = split_merged(image, objects, faint(boxes((0, 1, 1, 2))), embed)
    assert len(made) == 7  # the first, its like, and the last, whose halves are the same
    assert (4 * SIDE, 0, 5 * SIDE, 2 * SIDE) in set(map(tuple, made.xyxy.tolist()))


def test_small_things_are_left_alone() -> None:
    image = np.ascontiguousarray(STACK[::2, ::2])
    objects = found(image, WHOLE / 2)
    assert split_merged(image, objects, faint(boxes((0, 0, 1, 1)) / 2), embed) is objects


@pytest.mark.parametrize(("side", "count"), [(24, 3), (23, 2)])
def test_the_smallest_half(side: int, count: int) -> None:
    share = np.float32(side / SIDE)
    image = cv2.resize(STACK, None, fx=float(share), fy=float(share), interpolation=cv2.INTER_AREA)
    made = split_merged(image, found(image, WHOLE * share), faint(boxes((0, 0, 1, 1)) * share), embed)
    assert len(made) == count


def test_its_like_has_its_size_and_its_look_or_halves_that_are_the_same() -> None:
    """Upper and lower half differ a little, so that size alone is not enough."""
    lower = texture(4) // 2 + texture(6) // 2
    image = picture((4, 0, 0), (4, 2, 0))
    image[SIDE : 2 * SIDE, :SIDE] = image[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE] = lower
    large = cv2.resize(texture(5), (3 * SIDE // 2, 3 * SIDE // 2), interpolation=cv2.INTER_NEAREST)
    image[: 3 * SIDE, 4 * SIDE : 4 * SIDE + 3 * SIDE // 2] = np.concatenate([large, large])
    objects = found(image, np.concatenate([boxes((0, 0, 1, 2), (2, 0, 3, 2)), boxes((8, 0, 11, 6)) / 2]))
    assert MIN_CORRELATION < self_correlation(image, objects.xyxy[1], 1) < SAME
    assert self_correlation(image, objects.xyxy[2], 1) > SAME
    made = split_merged(image, objects, faint(boxes((0, 1, 1, 2))), embed)
    assert len(made) == 5, "the large one's halves are the same, but it has another size"
    assert objects.xyxy[2].tolist() in made.xyxy.tolist()
    none_seen = split_merged(image, objects, Objects.empty(), embed)
    assert none_seen is objects


@pytest.mark.parametrize(("cosine", "count"), [(0.8, 4), (0.7, 3)])
def test_a_copy_is_split_though_its_halves_differ(cosine: float, count: int) -> None:
    """Something hides half of the second stack's lower half."""
    image = picture((1, 0, 0), (1, 0, 1), (1, 2, 0), (1, 2, 1))
    image[SIDE : 2 * SIDE, 2 * SIDE : 2 * SIDE + SIDE // 2] = texture(9)[:, : SIDE // 2]
    objects = found(image, boxes((0, 0, 1, 2), (2, 0, 3, 2)))
    assert self_correlation(image, objects.xyxy[1], 1) < MIN_CORRELATION
    vectors = np.zeros((2, 75), np.float32)
    vectors[0, 0], vectors[1, :2] = 1, (cosine, np.sqrt(1 - cosine**2))
    made = split_merged(image, objects.replace(embedding=vectors), faint(boxes((0, 0, 1, 1))), embed)
    assert len(made) == count


def test_side_by_side_both_must_be_seen() -> None:
    image = picture((1, 0, 0), (1, 1, 0))
    objects = found(image, boxes((0, 0, 2, 1)))
    assert len(split_merged(image, objects, faint(boxes((0, 0, 1, 1))), embed)) == 1
    assert len(split_merged(image, objects, faint(boxes((0, 0, 1, 1), (1, 0, 2, 1))), embed)) == 2


def test_a_half_takes_the_place_of_a_box_that_it_covers() -> None:
    image = picture((1, 0, 0), (1, 0, 1))
    objects = found(image, boxes((0, 0, 1, 2), (0, 1, 1, 2)))
    made = split_merged(image, objects, Objects.empty(), embed)
    assert sorted(map(tuple, (made.xyxy / SIDE).tolist())) == [(0, 0, 1, 1), (0, 1, 1, 2)]


@given(st.integers(0, 10**6), st.integers(0, 1))
def test_correlation_is_one_of_two_copies_and_bounded(seed: int, axis: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 255, (2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
    box = np.array([0, 0, 2 * SIDE, 2 * SIDE], np.float32)
    assert -1 <= self_correlation(noise, box, axis) <= 0.6
    twice = np.concatenate([texture(seed)] * 2, axis=1 - axis)
    box = np.array([0, 0, twice.shape[1], twice.shape[0]], np.float32)
    assert self_correlation(twice, box, axis) > 0.9
    assert self_correlation(twice, np.array([-5, -5, 2, 2], np.float32), axis) == -1


@given(st.integers(0, 1), st.lists(st.floats(0, 100, width=32), min_size=4, max_size=4, unique=True))
def test_halves_tile_the_box(axis: int, corners: list[float]) -> None:
    a, b, c, d = sorted(corners)
    box = np.array([[a, b, c, d]], np.float32)
    first, second = cut(box, axis)[0]
    assert first[axis + 2] == second[axis]
    assert np.array_equal(np.minimum(first, second)[:2], box[0, :2])
    assert np.array_equal(np.maximum(first, second)[2:], box[0, 2:])


@pytest.mark.parametrize("again", [True, False])
def test_the_observer_splits_unless_told_not_to(again: bool) -> None:
    seen = faint(boxes((0, 0, 1, 1)))
    info = DetectionInfo((9, 9), 1.0, None, 1, None, 0.35, 2, "", "", low_score_objects=seen)
    bare = found(STACK, WHOLE).replace(embedding=None)
    observer = Observer(Settings(second_look=again))
    vars(observer)["detector"] = SimpleNamespace(detect_with_info=lambda image: (bare, info), confidence=0.35)
    vars(observer)["embedder"] = SimpleNamespace(embed=embed, dimension=75)
    observed = observer.observe(Scene(STACK, name="s"))
    assert len(observed.objects) == (3 if again else 2)
    assert observed.detection.get("split") == (1 if again else None)
    assert "low_score_objects" not in observed.detection
