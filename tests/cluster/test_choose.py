from __future__ import annotations

import numpy as np
import pytest

from cluster import AverageLinkage, score
from cluster.choose import (
    adaptive_threshold,
    best_silhouette_cut,
    candidate_cuts,
    merge_adaptively,
    merge_by_silhouette,
)
from cluster.dense import average_tree, cosine_distances
from data import InputError
from tests.cluster.synthetic import scene_vectors


def test_adaptive_cut_falls_with_copies_and_never_rises() -> None:
    values = [adaptive_threshold(0.2, 60, k) for k in (60, 50, 40, 30, 20, 5)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(0.63 * 0.2)
    assert values[-1] == 0.2


@pytest.mark.parametrize("calibrated", [0.3, 0.5])
def test_adaptive_without_a_tree_is_the_same(calibrated: float) -> None:
    X, _ = scene_vectors(500, noise=0.5)
    whole = AverageLinkage("adaptive", calibrated=calibrated).fit(X)
    labels, threshold = merge_adaptively(X, calibrated)
    assert threshold == pytest.approx(whole.threshold_)
    assert score(whole.labels_, labels).ARI == 1


def test_silhouette_choices() -> None:
    X, y = scene_vectors(300, dim=64, noise=0.3)
    distance = cosine_distances(X)
    tree = average_tree(distance)
    cuts = candidate_cuts(tree, 0.1, 0.9)
    assert cuts == sorted(cuts)
    assert 1 <= len(cuts) <= 64
    assert 0.1 < cuts[0] < cuts[-1] < 0.9
    assert score(y, tree.cut(best_silhouette_cut(tree, distance, 0.4))).ARI > 0.9
    labels, threshold = merge_by_silhouette(X, 0.4)
    assert score(labels, tree.cut(threshold)).ARI == 1
    assert score(y, labels).ARI > 0.9
    assert 0.2 <= best_silhouette_cut(average_tree(np.zeros((1, 1))), np.zeros((1, 1)), 0.4) <= 0.8


def test_silhouette_leaves_single_rows_alone() -> None:
    """Six pairs and thirty single rows: the usual convention would merge strangers."""
    rng = np.random.default_rng(0)
    centre = rng.standard_normal((36, 24))
    X = np.concatenate([centre, centre[:6] + 0.15 * rng.standard_normal((6, 24))])
    found = AverageLinkage("silhouette", calibrated=0.3).fit(X)
    assert found.n_clusters_ == 36


def test_constraints_hold_on_the_way() -> None:
    X, _ = scene_vectors(200, noise=0.5)
    near = np.argwhere(np.triu(cosine_distances(X) < 0.3, 1))[:20]
    start, apart = np.arange(200), near
    for merge in (merge_adaptively, merge_by_silhouette):
        labels, _ = merge(X, 0.5, start=start, apart=apart)
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
