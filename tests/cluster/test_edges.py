"""Cases at the edge of a rule, which mutations of the code showed to be untested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster import AverageLinkage, PairDecision
from packed_scenes.cluster.assign import Assigner, keep_names
from packed_scenes.cluster.average import membership
from packed_scenes.cluster.reciprocal import Forbidden, cluster_counts, exact_duplicates, reciprocal_merge
from packed_scenes.data import InputError
from tests.cluster.synthetic import scene_vectors


def test_clusters_at_exactly_the_threshold_merge() -> None:
    square = np.eye(4, dtype=np.float32)
    assert reciprocal_merge(square, 1.0).tolist() == [0, 0, 0, 0]
    assert reciprocal_merge(square, 0.999).tolist() == [0, 1, 2, 3]
    assert cluster_counts(square, [0.5, 1.0]).tolist() == [4, 1]


def test_groups_to_start_from_stay_together_however_far() -> None:
    square = np.eye(4, dtype=np.float32)
    assert reciprocal_merge(square, 0.1, start=np.array([0, 1, 0, 2])).tolist() == [0, 1, 0, 2]
    far = reciprocal_merge(square, 1.0, start=np.array([0, 1, 0, 2]), cannot_link=np.array([[0, 1]]))
    assert far[0] == far[2] != far[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(4, 40))
def test_reach_of_a_cluster_is_the_threshold_or_its_own_spread(seed: int, count: int) -> None:
    X, labels = scene_vectors(count, dim=8, seed=seed)
    labels = labels - 1  # the first identity is noise
    assigner = Assigner(X, labels, 0.05)
    for name in range(labels.max() + 1):
        rows = X[labels == name]
        limit = 0.05
        if len(rows) > 2:
            distance = 1 - rows @ rows.T
            limit = max(limit, float(((distance.sum(1) - np.diag(distance)) / (len(rows) - 1)).max()))
        assert assigner._limits[name] == pytest.approx(limit, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.floats(0.05, 1.5), st.sampled_from(["new", "noise"]))
def test_where_new_rows_go_in_words(seed: int, count: int, threshold: float, single: str) -> None:
    """To the cluster with the nearest mean of distances, within its reach; the rest are clusters among themselves."""
    rng = np.random.default_rng(seed)
    X, labels = scene_vectors(count, dim=4, seed=seed)
    labels = 2 * rng.permutation(labels.max() + 2)[labels] - 2  # the name 0 is noise, odd names have no rows
    new = scene_vectors(12, dim=4, seed=seed + 1)[0]
    assigner = Assigner(X, labels, threshold, single=single)
    found = assigner.assign(new)
    names = sorted(set(labels[labels >= 0].tolist()))
    first_new = max(names, default=-1) + 1
    assert found.first_new == first_new
    known = np.zeros(12, bool)
    for row, vector in enumerate(new):
        apart = {name: float((1 - X[labels == name] @ vector).mean()) for name in names}
        if not names:
            assert found.distance[row] == 2
            continue
        near = min(apart, key=apart.__getitem__)
        members = np.flatnonzero(labels >= 0)
        nearest = labels[members[np.argmax(X[members] @ vector)]]
        assert found.distance[row] == pytest.approx(apart[near], abs=1e-5)
        known[row] = apart[near] <= assigner._limits[near]
        assert found.doubtful[row] == (known[row] and nearest != near)
        if known[row]:
            assert found.labels[row] == near
    rest = np.flatnonzero(~known)
    if len(rest):
        merged = reciprocal_merge(np.ascontiguousarray(new[rest]), threshold)
        alone = np.bincount(merged)[merged] == 1
        given = found.labels[rest]
        assert np.array_equal(given < 0, alone & (single == "noise"))
        assert np.array_equal(found.is_new, ~known & (found.labels >= 0))
        for a in range(len(rest)):
            for b in range(a):
                if not alone[a] and not alone[b]:
                    assert (given[a] == given[b]) == (merged[a] == merged[b])
        assert given[given >= 0].min(initial=first_new) == first_new


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(0, 8))
def test_kept_names_in_words(data: st.DataObject, extra: int) -> None:
    """The old and new cluster with the most rows in common first, each name once; the rest go on after all old ones."""
    old = data.draw(st.lists(st.integers(-1, 4), max_size=8))
    new = data.draw(st.lists(st.integers(-1, 4), min_size=len(old) + extra, max_size=len(old) + extra))
    rows = data.draw(st.permutations(range(len(new))))[: len(old)]
    cells = sorted({(a, new[at]) for a, at in zip(old, rows, strict=True) if a >= 0 and new[at] >= 0})
    shared = {cell: sum((a, new[at]) == cell for a, at in zip(old, rows, strict=True)) for cell in cells}
    names: dict[int, int] = {}
    for before, now in sorted(cells, key=lambda cell: -shared[cell]):
        if before not in names.values() and now not in names:
            names[now] = before
    rest = [now for now in dict.fromkeys(new) if now >= 0 and now not in names]
    rest.sort(key=lambda now: -new.count(now))
    names |= {now: max(old, default=-1) + 1 + at for at, now in enumerate(rest)}
    expected = [names.get(now, -1) for now in new]
    assert keep_names(old, new, rows=rows).tolist() == expected
    if rows == list(range(len(old))):
        assert keep_names(old, new).tolist() == expected


@pytest.mark.parametrize("model", [AverageLinkage, PairDecision])
def test_thresholds_reach_from_0_to_2_and_calibrated_ones_from_above_0(model: type[AverageLinkage]) -> None:
    X = np.eye(3, dtype=np.float32)
    assert model(0).fit(X).n_clusters_ == 3
    assert model(2).fit(X).n_clusters_ == 1
    assert model(0.5, calibrated=2).fit(X).threshold_ == 0.5
    for threshold in (-0.01, 2.01):
        with pytest.raises(InputError, match=r"threshold must be a cosine distance in \[0, 2\]"):
            model(threshold).fit(X)
    for calibrated in (0, 2.01):
        with pytest.raises(InputError, match=r"calibrated must be a cosine distance in \(0, 2\]"):
            model(calibrated=calibrated).fit(X)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 12), st.integers(1, 40))
def test_forbidden_pairs_and_equal_rows(seed: int, pairs: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (count, 3)).astype(np.float32)
    first = [min(np.flatnonzero((row == X).all(axis=1))) for row in X]
    assert exact_duplicates(X).tolist() == [sorted(set(first)).index(at) for at in first]
    given = np.sort(rng.integers(0, count, (pairs + 1, 2)), axis=1)
    root = np.minimum(np.arange(count), rng.integers(0, count, count))
    forbidden = Forbidden(given)
    for known in (given, np.sort(root[given], axis=1)):
        asked = forbidden.has(np.arange(count)[:, None], np.arange(count)[None], count)
        there = {tuple(pair) for pair in known.tolist()}
        assert [[bool(v) for v in row] for row in asked] == [
            [(min(a, b), max(a, b)) in there for b in range(count)] for a in range(count)
        ]
        forbidden.merge(root)
    Forbidden(None).merge(root)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 30), st.floats(0.01, 2))
def test_strength_of_a_membership_in_words(seed: int, count: int, threshold: float) -> None:
    X, labels = scene_vectors(count, dim=4, seed=seed)
    distance = 1 - X.astype(np.float64) @ X.T
    for row, found in enumerate(membership(X, labels, threshold)):
        own = [other for other in np.flatnonzero(labels == labels[row]) if other != row]
        a = distance[row, own].mean() if own else threshold
        b = min((distance[row, labels == name].mean() for name in set(labels) - {labels[row]}), default=threshold)
        assert found == pytest.approx(max(b, 0) / max(a + b, 1e-12), abs=1e-4)


@pytest.mark.parametrize("threshold", [0, 2])
def test_the_whole_range_of_thresholds_is_allowed(threshold: float) -> None:
    X = np.eye(3, dtype=np.float32)
    assert Assigner(X, np.arange(3), threshold).assign(X[1:2]).labels.tolist() == [1]
