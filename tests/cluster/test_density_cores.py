"""Large groups: dense cores, and when the adaptive cut gives way to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from packed_scenes import cluster
from packed_scenes.cluster import AverageLinkage, canonical
from packed_scenes.cluster.dense import DENSE_LIMIT
from packed_scenes.cluster.density_cores import LARGE_GROUP, group_by_cores, mean_own_size
from tests.cluster.synthetic import scene_vectors

CALIBRATED = 0.2


def views(sizes: list[int], *, fragments: int = 0, dimension: int = 64, seed: int = 0):  # type: ignore[no-untyped-def]
    """Groups with a core, and ``fragments`` small clumps each, as far from it as another product's core."""
    rng = np.random.default_rng(seed)
    centre = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]
    rows, names = [], []
    for name, size in enumerate(sizes):
        at = np.tile(centre[name], (size, 1))
        for fragment in range(fragments):
            clump = slice(3 * fragment, 3 * fragment + 3)
            at[clump] = 0.62 * centre[name] + 0.78 * centre[len(sizes) + name * fragments + fragment]
        rows.append(at + 0.3 * rng.normal(size=at.shape) / np.sqrt(dimension))
        names.append(np.full(size, name))
    X = np.concatenate(rows)
    order = rng.permutation(len(X))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)[order], np.concatenate(names)[order]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_mean_own_size_is_that_of_a_row(labels: list[int]) -> None:
    array = np.array(labels)
    assert mean_own_size(array) == pytest.approx(np.mean([(array == v).sum() for v in array]))


def test_fragments_join_their_core() -> None:
    X, truth = views([60, 40, 50, 30, 80], fragments=3)
    model = AverageLinkage(calibrated=CALIBRATED).fit(X)
    calibrated = AverageLinkage("calibrated", calibrated=CALIBRATED).fit(X)
    assert mean_own_size(calibrated.labels_) >= LARGE_GROUP
    assert calibrated.n_clusters_ == 5 + 15
    assert adjusted_rand_score(truth, model.labels_) == 1
    assert model.threshold_ == pytest.approx(0.5)


def test_strangers_stay_out_of_the_cores() -> None:
    X, truth = views([60, 40, 50, 1, 1, 2])
    labels = AverageLinkage(calibrated=CALIBRATED).fit_predict(X)
    assert np.array_equal(labels, canonical(truth)) or adjusted_rand_score(truth, labels) == 1


def test_small_groups_keep_the_adaptive_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(120)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("no cores here")

    monkeypatch.setattr(cluster.near_threshold, "group_by_cores", refuse)
    AverageLinkage(calibrated=CALIBRATED).fit(X)


def test_constraints_keep_the_linkage() -> None:
    X, truth = views([60, 40, 50])
    first, second = np.flatnonzero(truth == 0)[:2]
    labels = AverageLinkage(calibrated=CALIBRATED).fit(X, cannot_link=[[first, second]]).labels_
    assert labels[first] != labels[second]


def test_many_rows_take_the_same_way() -> None:
    X, truth = views([900, 1500, 700, 1100, 300], fragments=2)
    assert len(X) > DENSE_LIMIT
    assert adjusted_rand_score(truth, AverageLinkage(calibrated=CALIBRATED).fit_predict(X)) > 0.99


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_nothing_is_noise(seed: int) -> None:
    X = np.random.default_rng(seed).normal(size=(40, 8)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    assert group_by_cores(X, CALIBRATED, typical_size=15.0).min() >= 0
