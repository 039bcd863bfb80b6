"""The tree of the judged pairs and its pruning, against both in words, on any lists."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.constraints import Constraints, close
from packed_scenes.cluster.decision.branches import (
    BELIEF,
    HIGH,
    LOW,
    PULL,
    SINGLETON_DISTANCE,
    SOFT,
    gains,
    prune_near,
)
from packed_scenes.cluster.decision.coarser import join_pieces
from packed_scenes.cluster.decision.deciding import TRUST, Evidence, confidence, expected_f
from packed_scenes.cluster.decision.graph import ALIKE, FAINT, MIN_PROBABILITY, decide_on_lists
from packed_scenes.cluster.decision.judging import Judgement, all_pairs, fit_trend
from packed_scenes.cluster.decision.lists import Lists
from packed_scenes.cluster.decision.merges import belief
from packed_scenes.cluster.decision.pruning import WEIGHTS, improve, prune
from packed_scenes.cluster.dense import average_tree
from packed_scenes.cluster.near_threshold import tree_near
from packed_scenes.data.arrays import unit_rows
from tests.cluster.synthetic import scene_vectors

Part = frozenset[int]


def judged(rng: np.random.Generator, rows: int, k: int) -> tuple[np.ndarray, Judgement]:
    """Vectors, and lists of any k others with any odds; a pair on two lists has two opinions."""
    X = unit_rows(rng.standard_normal((rows, 3))).astype(np.float32)
    index = np.array([rng.permutation([j for j in range(rows) if j != i])[:k] for i in range(rows)])
    distance = 1 - np.take_along_axis(X @ X.T, index, axis=1)
    odds = (3 * rng.standard_normal((rows, k)) + rng.choice([-2, 1, 3])).astype(np.float32)
    trend = float(rng.normal()), -float(rng.random() * 4)
    return X, Judgement(Lists(index, distance.astype(np.float32)), odds, trend)


class Naive:
    """All in words, with sets of rows for clusters."""

    def __init__(self, X: np.ndarray, found: Judgement, constraints: Constraints) -> None:
        self.X, self.trend = X.astype(np.float64), found.trend
        self.chance: dict[Part, list[float]] = {}
        for i, listed in enumerate(found.lists.index.tolist()):
            for j, p in zip(listed, found.probability[i].tolist(), strict=True):
                if p >= FAINT:
                    self.chance.setdefault(frozenset({i, j}), []).append(p)
        self.leaves = [frozenset(np.flatnonzero(constraints.group == g)) for g in range(constraints.group.max() + 1)]
        self.apart = [(self.leaves[a], self.leaves[b]) for a, b in constraints.cannot_link.tolist()]
        self.parts: dict[Part, tuple[Part, Part]] = {}
        self.mean: dict[Part, float] = {}
        self.grow()
        self.expected = 1 + found.probability.astype(np.float64).sum(axis=1)
        for part, joined in self.mean.items():
            if joined >= ALIKE:
                for row in part:
                    self.expected[row] = max(self.expected[row], self.inside(part) / len(part))
        for leaf in self.leaves:
            for row in leaf:
                self.expected[row] = max(self.expected[row], len(leaf))

    def likeness(self, one: Part, two: Part) -> float | None:
        """The mean over all pairs: as judged, the others by the trend of the mean distance; None for no neighbours."""
        for a, b in self.apart:
            if (a <= one and b <= two) or (b <= one and a <= two):
                return None
        pairs = [frozenset({i, j}) for i in one for j in two]
        known = [np.mean(self.chance[pair]) for pair in pairs if pair in self.chance]
        if not known:
            return None
        alike = np.mean([self.X[i] @ self.X[j] for i in one for j in two])
        odds = self.trend[0] + self.trend[1] * (1 - alike)
        return float((sum(known) + (len(pairs) - len(known)) / (1 + np.exp(-odds))) / len(pairs))

    def grow(self) -> None:
        """Pairs of clusters that are each other's most alike merge, all at once."""
        living = list(self.leaves)
        while True:
            best: dict[Part, tuple[float, Part]] = {}
            for at, one in enumerate(living):
                for two in living[:at]:
                    mean = self.likeness(one, two)
                    if mean is not None and mean >= MIN_PROBABILITY:
                        best[one] = max(best.get(one, (0.0, one)), (mean, two), key=lambda b: b[0])
                        best[two] = max(best.get(two, (0.0, two)), (mean, one), key=lambda b: b[0])
            pairs = [(one, two) for one, (_, two) in best.items() if best[two][1] == one and min(one) < min(two)]
            if not pairs:
                return
            for one, two in pairs:
                self.parts[one | two], self.mean[one | two] = (one, two), best[one][0]
                living = [part for part in living if part not in (one, two)] + [one | two]

    def inside(self, part: Part) -> float:
        if part not in self.parts:
            return float(len(part) ** 2)
        one, two = self.parts[part]
        return self.inside(one) + self.inside(two) + 2 * self.mean[part] * len(one) * len(two)

    def recalled(self, part: Part) -> float:
        """What the cluster adds to N x the recall: of each member's expected mates the share that it has here."""
        share = {row: 1 / self.expected[row] for row in part}
        if part not in self.parts:
            return len(part) * sum(share.values())
        one, two = self.parts[part]
        across = self.mean[part] * (len(two) * sum(share[i] for i in one) + len(one) * sum(share[i] for i in two))
        return self.recalled(one) + self.recalled(two) + across

    def f(self, parts: set[Part]) -> float:
        precision = sum(self.inside(part) / len(part) for part in parts) / len(self.X)
        recall = sum(self.recalled(part) for part in parts) / len(self.X)
        return 2 * precision * recall / (precision + recall)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**32 - 1), st.booleans())
