"""Doubts, reliability and reassignment, against naive versions and clear cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster import membership_evidence, reassign, reliable_rows
from packed_scenes.cluster.reliable import overlap
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), noise=st.floats(0, 0.4))
def test_doubts_equal_a_naive_version(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    X, labels = scene_vectors(30, dim=8, seed=seed)
    labels = np.where(rng.random(30) < noise, -1, np.unique(labels, return_inverse=True)[1])
    _, labels[labels >= 0] = np.unique(labels[labels >= 0], return_inverse=True)
    found = membership_evidence(X, labels, threshold=0.3)
    distance = 1 - X.astype(np.float64) @ X.T.astype(np.float64)
    for i in range(30):
        mates = np.flatnonzero((labels == labels[i]) & (labels >= 0) & (np.arange(30) != i))
        own = distance[i, mates].mean() if len(mates) else 0.3
        assert found.own[i] == pytest.approx(max(own, 0), abs=1e-5)
        means = {int(c): distance[i, labels == c].mean() for c in np.unique(labels) if c >= 0 and c != labels[i]}
        if means:
            assert found.other[i] == pytest.approx(min(means.values()), abs=1e-5)
        strangers = [j for j in range(30) if j != i and (labels[j] != labels[i] or labels[i] < 0)]
        if strangers:
            assert distance[i, found.foreign[i]] == pytest.approx(min(distance[i, j] for j in strangers), abs=1e-6)
    for name, row in enumerate(found.central):
        assert labels[row] == name


def test_overlap_is_intersection_over_union() -> None:
    assert overlap([0, 0, 0, 1, -1], [5, 5, 6, 6, 7]).tolist() == [2 / 3, 2 / 3, 1 / 4, 1 / 2, 1]


def test_reliable_clusters_hold_at_both_sides() -> None:
    labels = [0, 0, 1, 1, 2, 2, -1]
    tighter = [0, 0, 1, 9, 2, 2, 3]
    looser = [0, 0, 1, 1, 2, 2, 2]
    assert reliable_rows(labels, tighter, looser).tolist() == [True, True, False, False, True, True, False]


def test_reassign_moves_splits_and_drops() -> None:
    rng = np.random.default_rng(0)
    centre = np.eye(6)
    true = np.repeat([0, 1, 2], 5)
    X = centre[true] + 0.03 * rng.standard_normal((15, 6))
    labels = true.copy()
    labels[0] = 1  # an intruder
    labels[14] = -1  # an outlier that belongs
    pair = centre[[4, 4]] + 0.02 * rng.standard_normal((2, 6))
    alone = centre[[5]]
    X, labels = np.concatenate([X, pair, alone]), np.concatenate([labels, [0, 0, 1]])
    found = reassign(X, labels, threshold=0.3, single="noise")
    assert found.labels[0] == found.labels[1]
    assert found.labels[14] == found.labels[13]
    assert found.moved[[0, 14]].all()
    assert found.labels[15] == found.labels[16]
    assert found.split[[15, 16]].all()
    assert found.labels[17] == -1
    assert found.dropped[17]
    stays = reassign(X, labels, threshold=0.3, fixed=np.ones(18, bool))
    assert not (stays.moved | stays.split | stays.dropped).any()
    with pytest.raises(InputError, match="single"):
        reassign(X, labels, threshold=0.3, single="away")
