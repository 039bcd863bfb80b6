import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.data.overlaps import pairwise_inside, pairwise_iou
from packed_scenes.detect.nms import nms, nms_mean


def crowd(seed: int, count: int, spread: float = 200.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, spread, (count, 2))
    boxes = np.concatenate([low, low + np.exp(rng.normal(3, 0.7, (count, 2)))], 1).astype(np.float32)
    return boxes, rng.integers(1, 20, count).astype(np.float32) / 20


def naive(xyxy: np.ndarray, score: np.ndarray, iou: float) -> list[int]:
    order = sorted(range(len(xyxy)), key=lambda i: (-score[i], xyxy[i, 1], xyxy[i, 0], i))
    table, kept = pairwise_iou(xyxy, xyxy), []
    for i in order:
        if all(table[i, j] <= iou for j in kept):
            kept.append(i)
    return kept


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(0, 120), st.sampled_from([0.2, 0.5, 0.6, 0.9]), st.sampled_from([30.0, 300.0])
)
def test_equals_the_naive_algorithm(seed: int, count: int, iou: float, spread: float) -> None:
    boxes, score = crowd(seed, count, spread)
    assert nms(boxes, score, iou_threshold=iou).tolist() == naive(boxes, score, iou)


@pytest.mark.slow
def test_equals_torchvision_without_ties() -> None:
    import torch
    import torchvision

    boxes, _ = crowd(3, 800)
    score = np.random.default_rng(0).permutation(800).astype(np.float32) / 800
    expected = torchvision.ops.nms(torch.from_numpy(boxes), torch.from_numpy(score), 0.6).tolist()
    assert nms(boxes, score, iou_threshold=0.6).tolist() == expected


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80))
def test_the_order_of_the_rows_does_not_matter(seed: int, count: int) -> None:
    boxes, score = crowd(seed, count)
    mixed = np.random.default_rng(seed).permutation(count)
    assert np.array_equal(boxes[nms(boxes, score)], boxes[mixed][nms(boxes[mixed], score[mixed])])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100), st.sampled_from([0.3, 0.6]), st.sampled_from([30.0, 300.0]))
def test_means_equal_the_naive_ones(seed: int, count: int, iou: float, spread: float) -> None:
    boxes, score = crowd(seed, count, spread)
    kept, means = nms_mean(boxes, score, iou_threshold=iou, min_score=0.3)
    assert kept.tolist() == [i for i in naive(boxes, score, iou) if score[i] >= np.float32(0.3)]
    for row, mean in zip(kept, means, strict=True):
        voters = pairwise_iou(boxes[row : row + 1], boxes)[0] > iou
        assert mean == pytest.approx(np.average(boxes[voters], axis=0, weights=score[voters]), rel=1e-4)


def test_a_box_alone_is_its_own_mean() -> None:
    boxes, score = crowd(4, 50, 1e5)
    kept, means = nms_mean(boxes, score)
    assert np.array_equal(means, boxes[kept])


def test_touching_neighbours_stay() -> None:
    left = np.arange(0, 100, 10, dtype=np.float32)
    boxes = np.stack([left, left * 0, left + 10, left * 0 + 30], 1)
    assert len(nms(boxes, np.ones(10, np.float32))) == 10


def test_limit_keeps_the_best() -> None:
    boxes, score = crowd(1, 300, 3000)
    assert nms(boxes, score, max_boxes=7).tolist() == nms(boxes, score)[:7].tolist()


def test_no_box_and_one_box() -> None:
    assert nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)).tolist() == []
    assert nms(np.array([[0, 0, 1, 1]], np.float32), np.ones(1, np.float32)).tolist() == [0]


def test_wrong_threshold_is_refused() -> None:
    with pytest.raises(InputError, match="iou"):
        nms(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), iou_threshold=0)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [3.0, 4000.0])
def test_thirty_thousand_candidates_take_little_memory(spread: float) -> None:
    boxes, score = crowd(0, 30_000, spread)
    tracemalloc.start()
    nms(boxes, score, max_boxes=3000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_overlaps_by_hand() -> None:
    a, b = (
        np.array([[0, 0, 10, 10]], np.float32),
        np.array([[5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 20, 20]], np.float32),
    )
    assert pairwise_iou(a, b)[0] == pytest.approx([1 / 3, 0, 0.25])
    assert pairwise_inside(a, b)[0] == pytest.approx([0.5, 0, 1])
