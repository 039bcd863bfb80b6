"""Cases at the edge of a rule, which mutations of the code showed to be untested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.assign import Assigner
from packed_scenes.cluster.reciprocal import cluster_counts, reciprocal_merge
from tests.cluster.synthetic import scene_vectors


def test_clusters_at_exactly_the_threshold_merge() -> None:
    square = np.eye(4, dtype=np.float32)
    assert reciprocal_merge(square, 1.0).tolist() == [0, 0, 0, 0]
    assert reciprocal_merge(square, 0.999).tolist() == [0, 1, 2, 3]
    assert cluster_counts(square, [0.5, 1.0]).tolist() == [4, 1]


def test_groups_to_start_from_stay_together_however_far() -> None:
    square = np.eye(4, dtype=np.float32)
    assert reciprocal_merge(square, 0.1, start=np.array([0, 1, 0, 2])).tolist() == [0, 1, 0, 2]
    far = reciprocal_merge(square, 1.0, start=np.array([0, 1, 0, 2]), cannot_link=np.array([[0, 1]]))
    assert far[0] == far[2] != far[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(4, 40))
def test_reach_of_a_cluster_is_the_threshold_or_its_own_spread(seed: int, count: int) -> None:
    X, labels = scene_vectors(count, dim=8, seed=seed)
    labels = labels - 1  # the first identity is noise
    assigner = Assigner(X, labels, 0.05)
    for name in range(labels.max() + 1):
        rows = X[labels == name]
        limit = 0.05
        if len(rows) > 2:
            distance = 1 - rows @ rows.T
            limit = max(limit, float(((distance.sum(1) - np.diag(distance)) / (len(rows) - 1)).max()))
        assert assigner._limits[name] == pytest.approx(limit, abs=1e-5)


@pytest.mark.parametrize("threshold", [0, 2])
def test_the_whole_range_of_thresholds_is_allowed(threshold: float) -> None:
    X = np.eye(3, dtype=np.float32)
    assert Assigner(X, np.arange(3), threshold).assign(X[1:2]).labels.tolist() == [1]
