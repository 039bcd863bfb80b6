"""KMeans path, linkage, grid, refinement, the rule, stability, outliers."""

import numpy as np
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from packed_scenes.cluster.search import (
    Candidate,
    Grid,
    Model,
    Space,
    choose,
    elbow,
    finalists,
    fit,
    knee,
    outlier_scores,
    reference,
    refine,
)
from packed_scenes.cluster.search import stability as how_stable
from packed_scenes.cluster.search.grid import Method
from packed_scenes.cluster.search.linkage import cut, merge_tree
from packed_scenes.cluster.search.lloyd import assign, micro_clusters
from packed_scenes.data import InputError


def groups(rows=900, k=6, *, seed=0, dim=5, far=4.0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, rows)
    return (far * rng.standard_normal((k, dim))[y] + rng.standard_normal((rows, dim))).astype(np.float32), y


def test_kmeans_path_is_about_as_good_as_ten_starts_of_the_library():
    X, _ = groups(3000, 12, seed=2)
    space = Space(X)
    for k in (2, 5, 12, 20):
        theirs = sklearn.cluster.KMeans(k, n_init=10, random_state=0).fit(X).inertia_
        assert space.path.fit(k)[1] <= 1.06 * theirs


def test_assignment_is_to_the_nearest_centre():
    X, _ = groups(500)
    centres = X[:7]
    found = assign(X, centres)
    square = ((X[:, None].astype(float) - centres[None]) ** 2).sum(-1)
    assert (found.labels == square.argmin(1)).mean() > 0.995
    assert found.inertia == pytest.approx(square.min(1).sum(), rel=1e-4)
    assert found.counts.sum() == 500


def test_more_clusters_than_distinct_rows_is_no_error():
    X = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    labels = fit(Space(X), Model.parse("kmeans k=8")).labels
    assert len(np.unique(labels)) <= 8
    assert adjusted_rand_score(np.repeat(np.arange(3), 20), fit(Space(X), Model.parse("kmeans k=3")).labels) == 1


@pytest.mark.parametrize("name", ["ward", "average", "complete"])
@pytest.mark.parametrize("k", [2, 5, 20])
def test_linkage_of_single_rows_is_scipys(name, k):
    X, _ = groups(300, seed=4, far=1.5)
    ones = np.ones(300, np.int64)
    theirs = fcluster(linkage(X.astype(np.float64), name), k, "maxclust")
    assert adjusted_rand_score(theirs, cut(merge_tree(X, ones, name), 300, k)) == 1


@pytest.mark.parametrize("name", ["ward", "average", "complete"])
def test_a_weighted_point_counts_as_its_rows(name):
    X, _ = groups(60, seed=5)
    times = np.random.default_rng(0).integers(1, 6, 60)
    every = np.repeat(X, times, axis=0)
    theirs = cut(merge_tree(every, np.ones(len(every), np.int64), name), len(every), 6)
    ours = np.repeat(cut(merge_tree(X, times, name), 60, 6), times)
    assert adjusted_rand_score(theirs, ours) == 1


def test_micro_clusters_stand_for_all_rows():
    X, y = groups(9000, 8, far=6)
    points, home = micro_clusters(X, 300)
    assert len(points) <= 300
    assert np.bincount(home).min() > 0
    assert adjusted_rand_score(y, cut(merge_tree(points, np.bincount(home), "ward"), len(points), 8)[home]) > 0.95


def test_models_are_text_and_back():
    for rows in (50, 3000, 400_000):
        for model in Grid().models(rows):
            assert Model.parse(str(model)) == model
            assert model.fits(rows)
    assert len({str(m) for m in Grid().models(3000)}) == len(Grid().models(3000)) > 90
    assert not any("optics" in str(m) for m in Grid().models(400_000))
    with pytest.raises(InputError, match="no model"):
        Model.parse("magic k=3")


def test_grid_files(tmp_path):
    file = tmp_path / "grid.yaml"
    file.write_text("kmeans_k: 2-4\nagglomerative_k: []\ndbscan_knee: [1.0]\n")
    grid = Grid.from_file(file)
    assert grid.kmeans_k == (2, 3, 4)
    assert grid.agglomerative_k == ()
    assert not any(m.method is Method.AGGLOMERATIVE for m in grid.models(100))
    assert Grid.from_dict(grid.to_dict()) == grid
    for bad in (
        "kmeans: 3",
        "kmeans_k: [1]",
        "- 3",
        "kmeans_k: [two]",
        "hdbscan_selection: [best]",
        "{",
        "kmeans_k: [[2]]",
        "kmeans_k: 1-99999999",
        f"kmeans_k: 1-{'9' * 5000}",
    ):
        file.write_text(bad)
        with pytest.raises(InputError, match=r"grid\.yaml"):
            Grid.from_file(file)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_refinement_gives_new_models_that_fit(data):
    rows = data.draw(st.integers(10, 5000))
    models = Grid().models(rows)
    best = data.draw(st.lists(st.sampled_from(models), min_size=1, max_size=5, unique=True))
    found = refine(best, {str(m) for m in models}, rows=rows, count=7, round_number=data.draw(st.integers(1, 3)))
    assert len(found) <= 7
    assert len({str(m) for m in found}) == len(found)
    assert not {str(m) for m in found} & {str(m) for m in models}
    assert all(m.fits(rows) for m in found)


