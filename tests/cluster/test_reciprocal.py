from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.constraints import close
from packed_scenes.cluster.dense import average_tree, cosine_distances
from packed_scenes.cluster.reciprocal import cluster_counts, reciprocal_merge
from tests.cluster.synthetic import scene_vectors


@pytest.mark.parametrize("count", [1, 2, 3, 50, 700])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.8, 1.0, 2.0])
def test_same_labels_as_scipy(count: int, threshold: float) -> None:
    X, _ = scene_vectors(count, seed=count)
    tree = average_tree(cosine_distances(X))
    assert adjusted_rand_score(tree.cut(threshold), reciprocal_merge(X, threshold)) == 1


def test_going_on_from_a_lower_threshold_changes_nothing() -> None:
    X, _ = scene_vectors(600)
    step = reciprocal_merge(X, 0.3)
    assert adjusted_rand_score(reciprocal_merge(X, 0.6, start=step), reciprocal_merge(X, 0.6)) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.6, 0.9, 1.5]))
def test_constraints_agree_with_the_dense_tree(seed: int, threshold: float) -> None:
    X, _ = scene_vectors(40, dim=8, seed=seed)
    rng = np.random.default_rng(seed)
    must = rng.integers(0, 40, (4, 2))
    group = close(40, Hints(must_link=must)).group
    cannot = np.array([p for p in rng.integers(0, 40, (10, 2)) if group[p[0]] != group[p[1]]]).reshape(-1, 2)
    constraints = close(40, Hints(must_link=must, cannot_link=cannot))
    dense = average_tree(cosine_distances(X), constraints).cut(threshold)
    sparse = reciprocal_merge(X, threshold, start=constraints.group, cannot_link=constraints.cannot_link)
    assert adjusted_rand_score(dense, sparse) == 1
    assert (dense[must[:, 0]] == dense[must[:, 1]]).all()
    assert (dense[cannot[:, 0]] != dense[cannot[:, 1]]).all()


def test_counts_over_thresholds() -> None:
    X, _ = scene_vectors(300)
    tree = average_tree(cosine_distances(X))
    thresholds = [0.1, 0.3, 0.5, 0.8]
    assert cluster_counts(X, thresholds).tolist() == [tree.cut(t).max() + 1 for t in thresholds]


def test_many_equal_rows_take_one_round() -> None:
    X = np.repeat(np.eye(3, dtype=np.float32), 2000, axis=0)
    labels = reciprocal_merge(X, 0.1)
    assert np.bincount(labels).tolist() == [2000, 2000, 2000]


def test_star_of_equal_distances_ends() -> None:
    # every satellite is equally near to the hub and farther from the others
    X = np.concatenate([np.eye(1, 30), np.eye(30)[1:] * 0.5 + np.eye(1, 30)]).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    assert adjusted_rand_score(average_tree(cosine_distances(X)).cut(0.15), reciprocal_merge(X, 0.15)) <= 1
    assert reciprocal_merge(X, 0.5).max() == 0


def test_lists_of_an_approximate_search_give_almost_the_same() -> None:
    """They are not symmetric, so a row may be nearest to one that does not list it."""
    pytest.importorskip("faiss")
    X, _ = scene_vectors(6000, dim=32)
    exact, found = (reciprocal_merge(X, 0.5, search=search) for search in ("exact", "ivf"))
    assert adjusted_rand_score(exact, found) > 0.95
