"""The decision: what must hold for any vectors, the pruning against all prunings, and that it decides well."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster import AverageLinkage, PairDecision, TwoStage, make, score
from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.decision import Evidence, branches, count, decide_for, judge, loops
from packed_scenes.cluster.decision.coarser import join_pieces
from packed_scenes.cluster.decision.features import STEP, describe, shared_counts
from packed_scenes.cluster.decision.graph import decide_on_lists
from packed_scenes.cluster.decision.judging import all_pairs
from packed_scenes.cluster.decision.lists import LENGTH, common, nearest
from packed_scenes.cluster.decision.network import load
from packed_scenes.cluster.decision.pruning import prune
from packed_scenes.cluster.dense import Tree, average_tree, cosine_distances
from packed_scenes.decision_training.gaussian import simulate
from tests.cluster.synthetic import scene_vectors


def boxes_for(count: int, seed: int = 0) -> np.ndarray:
    corner = np.random.default_rng(seed).uniform(0, 500, (count, 2))
    return np.concatenate([corner, corner + np.random.default_rng(seed + 1).uniform(20, 90, (count, 2))], axis=1)


def test_lists_are_the_nearest_rows_nearest_first() -> None:
    X, _ = scene_vectors(900)  # a partial sort of few rows would sort them all
    found = nearest(X)
    assert found.index.shape == (900, LENGTH)
    distance = 1 - X @ X.T
    np.fill_diagonal(distance, np.inf)
    np.testing.assert_allclose(found.distance, np.sort(distance, axis=1)[:, :LENGTH], atol=1e-5)
    assert (np.diff(found.distance, axis=1) >= 0).all()


def test_short_sets_have_every_pair_on_their_lists() -> None:
    X, _ = scene_vectors(9)
    found = nearest(X)
    assert found.index.shape == (9, 8)
    assert (np.sort(found.index, axis=1) == [[j for j in range(9) if j != i] for i in range(9)]).all()


@given(st.integers(2, 60), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_common_equals_the_product_of_dense_rows(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, 6)).astype(np.float32)
    index = nearest(X / np.linalg.norm(X, axis=1, keepdims=True), length=7).index
    weight = rng.random(index.shape).astype(np.float32)
    dense = np.eye(rows, dtype=np.float32)
    np.put_along_axis(dense, index, weight, axis=1)
    np.testing.assert_allclose(common(index, weight), np.take_along_axis(dense @ dense.T, index, axis=1), rtol=1e-4)


@given(st.integers(2, 70), st.integers(0, 1000), st.booleans())
@settings(max_examples=15, deadline=None)
def test_turning_the_axes_and_reordering_the_rows_change_nothing(rows: int, seed: int, boxes: bool) -> None:
    X, _ = scene_vectors(rows, seed=seed)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((X.shape[1], X.shape[1])))[0]
    order = rng.permutation(rows)
    xyxy = boxes_for(rows, seed) if boxes else None
    one = all_pairs(X, judge(X, xyxy=xyxy))
    other = np.ascontiguousarray((X @ turn)[order], np.float32)
    two = all_pairs(other, judge(other, xyxy=None if xyxy is None else xyxy[order]))
    np.testing.assert_allclose(two, one[np.ix_(order, order)], atol=0.02)
    np.testing.assert_allclose(one, one.T)


def test_the_same_input_gives_the_same_output() -> None:
    X, _ = scene_vectors(150)
    one, two = AverageLinkage().fit(X), AverageLinkage().fit(X)
    np.testing.assert_array_equal(one.labels_, two.labels_)
    np.testing.assert_array_equal(one.probabilities_, two.probabilities_)


@pytest.mark.parametrize("rows", [1, 2, 3, LENGTH, LENGTH + 1, LENGTH + 2])
def test_few_rows(rows: int) -> None:
    X, _ = scene_vectors(rows)
    for unit in (None, 0.2):
        model = PairDecision(calibrated=unit).fit(X, xyxy=boxes_for(rows))
        assert model.labels_.shape == (rows,)
    assert ((model.probabilities_ >= 0) & (model.probabilities_ <= 1)).all()


@pytest.mark.parametrize("rows", [2, 5, 60])
def test_equal_rows_are_one_identity(rows: int) -> None:
    X = np.tile(np.arange(1.0, 9), (rows, 1))
    assert np.isfinite(
        describe(np.ascontiguousarray(X / np.linalg.norm(X, axis=1, keepdims=True), np.float32)).pair
    ).all()
    assert AverageLinkage().fit(X).n_clusters_ == 1


@given(st.integers(2, 7), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_no_single_merge_or_split_improves_the_pruning(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((rows, rows)) ** 2
    p = (p + p.T) / 2
    np.fill_diagonal(p, 1)
    tree = average_tree(np.where(np.eye(rows, dtype=bool), 0, 1 - p))
    merges = tree.merges[:, :2].astype(np.int64)
    members = [[row] for row in range(rows)]
    for one, two in merges:
        members.append(members[one] + members[two])
    inside = [p[np.ix_(part, part)] for part in members]
    precise = np.array([block.sum() / len(block) for block in inside])
    recalled = np.array(
        [(block.sum(axis=1) / p[part].sum(axis=1)).sum() for block, part in zip(inside, members, strict=True)]
    )
    nodes, value = prune(merges, precise, recalled, rows)
    labels = np.empty(rows, int)
    for name, node in enumerate(nodes):
        labels[members[node]] = name
    assert value == pytest.approx(expected_f(p, labels))
    for number, pair in enumerate(merges.tolist()):
        node = rows + number
        if node in nodes:
            other = [*(n for n in nodes if n != node), *pair]
        elif set(pair) <= set(nodes):
            other = [*(n for n in nodes if n not in pair), node]
        else:
            continue
        for name, part in enumerate(other):
            labels[members[part]] = name
        assert expected_f(p, labels) <= value + 1e-9


def expected_f(p: np.ndarray, labels: np.ndarray) -> float:
    same = labels[:, None] == labels
    inside = (p * same).sum(axis=1)
    precision, recall = (inside / same.sum(axis=1)).mean(), (inside / p.sum(axis=1)).mean()
    return float(2 * precision * recall / (precision + recall))


def test_a_calibrated_threshold_stands_where_it_fits_and_not_where_it_is_far_off() -> None:
    X, y = simulate(200, seed=1)
    near = PairDecision(calibrated=0.66).fit(X)
    assert score(y, near.labels_).bcubed_f > score(y, AverageLinkage(calibrated=0.66).fit(X).labels_).bcubed_f - 0.01
    assert near.threshold_ == pytest.approx(0.66, abs=0.2)
    off = PairDecision(calibrated=0.1).fit(X)
    assert score(y, off.labels_).bcubed_f > score(y, AverageLinkage(calibrated=0.1).fit(X).labels_).bcubed_f + 0.2


def test_constraints_are_kept() -> None:
    X, _ = scene_vectors(60, noise=0.4)
    rng = np.random.default_rng(0)
    pairs = rng.permutation(60)[:24].reshape(12, 2)
    must, apart = pairs[:6], pairs[6:]
    exclusive = np.where(np.arange(60) < 5, 0, -1)
    for unit in (None, 0.3):
        _check_constraints(PairDecision(calibrated=unit), X, must, apart, exclusive)


def _check_constraints(
    model: PairDecision, X: np.ndarray, must: np.ndarray, apart: np.ndarray, exclusive: np.ndarray
) -> None:
    labels = model.fit(X, must_link=must, cannot_link=apart, exclusive=exclusive).labels_
    assert (labels[must[:, 0]] == labels[must[:, 1]]).all()
    assert (labels[apart[:, 0]] != labels[apart[:, 1]]).all()
    linked = set(must.ravel().tolist())
    free = [row for row in range(5) if row not in linked]
    assert len(set(labels[free].tolist())) == len(free)


def test_strangers_are_left_alone() -> None:
    """Six pairs and thirty single rows: the usual silhouette merges strangers."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        centre = rng.standard_normal((36, 24))
        X = np.concatenate([centre, centre[:6] + 0.15 * rng.standard_normal((6, 24))])
        assert AverageLinkage().fit(X).n_clusters_ == pytest.approx(36, abs=2)
        assert AverageLinkage("silhouette").fit(X).n_clusters_ < 36


