from __future__ import annotations

import hdbscan
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster import HDBSCAN
from packed_scenes.cluster.dense import cosine_distances
from packed_scenes.cluster.density import flat_clusters
from packed_scenes.cluster.knn import Graph, neighbours
from packed_scenes.cluster.spanning import dense_tree, spanning_tree
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


@pytest.mark.parametrize(("size", "samples"), [(2, None), (2, 1), (3, 2), (5, 5)])
@pytest.mark.parametrize("count", [20, 64, 400])
def test_small_sets_get_the_library_labels(count: int, size: int, samples: int | None) -> None:
    X, _ = scene_vectors(count, seed=count + size)
    ours = HDBSCAN(size, samples).fit_predict(X)
    theirs = hdbscan.HDBSCAN(size, min_samples=samples, metric="precomputed").fit_predict(cosine_distances(X))
    assert adjusted_rand_score(ours, theirs) == 1
    assert ((ours < 0) == (theirs < 0)).all()


@pytest.mark.parametrize("samples", [1, 3])
def test_full_graph_gives_the_exact_tree(samples: int) -> None:
    X, _ = scene_vectors(300)
    exact = dense_tree(cosine_distances(X), samples)
    edges = spanning_tree(X, neighbours(X, 299), samples)
    assert edges.shape == (299, 3)
    # The lengths of a minimum spanning tree are unique; which of equally long edges it takes, and so a few labels,
    # depends on the last bits of the processor's products.
    np.testing.assert_allclose(np.sort(edges[:, 2]), np.sort(exact[:, 2]), atol=1e-5)
    labels = hdbscan.HDBSCAN(3, min_samples=samples, metric="precomputed").fit_predict(cosine_distances(X))
    assert adjusted_rand_score(labels, flat_clusters(edges, 3)[0]) > 0.95


@pytest.mark.slow
def test_large_sets_agree_with_the_library() -> None:
    X, _ = scene_vectors(5000, noise=0.6)
    ours = HDBSCAN(3, 3, metric="euclidean", neighbours=32).fit_predict(X)
    theirs = hdbscan.HDBSCAN(3, min_samples=3).fit_predict(X.astype(np.float64))
    assert adjusted_rand_score(ours, theirs) > 0.97


def test_bridges_are_the_shortest_edges() -> None:
    """Three far groups whose graph has no edge between them: the tree's weight must still be the exact one."""
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(3, 16), 40, axis=0) + 0.05 * rng.standard_normal((120, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    graph = neighbours(X, 6)
    assert (graph.index // 40 == np.arange(120)[:, None] // 40).all()
    exact = spanning_tree(X, neighbours(X, 119), 2)
    assert spanning_tree(X, graph, 2)[:, 2].sum() == pytest.approx(exact[:, 2].sum(), rel=1e-4)


def test_missing_neighbours_are_bridged() -> None:
    X, _ = scene_vectors(50)
    nothing = Graph(np.full((50, 3), -1, np.int32), np.full((50, 3), -2, np.float32), "ivf")
    assert spanning_tree(X, nothing, 2).shape == (49, 3)


def test_bad_parameters_are_named() -> None:
    X, _ = scene_vectors(10)
    for model, match in (
        (HDBSCAN(1), "min_cluster_size"),
        (HDBSCAN(2, 0), "min_samples"),
        (HDBSCAN(metric="l1"), "metric 'l1'"),
        (HDBSCAN(selection="best"), "selection"),
    ):
        with pytest.raises(InputError, match=match):
            model.fit(X)
