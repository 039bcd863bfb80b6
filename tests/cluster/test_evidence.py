"""What the evidence of a decision takes into account, and when its pieces are joined."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.decision import Evidence, deciding
from packed_scenes.cluster.decision.judging import Judgement, judge
from packed_scenes.cluster.decision.lists import Lists
from packed_scenes.cluster.decision.network import load
from packed_scenes.cluster.scene_shift import remove_scene_shifts
from tests.cluster.synthetic import scene_vectors

ROWS = 30


def two_scenes() -> tuple[np.ndarray, Hints]:
    """Twice the same objects, the second time all of them moved one way, and boxes for them."""
    X, _ = scene_vectors(ROWS // 2, dim=16)
    both = np.concatenate([X, X + np.float32(0.3) * np.eye(16, dtype=np.float32)[0]])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    corner = np.random.default_rng(0).uniform(0, 300, (ROWS, 2))
    return both, Hints(xyxy=np.concatenate([corner, corner + 50], axis=1), scene=np.arange(ROWS) // (ROWS // 2))


@pytest.mark.parametrize("unit", [None, 0.05, 1.5])
def test_the_shift_of_a_scene_is_taken_out_as_far_as_the_lower_threshold_allows(unit: float | None) -> None:
    X, hints = two_scenes()
    first = judge(X, xyxy=hints.xyxy, scene=hints.scene, unit=unit)
    limit = first.boundary() if unit is None else min(first.boundary(), unit)
    assert hints.scene is not None
    expected = remove_scene_shifts(X, hints.scene, threshold=limit)
    found = Evidence(X, hints, unit=unit)
    np.testing.assert_allclose(found.X, expected, atol=1e-5)
    again = judge(found.X, xyxy=hints.xyxy, scene=hints.scene, unit=unit)
    assert found.judgement is not None
    np.testing.assert_array_equal(found.judgement.odds, again.odds)
    for asked in (
        Evidence(X, hints, unit=unit, scene_shift=False),
        Evidence(X, Hints(xyxy=hints.xyxy), unit=unit),
        Evidence(X, Hints(scene=np.zeros(ROWS, np.int64)), unit=unit),
    ):
        assert asked.X is X


def test_boxes_and_weights_are_seen_by_the_judge_if_they_are_given() -> None:
    X, hints = two_scenes()
    changed = {**load(), "answer.bias": load()["answer.bias"] + 1}

    def odds(**options: Any) -> np.ndarray:
        judgement = Evidence(X, hints, scene_shift=False, **options).judgement
        assert judgement is not None
        return judgement.odds

    np.testing.assert_array_equal(odds(), judge(X, xyxy=hints.xyxy, scene=hints.scene).odds)
    np.testing.assert_array_equal(odds(boxes=False), judge(X, scene=hints.scene).odds)
    assert (odds(boxes=False) != odds()).any()
    assert (odds(weights=cast(Any, changed)) != odds()).all()


def test_one_row_is_one_identity_for_sure() -> None:
    X, _ = scene_vectors(1)
    for shift in (0.0, -3.0):
        found = Evidence(X, Hints(), unit=0.3).decide(shift=shift)
        assert found.labels.tolist() == [0]
        assert (found.probability.tolist(), found.expected_f, found.boundary) == ([1], 1, 0)


def test_pieces_are_joined_where_nothing_is_known_or_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(ROWS)
    one = np.zeros(ROWS, np.int64)
    monkeypatch.setattr(deciding, "join_pieces", lambda X, labels, value, weights: (one, 1.3))
    free, known = Evidence(X, Hints()), Evidence(X, Hints(must_link=np.array([[0, 1]])))
    assert free.decide().count == 1
    assert free.decide().expected_f == 1  # what is expected of an F is never above it
    assert free.decide(shift=-1).count > 1
    assert known.decide().count > 1


def test_where_all_pairs_are_unlike_the_boundary_is_below_the_nearest() -> None:
    lists = Lists(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[0.2, 0.9], [0.2, 0.6], [0.6, 0.9]], np.float32))
    assert 0 < Judgement(lists, np.full((3, 2), -1, np.float32), (-1.0, 0.0)).boundary() < 0.2
    assert Judgement(lists, np.full((3, 2), 1, np.float32), (1.0, 0.0)).boundary() == pytest.approx(0.9)
