"""k-reciprocal re-ranking against the paper's loops, and the clusterer built on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster import make
from packed_scenes.cluster.constraints import exclusive_pairs
from packed_scenes.cluster.dense import average_tree, cosine_distances
from packed_scenes.cluster.rerank import merge_reranked, reciprocal_similarity
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


def naive(X: Any, k1: int, k2: int, reach: float = 9.0) -> Any:
    """Zhong et al. 2017, algorithm as in the authors' code, on cosine distances."""
    distance = np.clip(1 - X @ X.T, 0, None)
    np.fill_diagonal(distance, -1)
    order = np.argsort(distance, axis=1, kind="stable")
    np.fill_diagonal(distance, 0)

    def near(i: int, k: int) -> set[int]:
        return {int(j) for j in order[i, : k + 1] if distance[i, j] <= reach}

    def mutual(i: int, k: int) -> set[int]:
        return {j for j in near(i, k) if i in near(j, k)}

    n = len(X)
    V = np.zeros((n, n))
    for i in range(n):
        own = mutual(i, k1)
        grown = set(own)
        for c in own:
            half = mutual(c, max(1, round(k1 / 2)))
            if len(half & own) >= 2 / 3 * len(half):
                grown |= half
        for j in grown:
            V[i, j] = np.exp(-distance[i, j])
        V[i] /= V[i].sum()
    if k2 > 1:
        V = np.stack([V[sorted(near(i, k2 - 1))].mean(axis=0) for i in range(n)])
    least = np.minimum(V[:, None], V[None]).sum(axis=2)
    return least / np.maximum(V[:, None], V[None]).sum(axis=2)


@pytest.mark.parametrize(("k1", "k2", "reach"), [(4, 1, None), (6, 2, None), (6, 2, 0.6), (10, 3, None)])
def test_equals_the_papers_loops(k1: int, k2: int, reach: float | None) -> None:
    X, _ = scene_vectors(60, dim=16, seed=3)
    found = reciprocal_similarity(X, k1=k1, k2=k2, reach=reach).toarray()
    assert np.allclose(found, naive(X.astype(np.float64), k1, k2, reach or 9.0), atol=2e-5)


def test_blocks_of_rows_do_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(80, seed=1)
    whole = reciprocal_similarity(X).toarray()
    monkeypatch.setattr("packed_scenes.cluster.rerank.BLOCK_PRODUCTS", 50)
    assert np.allclose(whole, reciprocal_similarity(X).toarray())
    assert np.allclose(whole, whole.T, atol=1e-6)
    assert np.allclose(np.diag(whole), 1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_components_give_the_tree_of_everything(seed: int) -> None:
    X, _ = scene_vectors(90, seed=seed)
    similarity = reciprocal_similarity(X)
    distance = 0.7 * (1 - similarity.toarray().astype(np.float64)) + 0.3 * cosine_distances(X)
    expected = average_tree((distance + distance.T) / 2).cut(0.4)
    labels, warnings = merge_reranked(X, similarity, 0.4)
    assert adjusted_rand_score(expected, labels) == 1
    assert not warnings


def test_a_large_component_is_cut_and_said() -> None:
    X, _ = scene_vectors(60, seed=2)
    labels, warnings = merge_reranked(X, reciprocal_similarity(X, k1=20), 0.65, max_component=4)
    assert len(labels) == 60
    assert warnings


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 500))
def test_exclusive_rows_stay_apart_and_must_links_join(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, _ = scene_vectors(40, seed=seed)
    exclusive = rng.integers(-1, 12, 40)
    must = rng.permutation(40)[:4].reshape(2, 2)
    for name in ("k-reciprocal", "average"):
        labels = make(name, calibrated=0.4).fit_predict(X, exclusive=exclusive, must_link=must)
        assert (labels[must[:, 0]] == labels[must[:, 1]]).all()
        joined = np.isin(np.arange(40), must)
        for a, b in exclusive_pairs(exclusive):
            if not joined[a] and not joined[b]:
                assert labels[a] != labels[b]


def test_finds_pairs_over_cameras_better_than_a_cut() -> None:
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(60), 2)
    centre = rng.standard_normal((60, 32))
    X = centre[true] + 0.75 * rng.standard_normal((120, 32))
    plain = adjusted_rand_score(true, make("average", calibrated=0.3).fit_predict(X))
    assert adjusted_rand_score(true, make("k-reciprocal", calibrated=0.3).fit_predict(X)) > plain + 0.05


def test_classes_larger_than_the_lists_hold_together() -> None:
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(5), 80)
    X = rng.standard_normal((5, 32))[true] + 0.25 * rng.standard_normal((400, 32))
    assert adjusted_rand_score(true, make("k-reciprocal", calibrated=0.2).fit_predict(X)) > 0.95


def test_bad_options_are_named() -> None:
    X, _ = scene_vectors(10)
    with pytest.raises(InputError, match="k1 and k2"):
        reciprocal_similarity(X, k1=0)
    with pytest.raises(InputError, match="threshold"):
        make("k-reciprocal", threshold=0.8).fit(X)
    with pytest.raises(InputError, match="exclusive"):
        make("k-reciprocal").fit(X, exclusive=[0.5] * 10)
