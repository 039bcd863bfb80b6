"""Properties that every estimator must have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import check_estimator

from packed_scenes.cluster import AverageLinkage, TwoStage, make, names
from packed_scenes.cluster.average import membership
from packed_scenes.cluster.two_stage import Second
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors

OPTIONS: dict[str, dict[str, Any]] = {"kmeans": {"n_clusters": 4}, "dbscan": {"eps": 0.3}}
ALL = [n for n in names() if n != "default"]
# Ties in mutual reachability are broken by row order in the library's tree, so density needs one neighbour to be
# free of them.
FREE_OF_TIES: dict[str, dict[str, Any]] = {
    "average": {}, "hdbscan": {"min_samples": 1}, "dbscan": {"eps": 0.3}, "agglomerative": {"threshold": 0.4},
}  # fmt: skip


def fitted(name: str, X: Any, **more: Any) -> Any:
    return make(name, **OPTIONS.get(name, {})).fit(X, **more)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_few_rows(name: str, count: int) -> None:
    X, _ = scene_vectors(count)
    model = fitted(name, X)
    assert model.labels_.shape == model.probabilities_.shape == (count,)
    assert model.n_clusters_ == model.labels_.max(initial=-1) + 1
    assert model.noise_share_ == np.mean(model.labels_ < 0)


@pytest.mark.parametrize("name", ALL)
def test_equal_rows_are_never_split(name: str) -> None:
    same = np.tile([[0.6, 0.8, 0]], (12, 1))
    assert len(set(fitted(name, same).labels_)) == 1
    groups = np.repeat(np.eye(4), 5, axis=0)
    labels = fitted(name, groups).labels_
    assert all(len(set(labels[i : i + 5])) == 1 for i in range(0, 20, 5))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("bad", "match"), [(np.nan, "NaN"), (np.inf, "infinity"), (0.0, "all zero")])
def test_bad_rows_are_named(name: str, bad: float, match: str) -> None:
    X, _ = scene_vectors(6)
    X[3] = bad
    with pytest.raises(InputError, match=match):
        fitted(name, X)


@pytest.mark.parametrize("name", ALL)
def test_types_and_lengths_of_rows_do_not_matter(name: str) -> None:
    X, _ = scene_vectors(40, noise=0.25)
    plain = fitted(name, X).labels_
    assert (fitted(name, X.astype(np.float64)).labels_ == plain).all()
    assert adjusted_rand_score(plain, fitted(name, (5 * X).astype(np.float64)).labels_) == 1
    assert adjusted_rand_score(plain, fitted(name, X.astype(np.float16)).labels_) > 0.98


@pytest.mark.parametrize("name", list(FREE_OF_TIES))
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000))
def test_row_order_and_rotation_do_not_matter(name: str, seed: int) -> None:
    X, _ = scene_vectors(60, dim=16, seed=seed)
    rng = np.random.default_rng(seed)
    labels = make(name, **FREE_OF_TIES[name]).fit_predict(X)
    order = rng.permutation(60)
    assert adjusted_rand_score(labels[order], make(name, **FREE_OF_TIES[name]).fit_predict(X[order])) == 1
    turn = np.linalg.qr(rng.standard_normal((16, 16)))[0]
    assert adjusted_rand_score(labels, make(name, **FREE_OF_TIES[name]).fit_predict(X @ turn)) > 0.97


@pytest.mark.parametrize("name", ["infomap", "leiden", "average", "kmeans", "two-stage"])
def test_repeats_itself(name: str) -> None:
    X, _ = scene_vectors(150)
    assert (fitted(name, X).labels_ == fitted(name, X).labels_).all()


def test_labels_are_ordered_by_size() -> None:
    X, _ = scene_vectors(120)
    sizes = np.bincount(AverageLinkage(0.4).fit_predict(X))
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("second", list(Second))
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000))
def test_second_stage_never_changes_the_first(second: str, seed: int) -> None:
    X, _ = scene_vectors(80, seed=seed, noise=0.7)
    first = make("hdbscan", min_cluster_size=3).fit(X)
    both = TwoStage(3, second=second, threshold=0.4).fit(X)
    old = first.labels_ >= 0
    assert (both.stage_[old] == 1).all()
    assert adjusted_rand_score(first.labels_[old], both.labels_[old]) == 1
    assert both.noise_share_ <= first.noise_share_
    assert ((both.stage_ == 0) == (both.labels_ < 0)).all()
    assert not set(both.labels_[both.stage_ == 2]) & set(both.labels_[both.stage_ == 1])


def test_constraints() -> None:
    X, _ = scene_vectors(60)
    plain = AverageLinkage(0.4).fit(X)
    together = np.argwhere(np.triu(plain.labels_[:, None] == plain.labels_, 1))[0]
    apart = [0, int(np.flatnonzero(plain.labels_ != plain.labels_[0])[0])]
    model = AverageLinkage(0.4).fit(X, must_link=[apart], cannot_link=[together])
    assert model.labels_[apart[0]] == model.labels_[apart[1]]
    assert model.labels_[together[0]] != model.labels_[together[1]]
    with pytest.raises(InputError, match="rows 0 and 2"):
        AverageLinkage().fit(X, must_link=[[0, 1], [1, 2]], cannot_link=[[0, 2]])
    with pytest.raises(InputError, match="row numbers 0 … 59"):
        AverageLinkage().fit(X, must_link=[[0, 60]])
    assert "ignores" in make("hdbscan").fit(X, must_link=[[0, 1]]).warnings_[0]


def test_large_and_small_routes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(700, noise=0.5)
    pairs = {"must_link": [[0, 1], [5, 9]], "cannot_link": [[2, 3], [0, 7]]}
    dense = [AverageLinkage(rule, calibrated=0.4).fit(X, **pairs).labels_ for rule in ("adaptive", "calibrated", 0.3)]
    monkeypatch.setattr("packed_scenes.cluster.average.DENSE_LIMIT", 100)
    sparse = [AverageLinkage(rule, calibrated=0.4).fit(X, **pairs).labels_ for rule in ("adaptive", "calibrated", 0.3)]
    agreement = [adjusted_rand_score(a, b) for a, b in zip(dense, sparse, strict=True)]
    assert agreement[1:] == [1, 1]
    assert agreement[0] > 0.9  # the sweep tries eight cuts, the tree all
    model = AverageLinkage(0.3).fit(X, xyxy=np.tile([0, 0, 9, 9], (700, 1)))
    assert "not used" in model.warnings_[0]


def test_strength_is_a_margin() -> None:
    X = np.array([[1, 0, 0], [1, 0.05, 0], [0, 1, 0], [0, 1, 0.9]], np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    strength = membership(X, np.array([0, 0, 1, 1]), 0.4)
    assert ((strength > 0.5) & (strength <= 1)).all()
    assert strength[:2].min() > strength[2:].max()


def test_hints_are_checked() -> None:
    X, _ = scene_vectors(5)
    for hint, match in (
        ({"xyxy": np.zeros((4, 4))}, "xyxy"),
        ({"scene": [0, 1]}, "scene"),
        ({"must_link": [[0.5, 1]]}, "must_link"),
    ):
        with pytest.raises(InputError, match=match):
            AverageLinkage().fit(X, **hint)


def test_registry_names_its_choices() -> None:
    with pytest.raises(InputError, match="two-stage"):
        make("spectral")
    with pytest.raises(InputError, match=r"no parameter 'eps'.*threshold"):
        make("average", eps=1)
    assert type(make()) is type(make("default"))


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("two-stage", {"second": "third"}, "second stage"),
        ("dbscan", {"eps": 0.0}, "eps"),
        ("kmeans", {"n_clusters": 0}, "n_clusters"),
        ("kmeans", {"n_clusters": "elbow"}, "n_clusters"),
        ("agglomerative", {"linkage": "ward"}, "linkage"),
        ("infomap", {"threshold": 0.0}, "threshold"),
    ],
)
def test_bad_options_are_named(name: str, options: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        make(name, **options).fit(scene_vectors(9)[0])


def test_library_methods_beside_their_options() -> None:
    X, y = scene_vectors(60, dim=64, noise=0.2)
    assert adjusted_rand_score(y, make("kmeans").fit_predict(X)) > 0.2
    assert make("kmeans", n_clusters=99).fit(X).warnings_
    assert make("agglomerative", n_clusters=5).fit(X).n_clusters_ == 5
    with pytest.raises(InputError, match="up to 4096"):
        make("agglomerative").fit(np.tile(X, (70, 1)))


@pytest.mark.parametrize("name", ["average", "two-stage", "hdbscan"])
def test_scikit_learn_checks(name: str) -> None:
    skipped = {
        "check_dtype_object": "a TypeError comes out as InputError, which is a ValueError",
        "check_fit2d_1feature": "one feature has two directions only",
        "check_clustering": "blobs around the origin are no groups of directions",
        "check_methods_sample_order_invariance": "tested above, up to names",
        "check_estimators_dtypes": "its rows of whole numbers hold a zero row, which is refused",
    }
    results = check_estimator(make(name), expected_failed_checks=skipped, on_fail=None, on_skip=None)
    failed = {r["check_name"]: str(r["exception"])[:200] for r in results if r["status"] == "failed"}
    assert not failed


@pytest.mark.parametrize("seed", range(6))
def test_two_stage_is_the_reference_method(seed: int) -> None:
    """The reference's two calls, as it makes them: HDBSCAN on precomputed cosine distances, OPTICS on what is noise."""
    import hdbscan
    from sklearn.cluster import OPTICS
    from sklearn.metrics.pairwise import cosine_distances

    X, _ = scene_vectors(70, seed=seed, noise=0.6)
    distance = cosine_distances(X.astype(np.float64))
    expected = hdbscan.HDBSCAN(min_cluster_size=2, metric="precomputed").fit_predict(distance)
    noise = np.flatnonzero(expected < 0)
    with np.errstate(all="ignore"):
        second = OPTICS(min_samples=2, metric="precomputed").fit_predict(distance[np.ix_(noise, noise)])
    expected[noise[second >= 0]] = second[second >= 0] + expected.max() + 1
    found = TwoStage().fit_predict(X)
    assert ((found < 0) == (expected < 0)).all()
    assert adjusted_rand_score(expected, found) == 1
