from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster import AverageLinkage
from packed_scenes.cluster.assign import Assigner, keep_names
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


def clear(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return scene_vectors(count, dim=64, seed=seed, noise=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_clear_cases_equal_a_refit(seed: int) -> None:
    X, _ = clear(300, seed)
    refit = AverageLinkage(0.3).fit_predict(X)
    assigner = Assigner(X[:200], AverageLinkage(0.3).fit_predict(X[:200]), 0.3)
    found = assigner.assign(X[200:])
    assert adjusted_rand_score(np.concatenate([assigner.labels, found.labels]), refit) == 1
    assert not found.doubtful.any()


def test_one_by_one_equals_all_at_once() -> None:
    X, _ = clear(200)
    start = AverageLinkage(0.3).fit_predict(X[:100])
    together, single = Assigner(X[:100], start, 0.3), Assigner(X[:100], start, 0.3)
    together.add(X[100:])
    for row in X[100:]:
        single.add(row[None])
    assert adjusted_rand_score(together.labels, single.labels) == 1
    assert (single.labels[:100] == start).all()


def test_old_names_stay_and_new_ones_follow() -> None:
    X = np.eye(6, dtype=np.float32)
    assigner = Assigner(X[:3], np.array([0, 1, 2]), 0.2)
    found = assigner.add(np.vstack([X[1], X[4], X[4], X[5]]))
    assert found.labels.tolist() == [1, 3, 3, 4]
    assert found.is_new.tolist() == [False, True, True, True]
    assert found.first_new == 3
    assert Assigner(X[:3], np.array([0, 1, 2]), 0.2, single="noise").assign(X[5:]).labels.tolist() == [-1]


def test_noise_attracts_nothing_and_wide_clusters_keep_their_spread() -> None:
    X = np.eye(4, dtype=np.float32)
    assert Assigner(X, np.array([-1, -1, -1, -1]), 0.2).assign(X).labels.tolist() == [0, 1, 2, 3]
    angles = np.array([0.0, 0.5, 1.0])
    wide = np.column_stack([np.cos(angles), np.sin(angles)])
    assert Assigner(wide, np.zeros(3, int), 0.05).assign([[np.cos(0.7), np.sin(0.7)]]).labels.tolist() == [0]


def test_nearest_member_of_another_cluster_is_doubtful() -> None:
    angles = np.array([-0.8, 0.0, 0.02, 0.04, 0.4])
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    found = Assigner(X, np.array([1, 0, 0, 0, 1]), 0.5).assign([[np.cos(0.25), np.sin(0.25)]])
    assert found.labels.tolist() == [0]
    assert found.doubtful.tolist() == [True]


def test_keep_names() -> None:
    assert keep_names([5, 5, 7, -1], [0, 0, 1, 2, 2]).tolist() == [5, 5, 7, 8, 8]
    # split: the larger part keeps the name; joined: the name of the larger part stays
    assert keep_names([3, 3, 3], [0, 1, 1]).tolist() == [4, 3, 3]
    assert keep_names([0, 1, 1], [4, 4, 4]).tolist() == [1, 1, 1]
    assert keep_names([0, 1], [9, 9, 8, -1], rows=[2, 0]).tolist() == [1, 1, 0, -1]
    assert keep_names([], [1, 0, 0]).tolist() == [1, 0, 0]


def test_names_stay_when_grown_data_are_clustered_again() -> None:
    X, _ = clear(300, 3)
    before = AverageLinkage(0.3).fit_predict(X[:200])
    after = keep_names(before, AverageLinkage(0.3).fit_predict(X))
    assert (after[:200] == before).mean() > 0.99


def test_bad_input_is_named() -> None:
    X = np.eye(3)
    with pytest.raises(InputError, match="same length"):
        Assigner(X, np.zeros(2, int), 0.2)
    with pytest.raises(InputError, match="threshold"):
        Assigner(X, np.zeros(3, int), 3)
    with pytest.raises(InputError, match="single"):
        Assigner(X, np.zeros(3, int), 0.2, single="drop")
    with pytest.raises(InputError, match="3 columns"):
        Assigner(X, np.zeros(3, int), 0.2).assign(np.eye(4))
    with pytest.raises(InputError, match="rows must name"):
        keep_names([0, 1], [0])