def test_the_tree_and_its_pruning_in_words(rows: int, k: int, seed: int, known: bool) -> None:
    rng = np.random.default_rng(seed)
    X, found = judged(rng, rows, min(k, rows - 1))
    free = Constraints(np.arange(rows), np.zeros((0, 2), np.int64))
    constraints = free
    if known:
        group = close(rows, Hints(must_link=rng.integers(0, rows, (2, 2)))).group
        pairs = rng.integers(0, group.max() + 1, (3, 2))
        pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
        constraints = Constraints(group, pairs)
    labels, value = decide_on_lists(X, found, constraints if known else None)
    naive = Naive(X, found, constraints)
    parts = {frozenset(np.flatnonzero(labels == name)) for name in range(labels.max() + 1)}
    assert parts <= {*naive.leaves, *naive.parts}
    np.testing.assert_allclose(value, naive.f(parts), rtol=1e-4)
    for whole, (one, two) in naive.parts.items():
        if whole in parts:
            assert naive.f(parts - {whole} | {one, two}) <= value * (1 + 1e-4)
        elif one in parts and two in parts:
            assert naive.f(parts - {one, two} | {whole}) <= value * (1 + 1e-4)


def test_thousands_of_rows_that_must_be_one_identity_are() -> None:
    X, index = np.tile(np.eye(2, dtype=np.float32), (3000, 1)), (np.arange(6000)[:, None] + [1, 2]) % 6000
    unlike = Judgement(Lists(index, np.ones((6000, 2), np.float32)), np.full((6000, 2), -9, np.float32), (-9.0, 0.0))
    must = np.column_stack([np.arange(5000), np.arange(1, 5001)])
    labels, _ = decide_on_lists(X, unlike, close(6000, Hints(must_link=must)))
    assert sorted(np.bincount(labels).tolist()) == [1] * 999 + [5001]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(0.1, 1.2))
