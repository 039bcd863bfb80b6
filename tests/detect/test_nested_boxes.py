import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.detect.nested_boxes import rescore


def test_a_part_and_a_pair_are_lowered_but_neighbours_and_crossings_are_not() -> None:
    boxes = np.array(
        [
            [0, 0, 100, 100],
            [5, 50, 95, 100],
            [100, 0, 200, 100],
            [100, 0, 300, 100],
            [200, 0, 300, 100],
            [150, 50, 250, 150],
        ],
        np.float32,
    )
    score = np.array([0.9, 0.8, 0.85, 0.7, 0.8, 0.5], np.float32)
    assert rescore(boxes, score).tolist() == np.array([0.9, 0.4, 0.85, 0.35, 0.8, 0.5], np.float32).tolist()


def test_what_is_lowered_itself_lowers_nothing() -> None:
    boxes = np.array([[0, 0, 100, 100], [0, 0, 60, 100], [10, 40, 50, 140]], np.float32)
    # the third lies in the second only by 60 %, so only the second is lowered
    assert (
        rescore(boxes, np.array([0.9, 0.8, 0.7], np.float32)).tolist() == np.array([0.9, 0.4, 0.7], np.float32).tolist()
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60))
def test_the_order_does_not_matter(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(3, 60, (count, 2))], 1).astype(np.float32)
    score = rng.permutation(count).astype(np.float32) / max(1, count)
    whole = rescore(boxes, score)
    mixed = rng.permutation(count)
    assert np.array_equal(rescore(boxes[mixed], score[mixed]), whole[mixed])
