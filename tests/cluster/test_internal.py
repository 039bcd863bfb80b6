from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as library

from packed_scenes.cluster import internal
from packed_scenes.cluster.dense import cosine_distances
from tests.cluster.synthetic import scene_vectors


@pytest.mark.parametrize("seed", range(4))
def test_silhouettes_equal_the_library(seed: int) -> None:
    X, y = scene_vectors(90, seed=seed)
    y = np.unique(y % 20, return_inverse=True)[1]
    expected = library.silhouette_samples(X, y, metric="cosine")
    np.testing.assert_allclose(internal.silhouette_from_distances(cosine_distances(X), y), expected, atol=1e-5)
    assert internal.silhouette(X, y) == pytest.approx(expected.mean(), abs=1e-5)


def test_simplified_silhouette_equals_its_definition() -> None:
    X, y = scene_vectors(60)
    y = np.unique(y, return_inverse=True)[1]
    centre = np.stack([X[y == k].mean(0) / np.linalg.norm(X[y == k].mean(0)) for k in range(y.max() + 1)])
    total = 0.0
    for row, own in zip(X, y, strict=True):
        d = 1 - centre @ row
        a, b = d[own], np.delete(d, own).min()
        total += (b - a) / max(a, b) if (y == own).sum() > 1 else 0.0
    assert internal.simplified_silhouette(X, y) == pytest.approx(total / 60, abs=1e-5)


def test_a_single_row_is_judged_by_its_stand_in() -> None:
    distance = np.array([[0, 0.1, 0.8], [0.1, 0, 0.8], [0.8, 0.8, 0]])
    labels = np.array([0, 0, 1])
    assert internal.silhouette_from_distances(distance, labels)[2] == 0
    assert internal.silhouette_from_distances(distance, labels, singleton_distance=0.2)[2] == pytest.approx(0.75)
    assert internal.silhouette_from_distances(distance, labels, singleton_distance=1.6)[2] == pytest.approx(-0.5)


def test_library_scores_leave_noise_out() -> None:
    X, y = scene_vectors(80)
    y = np.unique(y % 10, return_inverse=True)[1]
    noisy = np.where(np.arange(80) % 7 == 0, -1, y)
    kept = noisy >= 0
    assert internal.calinski_harabasz(X, noisy) == pytest.approx(library.calinski_harabasz_score(X[kept], y[kept]))
    assert internal.davies_bouldin(X, noisy) == pytest.approx(library.davies_bouldin_score(X[kept], y[kept]))


@pytest.mark.parametrize("labels", [np.zeros(6, np.int64), np.arange(6), np.full(6, -1)])
def test_undefined_scores_are_nan(labels: np.ndarray) -> None:
    X, _ = scene_vectors(6)
    for name in ("silhouette", "simplified_silhouette", "calinski_harabasz", "davies_bouldin"):
        assert np.isnan(getattr(internal, name)(X, labels)), name