def candidate(key="a", space="s", clusters=5, noise=0.0, largest=0.5, silhouette=0.4):
    return Candidate(key, space, 1000, clusters, noise, largest, silhouette)


def test_what_is_out_of_the_running():
    assert not candidate().fault
    assert candidate(clusters=1).fault
    assert candidate(clusters=400).fault
    assert candidate(largest=0.97, silhouette=0.9).fault
    assert candidate(noise=0.6).fault
    assert candidate(silhouette=float("nan")).fault


def test_the_winner_is_by_silhouette_noise_and_stability():
    few = [candidate("a", silhouette=0.5), candidate("b", silhouette=0.7, noise=0.4), candidate("c", silhouette=0.45)]
    finals = finalists(few)
    assert [one.key for one in finals] == ["a", "c", "b"]
    assert choose(finals, {"a": 0.5, "b": 1.0, "c": 0.9})[0].candidate.key == "b"
    assert [c.candidate.key for c in choose(finals, {"a": 1.0, "b": 0.2, "c": 0.9})] == ["a", "c", "b"]
    assert len(finalists([candidate("a"), candidate("b")])) == 1
    assert len(finalists([candidate(str(i), silhouette=0.1 * i) for i in range(9)])) == 3
    assert finalists([candidate(clusters=1)]) == []


@pytest.mark.slow
def test_silhouettes_count_from_what_nothing_would_have():
    few, many = (reference(groups(1500, 1, dim=dim)[0]) for dim in (2, 20))
    assert few.at(4) > 0.25
    assert many.at(4) < 0.12
    assert few.at(1000) == few.silhouette[-1]
    flat = Candidate("a", "s", 1000, 4, 0.0, 0.5, 0.33, few.at(4))
    real = Candidate("b", "t", 1000, 4, 0.0, 0.5, 0.25, many.at(4))
    assert finalists([flat, real])[0] is real
    assert reference(np.ones((30, 3), np.float32)).at(3) == 0
    flat_rows = groups(1500, 1, dim=2)[0]
    circle = flat_rows / np.linalg.norm(flat_rows, axis=1, keepdims=True)
    assert reference(circle).at(4) > few.at(4) + 0.1


def test_clear_groups_are_stable_and_too_many_are_not():
    X, _ = groups(1200, 4, far=8)
    right, wrong = how_stable(X, [Model.parse("kmeans k=4"), Model.parse("kmeans k=11")])
    assert right > 0.99
    assert wrong < 0.9


def test_every_model_of_the_grid_fits_and_is_repeatable():
    X, y = groups(400, 4, far=7)
    grid = Grid.from_dict({"kmeans_k": "2-6", "agglomerative_k": [4], "hdbscan_min_cluster_size": [5, 0.05]})
    first, second = Space(X, seed=1), Space(X, seed=1)
    for model in grid.models(len(X)):
        found = fit(first, model)
        assert np.array_equal(found.labels, fit(second, model).labels), str(model)
        assert len(found.labels) == 400
        sizes = np.bincount(found.labels[found.labels >= 0])
        assert (np.diff(sizes) <= 0).all()
    for text in (
        "kmeans k=4",
        "agglomerative linkage=ward k=4",
        "hdbscan min_cluster_size=20 min_samples=5 selection=eom",
    ):
        assert adjusted_rand_score(y, fit(first, Model.parse(text)).labels) > 0.9
    assert first.shared_seconds > 0


def test_far_rows_are_the_first_outliers():
    X, _ = groups(500, 3, far=6)
    X[:5] += 60 * np.random.default_rng(0).standard_normal((5, X.shape[1])).astype(np.float32)
    found = outlier_scores(Space(X), reconstruction=np.linalg.norm(X, axis=1))
    assert set(np.argsort(-found.score)[:5].tolist()) == set(range(5))
    assert found.dbscan_noise[:5].all()
    assert found.score.min() >= 0
    assert found.score.max() <= 1


def test_knee_and_elbow():
    flat = np.concatenate([np.full(900, 1.0) + np.linspace(0, 0.1, 900), np.linspace(1.2, 9, 100)])
    assert 1.0 < knee(flat) < 2.0
    assert knee(np.ones(10)) == 1
    assert elbow([2, 3, 4, 5, 6], [100, 50, 20, 18, 17]) == 4
    assert elbow([2, 3], [3, 1]) is None


def test_bad_matrices_are_refused():
    with pytest.raises(InputError):
        Space(np.zeros((2, 3)))
    with pytest.raises(InputError):
        Space(np.full((9, 3), np.nan))
