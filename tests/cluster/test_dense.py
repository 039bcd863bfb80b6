import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster

from packed_scenes.cluster import canonical
from packed_scenes.cluster.dense import average_tree, cosine_distances
from packed_scenes.cluster.internal import silhouette_from_distances


@given(count=st.integers(2, 40), seed=st.integers(0, 999), grid=st.integers(1, 5), threshold=st.floats(-0.1, 2.1))
def test_a_cut_is_that_of_scipy(count: int, seed: int, grid: int, threshold: float) -> None:
    """Rows on a coarse grid have equal distances, so that many merges are tied."""
    X = np.random.default_rng(seed).integers(-grid, grid + 1, (count, 3)).astype(np.float32)
    X[~X.any(axis=1)] = 1
    tree = average_tree(cosine_distances(X / np.linalg.norm(X, axis=1, keepdims=True)))
    for t in (threshold, *tree.heights.tolist()):
        theirs = fcluster(tree.merges, max(t, 0), criterion="distance")
        ours = tree.cut(t)
        assert np.array_equal(canonical(ours), canonical(theirs - 1))
        assert np.array_equal(np.unique(ours), np.arange(ours.max() + 1))


@given(count=st.integers(2, 30), seed=st.integers(0, 999))
def test_the_silhouette_is_the_mean_over_members(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.integers(0, 6, count), return_inverse=True)[1]
    distance = rng.random((count, count))
    distance = distance + distance.T
    np.fill_diagonal(distance, 0)
    if labels.max() == 0:
        return
    expected = []
    for i in range(count):
        own = (labels == labels[i]) & (np.arange(count) != i)
        b = min(distance[i, labels == k].mean() for k in range(labels.max() + 1) if k != labels[i])
        a = distance[i, own].mean() if own.any() else b
        expected.append((b - a) / max(a, b) if own.any() else 0.0)
    assert np.allclose(silhouette_from_distances(distance, labels), expected)
