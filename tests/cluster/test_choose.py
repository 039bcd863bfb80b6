from __future__ import annotations

import numpy as np
import pytest

from packed_scenes.cluster import AverageLinkage, score
from packed_scenes.cluster.choose import (
    adaptive_cut,
    candidate_cuts,
    merge_adaptively,
    merge_by_silhouette,
    silhouette_cut,
)
from packed_scenes.cluster.dense import average_tree, cosine_distances
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


def test_adaptive_cut_stays_near_the_calibrated_one() -> None:
    for count in (1, 2, 50, 300):
        X, _ = scene_vectors(count)
        assert 0.5 * 0.4 <= AverageLinkage(calibrated=0.4).fit(X).threshold_ <= 1.2 * 0.4


def test_adaptive_leaves_strangers_alone_where_silhouette_merges_them() -> None:
    """Six pairs and thirty single rows."""
    found = {"adaptive": [], "silhouette": []}
    for seed in range(5):
        rng = np.random.default_rng(seed)
        centre = rng.standard_normal((36, 24))
        X = np.concatenate([centre, centre[:6] + 0.15 * rng.standard_normal((6, 24))])
        for rule, counts in found.items():
            counts.append(AverageLinkage(rule, calibrated=0.3).fit(X).n_clusters_)
    assert found["adaptive"] == [36] * 5
    assert min(found["silhouette"]) < 36


def test_routes_without_a_tree_choose_alike() -> None:
    X, y = scene_vectors(500, dim=64, noise=0.35)
    whole = AverageLinkage("adaptive", calibrated=0.4).fit(X)
    labels, threshold = merge_adaptively(X, 0.4)
    assert score(whole.labels_, labels).ARI > 0.95
    tree = average_tree(cosine_distances(X))
    assert score(labels, tree.cut(threshold)).ARI == 1
    plain, threshold = merge_by_silhouette(X, 0.4)
    assert score(plain, tree.cut(threshold)).ARI == 1
    assert score(y, plain).ARI > 0.8


def test_cuts_lie_between_heights() -> None:
    X, y = scene_vectors(300, dim=64, noise=0.3)
    distance = cosine_distances(X)
    tree = average_tree(distance)
    cuts = candidate_cuts(tree, 0.1, 0.9)
    assert cuts == sorted(cuts)
    assert 1 <= len(cuts) <= 64
    assert 0.1 < cuts[0] < cuts[-1] < 0.9
    assert score(y, tree.cut(adaptive_cut(tree, distance, 0.4))).ARI > 0.9
    assert score(y, tree.cut(silhouette_cut(tree, distance))).ARI > 0.9


def test_constraints_hold_on_the_way() -> None:
    X, _ = scene_vectors(200, noise=0.5)
    near = np.argwhere(np.triu(cosine_distances(X) < 0.3, 1))[:20]
    start, cannot_link = np.arange(200), near
    for merge in (merge_adaptively, merge_by_silhouette):
        labels, _ = merge(X, 0.5, start=start, cannot_link=cannot_link)
        assert (labels[near[:, 0]] != labels[near[:, 1]]).all()


def test_unknown_rules_are_named() -> None:
    X, _ = scene_vectors(10)
    for model, match in (
        (AverageLinkage("best"), "threshold 'best'"),
        (AverageLinkage(3.0), "in \\[0, 2\\]"),
        (AverageLinkage(calibrated=0.0), "calibrated"),
    ):
        with pytest.raises(InputError, match=match):
            model.fit(X)
