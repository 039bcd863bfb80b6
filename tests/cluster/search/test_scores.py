"""Scores from sufficient statistics against scikit-learn's on the whole matrix."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.search.scores import draw_sample, internal_scores


def whole(X):
    return draw_sample(X, max_rows=10, all_up_to=10**6)


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 80), st.integers(1, 5), st.integers(2, 9), st.integers(0, 10**6))
def test_scores_are_scikit_learns_without_noise(rows, dim, groups, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, dim)).astype(np.float32)
    labels = rng.integers(-1, groups, rows)
    names, labels[labels >= 0] = np.unique(labels[labels >= 0], return_inverse=True)
    found = internal_scores(X, labels, whole(X))
    kept = labels >= 0
    assert found.clusters == len(names)
    assert found.noise == pytest.approx(1 - kept.mean())
    if not 1 < len(names) < kept.sum():
        assert np.isnan(found.silhouette)
        return
    X, labels = X[kept].astype(np.float64), labels[kept]
    assert found.silhouette == pytest.approx(sklearn.metrics.silhouette_score(X, labels), abs=1e-5)
    assert found.calinski_harabasz == pytest.approx(sklearn.metrics.calinski_harabasz_score(X, labels), rel=1e-4)
    assert found.davies_bouldin == pytest.approx(sklearn.metrics.davies_bouldin_score(X, labels), rel=1e-3)
    inertia = sum(((X[labels == c] - X[labels == c].mean(0)) ** 2).sum() for c in range(len(names)))
    assert found.inertia == pytest.approx(inertia, rel=1e-4)


def test_root_mean_square_silhouette_is_that_of_pairwise_distances():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3)).astype(np.float32)
    labels = rng.integers(0, 4, 120)
    square = ((X[:, None] - X[None]) ** 2).sum(-1)
    values = []
    for i in range(120):
        others = [np.sqrt(square[i, labels == c].mean()) for c in range(4) if c != labels[i]]
        own = np.sqrt(square[i, labels == labels[i]].sum() / ((labels == labels[i]).sum() - 1))
        values.append((min(others) - own) / max(min(others), own))
    assert internal_scores(X, labels, whole(X)).silhouette_rms == pytest.approx(np.mean(values), abs=1e-6)


def test_a_sample_says_so_and_comes_near():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 5, 20_000)
    X = (3 * rng.standard_normal((5, 4))[labels] + rng.standard_normal((20_000, 4))).astype(np.float32)
    sample = draw_sample(X, max_rows=1500, all_up_to=6000)
    assert not sample.whole
    assert len(sample.rows) == 1500
    found = internal_scores(X, labels, sample)
    assert found.silhouette_rows == 1500
    exact = sklearn.metrics.silhouette_score(X, labels, sample_size=6000, random_state=0)
    assert found.silhouette == pytest.approx(exact, abs=0.03)
    assert found.silhouette_rms == pytest.approx(exact, abs=0.06)


def test_everything_noise_or_one_cluster_has_no_score():
    X = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
    for labels in (np.full(20, -1), np.zeros(20, int), np.arange(20)):
        found = internal_scores(X, labels, whole(X))
        assert np.isnan(found.silhouette)
        assert np.isnan(found.calinski_harabasz)
