from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from packed_scenes.aggregate import aggregate
from packed_scenes.aggregate.metrics import CongregationScore, congregation_score
from packed_scenes.data import InputError, Objects
from tests.aggregate.scenes import FRAME, boxes_of, packed


def pairs(objects: Objects) -> set[tuple[int, int]]:
    keys = list(zip(objects.cluster.tolist(), objects.congregation.tolist(), strict=True))
    return {(i, j) for i, j in combinations(range(len(keys)), 2) if keys[i] == keys[j] and keys[i][1] > 0}


@settings(max_examples=50, deadline=None)
@given(packed(), packed())
def test_agrees_with_counting_pairs_one_by_one(first: Objects, second: Objects) -> None:
    count = min(len(first), len(second))
    true, _ = aggregate(first.select(slice(count)), FRAME)
    found, _ = aggregate(true.replace(cluster=second.select(slice(count)).cluster), FRAME)
    score = congregation_score(true, found)
    a, b = pairs(true), pairs(found)
    assert (score.true, score.predicted, score.both) == (len(a), len(b), len(a & b))
    assert congregation_score(true, true).pairwise_f == 1
    assert congregation_score(true, true).count_error == 0


def test_misses_and_false_alarms_count_against_their_side() -> None:
    true, _ = aggregate(boxes_of((0, 0, 50, 50), (50, 0, 100, 50), (100, 0, 150, 50), cluster=[1, 1, 1]), FRAME)
    found, _ = aggregate(boxes_of((0, 0, 50, 50), (50, 0, 100, 50), (50, 50, 100, 100), cluster=[0, 0, 0]), FRAME)
    score = congregation_score(true, found, [0, 1, -1])
    assert (score.both, score.predicted, score.true) == (1, 3, 3)
    assert score.pairwise_f == pytest.approx(1 / 3)
    assert (score + score).pairwise_f == pytest.approx(1 / 3)
    assert (score + CongregationScore()).n_true == 1


def test_wrong_input() -> None:
    objects = boxes_of((0, 0, 50, 50), cluster=[1])
    with pytest.raises(InputError, match="no congregations"):
        congregation_score(objects, objects)
    done, _ = aggregate(objects, FRAME)
    with pytest.raises(InputError, match="same objects"):
        congregation_score(done, done.select(np.zeros(0, int)))
