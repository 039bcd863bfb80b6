from __future__ import annotations

import numpy as np
import pytest
import torch

from packed_scenes.cluster.knn import DENSE_ROWS, neighbours
from packed_scenes.cluster.knn_exact import BLOCK, exact_neighbours
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


@pytest.mark.parametrize("count", [2, 40, BLOCK, BLOCK + 1, 2 * BLOCK + 77])
@pytest.mark.parametrize("threads", [1, 3])
def test_exact_equals_naive(count: int, threads: int) -> None:
    X, _ = scene_vectors(count, dim=8, seed=count)
    k = min(7, count - 1)
    index, similarity = exact_neighbours(X, k, threads=threads)
    full = X @ X.T
    np.fill_diagonal(full, -np.inf)
    np.testing.assert_allclose(similarity, -np.sort(-full, axis=1)[:, :k], atol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(full, index.astype(np.int64), 1), similarity, atol=1e-5)
    assert all(len(set(row)) == k for row in index.tolist())
    assert not (index == np.arange(count)[:, None]).any()


def test_small_and_large_routes_agree() -> None:
    X, _ = scene_vectors(DENSE_ROWS, dim=16)
    small = neighbours(X, 5)
    index, similarity = exact_neighbours(X, 5)
    np.testing.assert_allclose(small.similarity, similarity, atol=1e-5)
    assert (small.index == index).mean() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("search", ["ivf", "hnsw"])
def test_approximate_recall(search: str) -> None:
    X, _ = scene_vectors(4000, dim=16)
    exact, approximate = neighbours(X, 8, search="exact"), neighbours(X, 8, search=search)
    assert (approximate.method, exact.method) == (search, "exact")
    hits = [len(set(a) & set(b)) for a, b in zip(exact.index.tolist(), approximate.index.tolist(), strict=True)]
    assert np.mean(hits) / 8 > 0.9
    assert not (approximate.index == np.arange(4000)[:, None]).any()


@pytest.mark.parametrize("search", ["exact", "ivf", "hnsw"])
def test_many_equal_rows_do_not_name_themselves(search: str) -> None:
    X = np.tile(np.eye(4, dtype=np.float32), (DENSE_ROWS, 1))[: DENSE_ROWS + 500]
    graph = neighbours(X, 3, search=search)
    assert not (graph.index == np.arange(len(X))[:, None]).any()
    found = graph.index >= 0
    assert (graph.similarity[found] >= 0).all()
    assert np.isinf(graph.distance[~found]).all()


def test_bad_arguments_are_named() -> None:
    X = np.eye(4, dtype=np.float32)
    with pytest.raises(InputError, match="'near'"):
        neighbours(X, 1, search="near")
    with pytest.raises(InputError, match="two rows"):
        neighbours(X[:1], 1)
    assert neighbours(X, 99).index.shape == (4, 3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_gpu_is_said() -> None:
    X, _ = scene_vectors(DENSE_ROWS + 1, dim=4)
    with pytest.raises(InputError, match="no CUDA device"):
        neighbours(X, 3, device="cuda")
    assert neighbours(X, 3, device="auto").method == "exact"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_gpu_equals_cpu() -> None:
    X, _ = scene_vectors(3000, dim=16)
    np.testing.assert_allclose(neighbours(X, 8, device="cuda").similarity, neighbours(X, 8).similarity, atol=1e-4)


def test_copies_get_the_same_neighbours_whichever_thread_is_faster() -> None:
    """Many rows that are equal to the last bit: of equal similarities the lower number is nearer."""
    from packed_scenes.cluster.knn_exact import exact_neighbours

    bits = np.random.default_rng(0).choice([-0.25, 0.25], (160, 16)).astype(np.float32)  # products without rounding
    X = np.ascontiguousarray(np.tile(bits, (20, 1)))
    similarity = X @ X.T
    np.fill_diagonal(similarity, -9)
    wanted = np.argsort(-similarity, axis=1, kind="stable")[:, :12]
    for threads in (1, 2, 3):
        index, value = exact_neighbours(X, 12, threads=threads)
        np.testing.assert_array_equal(index, wanted)
        np.testing.assert_array_equal(value, np.take_along_axis(similarity, wanted, axis=1))


def test_loops_are_compiled_where_nothing_can_be_kept(monkeypatch):
    """A user without a cache folder who may not write the package's: numba refuses when it is asked to keep."""
    caching = pytest.importorskip("numba.core.caching")
    from packed_scenes.cluster.compiled import compiled

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiled(lambda a: a + 1)(2) == 3
