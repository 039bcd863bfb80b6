"""DBSCAN and HDBSCAN from one tree, against the libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster.search import Space
from packed_scenes.cluster.search.crossings import crossings
from packed_scenes.cluster.search.density import condense, dbscan, glosh, hierarchy, select
from packed_scenes.cluster.search.graph import bridges_of, induced_tree, neighbours, reachability_tree


def blobs(rows: int, *, seed: int = 0, dim: int = 4, groups: int = 5, spread: float = 0.25) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((groups, dim)) * 2
    return (centres[rng.integers(0, groups, rows)] + spread * rng.standard_normal((rows, dim))).astype(np.float32)


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize(("size", "samples"), [(5, 5), (15, 3), (40, 10)])
def test_hdbscan_has_the_labels_of_the_library(selection, size, samples):
    import hdbscan

    X = blobs(600, spread=0.6)
    space = Space(X)
    # The library counts the row itself among min_samples when it is given a distance matrix from its own code.
    theirs = hdbscan.HDBSCAN(
        size, min_samples=samples, cluster_selection_method=selection, algorithm="generic"
    ).fit_predict(X.astype(np.float64))
    ours = select(space.condensed(samples, size), selection)
    assert adjusted_rand_score(theirs, ours) > 0.98
    assert abs((theirs < 0).mean() - (ours < 0).mean()) < 0.02


@pytest.mark.parametrize("samples", [2, 5, 12])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.95])
def test_dbscan_is_exact_but_for_border_rows_between_clusters(samples, share):
    import sklearn.cluster

    X = blobs(500, seed=3, spread=0.5)
    space = Space(X)
    core, _ = space.core(samples - 1)
    eps = float(np.quantile(core, share)) + 1e-6
    ours = dbscan(space.tree(samples - 1), space.graph, core, eps, samples)
    theirs = sklearn.cluster.DBSCAN(eps=eps, min_samples=samples).fit(X.astype(np.float64))
    assert np.array_equal(ours < 0, theirs.labels_ < 0)
    inside = theirs.core_sample_indices_
    assert len(inside) == 0 or adjusted_rand_score(ours[inside], theirs.labels_[inside]) == 1


@pytest.mark.slow
def test_a_tree_over_the_graph_finds_what_the_exact_tree_finds():
    X = blobs(5000, groups=12, dim=3)
    graph = neighbours(X, 32)
    sparse = hierarchy(reachability_tree(X, graph, 5))
    few = X[:4000]
    assert len(reachability_tree(few, neighbours(few, 32), 5)) == 3999
    import hdbscan

    theirs = hdbscan.HDBSCAN(30, min_samples=5).fit_predict(X)
    assert adjusted_rand_score(theirs, select(condense(sparse, 30), "eom")) > 0.95


@pytest.mark.slow
def test_bridges_join_far_components_by_their_shortest_distance():
    near = blobs(3000, groups=1, dim=2, spread=0.1)
    X = np.concatenate([near, near + 100, near + np.array([300, 0])]).astype(np.float32)
    edges = bridges_of(X, neighbours(X, 16))
    assert len(edges) == 2
    part = np.arange(len(X)) // 3000
    for a, b, length in edges:
        assert part[int(a)] != part[int(b)]
        assert length == pytest.approx(np.linalg.norm(X[int(a)] - X[int(b)]), rel=1e-3)
    best = min(np.linalg.norm(X[i] - X[3000:6000], axis=1).min() for i in range(3000))
    assert min(edges[:, 2]) == pytest.approx(best, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 60), st.integers(1, 6), st.integers(2, 8), st.integers(0, 10**6))
def test_condensed_trees_hold_every_row_once(rows, samples, size, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (rows, 2)).astype(np.float32)  # many equal rows and ties
    tree = Space(X).condensed(samples, size)
    assert (tree.parent[1:] < np.arange(1, len(tree.parent))).all()
    assert ((glosh(tree) >= -1e-9) & (glosh(tree) <= 1)).all()
    for selection in ("eom", "leaf"):
        labels = select(tree, selection)
        assert all((labels == c).sum() >= size for c in np.unique(labels[labels >= 0]))


def test_the_tree_of_some_rows_uses_edges_between_them_only():
    X = blobs(2000, groups=3, dim=2)
    graph = neighbours(X, 12)
    rows = np.arange(0, 2000, 2)
    tree = induced_tree(graph, rows)
    assert len(tree) == len(rows) - 1
    assert (np.diff(tree[:, 2]) >= 0).all()
    finite = tree[np.isfinite(tree[:, 2])]
    ends = finite[:, :2].astype(int)
    exact = np.linalg.norm(X[rows[ends[:, 0]]] - X[rows[ends[:, 1]]], axis=1)
    assert (finite[:, 2] >= exact - 1e-3).all()


@pytest.mark.slow
def test_groups_of_dense_parts_come_together_as_in_the_exact_tree():
    rng = np.random.default_rng(4)
    groups = 12 * rng.standard_normal((4, 6))
    parts = np.repeat(groups, 4, axis=0) + 2.5 * rng.standard_normal((16, 6))
    X = parts[rng.integers(0, 16, 5200)] + 0.25 * rng.standard_normal((5200, 6)) * rng.choice(
        [1, 3], (5200, 1), p=[0.97, 0.03]
    )
    X = X.astype(np.float32)
    import hdbscan

    space = Space(X)
    edges = crossings(X, space.graph, bridges_of(X, space.graph))
    ends = edges[:, :2].astype(int)
    assert np.allclose(edges[:, 2], np.linalg.norm(X[ends[:, 0]] - X[ends[:, 1]], axis=1), rtol=1e-4)
    for size, samples in ((15, 5), (100, 5), (30, 1)):
        theirs = hdbscan.HDBSCAN(size, min_samples=samples).fit_predict(X)
        ours = select(space.condensed(samples, size), "eom")
        assert adjusted_rand_score(theirs, ours) > 0.95
    exact = hdbscan.HDBSCAN(15, min_samples=5, gen_min_span_tree=True, approx_min_span_tree=False).fit(X)
    assert space.tree(5)[:, 2].sum() == pytest.approx(exact._min_spanning_tree[:, 2].sum(), rel=0.01)
