import numpy as np
import pytest

from packed_scenes.detect.scale import estimate_size, most_trustworthy, weighted_median


def test_the_look_nearest_to_the_best_size_is_trusted() -> None:
    boxes = np.array([[0, 0, 100, 100]] * 10, np.float32)
    score = np.full(10, 0.8, np.float32)
    near, far = estimate_size(boxes, score, 0.7), estimate_size(boxes * 1.5, score, 0.1)
    chosen = most_trustworthy([far, near], best_px=72)
    assert chosen is not None
    assert chosen.object_px == pytest.approx(100)
    assert most_trustworthy([estimate_size(boxes[:2], score[:2], 0.7)], best_px=72) is None
    assert most_trustworthy([estimate_size(boxes[:0], score[:0], 0.7)], best_px=72) is None


def test_a_few_objects_are_evidence_where_they_fill_the_picture() -> None:
    boxes = np.array([[0, 0, 200, 200], [200, 0, 400, 200]], np.float32)
    score = np.full(2, 0.8, np.float32)
    assert estimate_size(boxes, score, 0.7, area=400 * 400).enough
    assert not estimate_size(boxes, score, 0.7, area=4000 * 4000).enough


def test_examples_are_sure_ones_of_about_the_median_size() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 31, 10], [40, 0, 50, 11], [0, 50, 90, 140]], np.float32)
    seen = estimate_size(boxes, np.array([0.5, 0.9, 0.7, 0.95], np.float32), 1.0)
    assert seen.examples.tolist() == [[20, 0, 31, 10], [40, 0, 50, 11]]


def test_weighted_median() -> None:
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0])) == 2