def test_each_branch_near_the_threshold_in_words(rows: int, seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    distance = rng.uniform(0, 2.2 * unit, (rows, rows)) * rng.choice([0.2, 1.0, 2.0], (rows, 1))
    distance = (distance + distance.T) / 2
    np.fill_diagonal(distance, 0)
    tree, chance = average_tree(distance), np.exp(-distance / unit)
    labels, threshold = prune_near(tree, distance, chance, unit)
    gain = gains(tree, distance, chance, SINGLETON_DISTANCE * unit)
    believed = belief(tree, distance, unit, soft=SOFT)
    members = [frozenset({row}) for row in range(rows)]
    best: list[tuple[float, set[Part]]] = [(float(gain[row]), {members[row]}) for row in range(rows)]
    for number, (one, two, height, size) in enumerate(tree.merges.tolist()):
        members.append(members[int(one)] | members[int(two)])
        value, parts = best[int(one)][0] + best[int(two)][0], best[int(one)][1] | best[int(two)][1]
        whole = float(gain[rows + number])
        pull = PULL * np.log(unit / height) + BELIEF * (2 * believed[number] - 1)
        made = height <= LOW * unit or (height <= min(HIGH * unit, 2) and whole + size * pull >= value)
        best.append((whole, {members[-1]}) if made else (value, parts))
    found = {frozenset(np.flatnonzero(labels == name).tolist()) for name in range(labels.max() + 1)}
    assert found == best[-1][1]
    joined = np.array([any(part <= whole for whole in found) for part in members[rows:]], bool)
    right = [(joined == (tree.heights <= cut)).sum() for cut in (threshold, -1, *tree.heights)]
    assert right[0] == max(right)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_boundary_is_where_calling_pairs_the_same_agrees_best(rows: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    _, found = judged(rng, rows, min(k, rows - 1))
    lists = replace(found.lists, distance=rng.random(found.odds.shape, np.float32))
    found = replace(found, lists=lists)
    distance, gain = found.lists.distance.ravel(), found.probability.ravel() - 0.5
    agreed = [gain[distance <= cut].sum() for cut in (found.boundary(), -1, *distance)]
    np.testing.assert_allclose(agreed[0], max(agreed), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_how_sure_a_place_is_and_the_f_to_be_expected(rows: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, found = judged(rng, rows, min(k, rows - 1))
    labels = np.unique(rng.integers(0, rows, rows), return_inverse=True)[1]
    sure = confidence(found, labels)
    for row, listed in enumerate(found.lists.index):
        chance = found.probability[row].astype(np.float64)
        mates = chance[labels[listed] == labels[row]]
        alone = (labels == labels[row]).sum() == 1
        assert abs(sure[row] - (np.prod(1 - chance) if alone else mates.mean() if len(mates) else 0)) < 1e-6
    every = all_pairs(X, found)
    odds: dict[Part, list[float]] = {}
    for i, listed in enumerate(found.lists.index.tolist()):
        for j, value in zip(listed, found.odds[i].tolist(), strict=True):
            odds.setdefault(frozenset({i, j}), []).append(value)
    precision = recall = 0.0
    for i in range(rows):
        for j in range(rows):
            trend = found.trend[0] + found.trend[1] * (1 - float(X[i] @ X[j]))
            chance = 1 if i == j else 1 / (1 + np.exp(-np.mean(odds.get(frozenset({i, j}), [trend]))))
            assert abs(every[i, j] - chance) < 1e-5
        mates = every[i][labels == labels[i]]
        precision, recall = precision + mates.mean() / rows, recall + mates.sum() / every[i].sum() / rows
    assert abs(expected_f(every, labels) - 2 * precision * recall / (precision + recall)) < 1e-9


def test_the_trend_is_a_line_through_the_farther_half_that_does_not_rise() -> None:
    rng = np.random.default_rng(0)
    distance = np.sort(rng.random((9, 6)), axis=1).astype(np.float32)
    for slope in (-3, 3):
        odds = slope * distance + rng.normal(size=(9, 6)).astype(np.float32) / 9
        odds[:, :3] = rng.normal(size=(9, 3))
        found = fit_trend(distance, odds)
        line = np.polyfit(distance[:, 3:].ravel(), odds[:, 3:].ravel(), 1) if slope < 0 else (0, odds[:, 3:].mean())
        np.testing.assert_allclose(found, line[::-1], atol=1e-4)


def any_tree(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, list[int], np.ndarray, np.ndarray]:
    """Any trees of ``rows`` leaves: merges, roots, and S and T of all nodes, any or near those of their two."""
    value, near = rng.random((2, 2 * rows - 1)) * rng.choice([0.1, 1, 2], 2 * rows - 1), rng.random() < 0.5
    roots, merges = list(range(rows)), []
    for node in range(rows, 2 * rows - rng.integers(1, min(rows, 3) + 1)):
        merges.append([roots.pop(int(rng.integers(len(roots)))) for _ in range(2)])
        roots.append(node)
        if near:
            value[:, node] = value[:, merges[-1]].sum(axis=1) + rng.uniform((-0.8, 0), (0.2, 0.5))
    precise, recalled = np.maximum(value, 0.01)[:, : rows + len(merges)]
    return np.array(merges, np.int64).reshape(-1, 2), roots, precise, recalled


@settings(max_examples=30, deadline=None)
@given(st.one_of(st.integers(2, 60), st.just(500)), st.integers(0, 2**32 - 1))
def test_the_step_that_raises_f_most_is_taken_until_none_does(rows: int, seed: int) -> None:
    """From any pruning of any trees: a node is split into its two, or its two are joined."""
    rng = np.random.default_rng(seed)
    merges, start, precise, recalled = any_tree(rng, rows)
    for node in range(rows + len(merges) - 1, rows - 1, -1):
        if node in start and rng.random() < 0.6:
            start = [n for n in start if n != node] + merges[node - rows].tolist()

    nodes, value = improve(start, merges, precise, recalled, rows)
    now = set(start)
    more = [(v[rows:] - v[merges].sum(axis=1)).tolist() for v in (precise, recalled)]  # of joining

    def f(s: float, t: float) -> float:
        return 2 * s * t / (s + t) / rows

    while True:
        s, t = precise[list(now)].sum(), recalled[list(now)].sum()
        best, step = f(s, t), set[int]()
        for node, (parts, ds, dt) in enumerate(zip(merges.tolist(), *more, strict=True), rows):
            if node in now or now.issuperset(parts):
                after = f(s - ds, t - dt) if node in now else f(s + ds, t + dt)
                if after > best * (1 + 1e-12):
                    best, step = after, {node, *parts}
        if not step:
            break
        now ^= step
    assert set(nodes) == now
    assert abs(value - f(s, t)) < 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_no_weight_of_precision_against_recall_has_a_better_pruning(rows: int, seed: int) -> None:
    """Of any tree, also where the best is more than one merge or split away from the clusters that nothing joins."""
    rng = np.random.default_rng(seed)
    merges, roots, precise, recalled = any_tree(rng, rows)
    prunings: list[list[set[int]]] = [[{row}] for row in range(rows)]
    for node, (one, two) in enumerate(merges.tolist(), rows):
        prunings.append([{node}, *(a | b for a in prunings[one] for b in prunings[two])])
    whole = [set()]
    for root in roots:
        whole = [a | b for a in whole for b in prunings[root]]
    nodes, found = prune(merges, precise, recalled, rows)
    assert set(nodes) in whole

    def f(parts: set[int]) -> float:
        s, t = precise[list(parts)].sum() / rows, recalled[list(parts)].sum() / rows
        return 2 * s * t / (s + t)

    assert abs(found - f(set(nodes))) < 1e-9
    for weight in WEIGHTS:
        best = max(whole, key=lambda parts: sum(weight * precise[n] + (1 - weight) * recalled[n] for n in parts))
        assert found >= f(best) - 1e-9


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.3, 0.6]))
def test_branches_near_the_threshold_stand_unless_the_judge_expects_far_more(rows: int, seed: int, unit: float) -> None:
    X, _ = scene_vectors(rows, seed=seed, dim=16)
    evidence = Evidence(X, Hints(), unit=unit)
    judgement = evidence.judgement
    assert judgement is not None
    chance = all_pairs(X, judgement)
    chance[chance < FAINT] = 0
    near, cut = prune_near(*tree_near(X, Hints(), unit, spatial=False), chance, unit)
    own, value = join_pieces(X, *decide_on_lists(X, judgement, None), evidence.weights)
    trusted = expected_f(chance, near) >= TRUST * expected_f(chance, own)
    found = evidence.decide()
    assert np.array_equal(found.labels, near if trusted else own)
    assert found.boundary == (cut if trusted else judgement.boundary())
    assert found.expected_f == (expected_f(chance, near) if trusted else min(value, 1.0))
    for shift in (-3.0, 2.0):
        trend = judgement.trend[0] + shift, judgement.trend[1]
        moved = replace(judgement, odds=judgement.odds + np.float32(shift), trend=trend)
        found = evidence.decide(shift=shift)
        assert np.array_equal(found.labels, decide_on_lists(X, moved, None)[0])
        np.testing.assert_allclose(found.probability, confidence(moved, found.labels))


def test_a_shift_moves_the_pairs_that_no_list_holds_as_well() -> None:
    """40 rows in a ring, each judged with the next two alone: all are one identity only if the trend follows."""
    X, _ = scene_vectors(40, dim=16)
    evidence, index = Evidence(X, Hints()), (np.arange(40)[:, None] + [1, 2]) % 40
    lists = Lists(index, np.full((40, 2), 0.5, np.float32))
    evidence.judgement = Judgement(lists, np.full((40, 2), 3, np.float32), (-3.0, 0.0))
    assert evidence.decide(shift=4).count == 1 < evidence.decide(shift=2).count
    assert 1 < evidence.decide(shift=-2).count < evidence.decide(shift=-8).count == 40