def test_nothing_is_calibrated_and_it_is_better_than_the_two_stages() -> None:
    own, theirs = [], []
    for seed in range(5):
        X, y = simulate(64, seed=seed)
        own.append(score(y, AverageLinkage().fit_predict(X)).ARI)
        theirs.append(score(y, TwoStage().fit_predict(X)).ARI)
    assert np.mean(own) > 0.85
    assert np.mean(own) >= np.mean(theirs)


@pytest.mark.slow
def test_many_rows_are_decided_without_a_square_matrix() -> None:
    X, y = simulate(6000, seed=3)
    found = AverageLinkage().fit(X)
    assert score(y, found.labels_).ARI > 0.85
    assert ((found.probabilities_ >= 0) & (found.probabilities_ <= 1)).all()


def test_the_count_is_that_of_the_clusters_and_lies_in_its_interval() -> None:
    X, y = simulate(200, seed=4)
    evidence = Evidence(X, Hints())
    found = count(evidence)
    assert found.low <= found.count == found.decision.count <= found.high
    assert found.low <= y.max() + 1 <= found.high
    assert not found.lost
    for number in (10, 60, 120):
        assert decide_for(evidence, number).count == pytest.approx(number, rel=0.2)


def test_more_is_joined_the_higher_the_odds() -> None:
    X, _ = simulate(120, seed=5)
    evidence = Evidence(X, Hints())
    counts = [evidence.decide(shift=shift).count for shift in (-12.0, -4.0, 0.0, 4.0, 12.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 100
    assert counts[-1] < 20


def test_the_compiled_loops_say_what_the_arrays_say() -> None:
    X, _ = scene_vectors(300, noise=0.4)
    found = nearest(X)
    weight = np.random.default_rng(0).random(found.index.shape).astype(np.float32)
    np.testing.assert_allclose(loops.common(found.index, weight), common(found.index, weight), rtol=1e-4)
    log = np.log(found.distance + np.float32(0.02))
    for ours, plain in zip(loops.ranks(log, found.index, STEP), shared_counts(log, found.index), strict=True):
        np.testing.assert_allclose(ours, plain, atol=1e-3)


@pytest.mark.slow
def test_many_rows_need_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core has no numba: above ``DENSE`` rows arrays do what the compiled loops do."""
    X, identity = simulate(2200, seed=3)
    with_numba = make("default").fit_predict(X)
    for name in [name for name in sys.modules if name.split(".")[0] in ("numba", "llvmlite")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "packed_scenes.cluster.decision.loops", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    without = make("default").fit_predict(X)
    assert score(with_numba, without).bcubed_f > 0.99
    assert score(identity, without).bcubed_f > 0.5


def tree_of(rows: int, seed: int) -> tuple[Tree, np.ndarray, np.ndarray]:
    X, _ = scene_vectors(rows, seed=seed)
    distance = cosine_distances(X)
    chance = all_pairs(X, judge(X))
    return average_tree(distance), distance, chance


@given(st.integers(2, 40), st.integers(0, 10_000), st.floats(0.05, 0.9))
@settings(max_examples=30, deadline=None)
def test_gains_of_branches_equal_their_definition(rows: int, seed: int, alone: float) -> None:
    tree, distance, chance = tree_of(rows, seed)
    parts = tree.merges[:, :2].astype(int).tolist()
    members = [[row] for row in range(rows)]
    for one, two in parts:
        members.append(members[one] + members[two])
    beside: dict[int, list[int]] = {2 * rows - 2: []}
    for number in range(rows - 2, -1, -1):
        one, two = parts[number]
        beside[one], beside[two] = ([*beside[rows + number], other] for other in (two, one))
    gain = np.zeros(2 * rows - 1)
    for node, part in enumerate(members):
        for row in part:
            others = [other for other in part if other != row]
            own = distance[row, others].mean() if others else alone
            near = min((distance[row, members[other]].mean() for other in beside[node]), default=None)
            if near is not None:
                gain[node] += (near - own) / max(near, own, 1e-9)
            likely = chance[row, part].sum()
            gain[node] += branches.JUDGED * (
                branches.PRECISION * likely / len(part) + (1 - branches.PRECISION) * likely / chance[row].sum()
            )
    np.testing.assert_allclose(branches.gains(tree, distance, chance, alone), gain, atol=1e-6)


@given(st.integers(2, 60), st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_branches_are_of_the_tree_and_keep_to_the_limits(rows: int, seed: int) -> None:
    tree, distance, chance = tree_of(rows, seed)
    unit = 0.4
    labels, _ = branches.prune_near(tree, distance, chance, unit)
    low, high = tree.cut(branches.LOW * unit), tree.cut(branches.HIGH * unit)
    assert len(np.unique(np.stack([low, labels]), axis=1).T) == low.max() + 1  # what is joined there stays joined
    assert len(np.unique(np.stack([labels, high]), axis=1).T) == labels.max() + 1
    parts = {frozenset(np.flatnonzero(tree.cut(height) == name)) for height in tree.heights for name in range(rows)}
    found = {frozenset(np.flatnonzero(labels == name)) for name in range(labels.max() + 1)}
    assert all(part in parts or len(part) == 1 for part in found)


def test_constraints_hold_near_the_threshold() -> None:
    X, _ = scene_vectors(60, seed=4)
    free = PairDecision(calibrated=0.5).fit(X).labels_
    one, two = np.flatnonzero(free == 0)[:2]
    far = np.flatnonzero(free != 0)[0]
    found = PairDecision(calibrated=0.5).fit(X, must_link=[[one, far]], cannot_link=[[one, two]]).labels_
    assert found[one] == found[far] != found[two]


def test_a_small_change_of_the_vectors_changes_few_pairs() -> None:
    rng = np.random.default_rng(0)
    agreed = []
    for seed in range(12):
        X, _ = scene_vectors(40, seed=seed)
        moved = X + 0.03 * rng.standard_normal(X.shape) / np.sqrt(X.shape[1])
        moved = np.ascontiguousarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)
        one, two = (PairDecision(calibrated=0.5).fit(rows).labels_ for rows in (X, moved))
        agreed.append(score(one, two, ami=False).pairwise_f)
    assert np.mean(agreed) > 0.97


def test_identities_larger_than_the_lists_are_not_left_in_pieces() -> None:
    X, y = simulate(1500, dim=128, seed=0, sigma=1.0, regime="vehicle")
    X = np.ascontiguousarray(X, np.float32)
    found = judge(X)
    labels, value = decide_on_lists(X, found, None)
    assert value > 1
    whole = PairDecision().fit(X)
    assert score(y, whole.labels_, ami=False).bcubed_f > score(y, labels, ami=False).bcubed_f + 0.2
    assert whole.expected_ <= 1


def test_a_decision_that_agrees_with_itself_is_not_made_coarser() -> None:
    X, _ = scene_vectors(60)
    labels = np.arange(60) // 2
    again, value = join_pieces(X, labels, 0.9, load())
    np.testing.assert_array_equal(again, labels)
    assert value == 0.9
