"""What the judge is told and what is made of its answers: each figure against its words."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.decision import Decision, Evidence, coarser, count, decide_for, features, lists
from packed_scenes.cluster.decision.box_pairs import falling
from packed_scenes.cluster.decision.box_pairs import of_pairs as of_boxes
from packed_scenes.cluster.decision.counting import FARTHEST, LOST, SHIFT, Counted, figures
from packed_scenes.cluster.decision.features import Spread, along, describe
from packed_scenes.cluster.decision.lists import nearest
from packed_scenes.cluster.decision.merges import CUTS, FLOOR, HIGH, LOW, SINGLETON_DISTANCE, SURE, belief, of_pairs
from packed_scenes.cluster.decision.network import load
from packed_scenes.cluster.dense import average_tree, cosine_distances
from packed_scenes.cluster.internal import silhouette_from_distances
from packed_scenes.cluster.knn import Graph
from packed_scenes.cluster.spatial import spatial_distances
from tests.cluster.synthetic import scene_vectors


def boxes_for(rng: np.random.Generator, rows: int) -> np.ndarray:
    corner = rng.uniform(0, 300, (rows, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 90, (rows, 2))], axis=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 14), st.integers(0, 2**32 - 1), st.sampled_from([None, 0.3, 0.8]), st.booleans())
def test_where_the_two_of_a_pair_meet(rows: int, seed: int, unit: float | None, boxes: bool) -> None:
    rng = np.random.default_rng(seed)
    X, _ = scene_vectors(rows, seed=seed, dim=6)
    index = nearest(X, length=4).index
    xyxy = boxes_for(rng, rows) if boxes else None
    scene = rng.integers(0, 2, rows)
    found = of_pairs(X, index, typical=-0.7, xyxy=xyxy, scene=scene, unit=unit)
    assert found is not None
    distance = cosine_distances(X)
    if unit is not None and xyxy is not None:
        distance = spatial_distances(distance, xyxy, scene, reach=unit)
    tree = average_tree(distance)
    members = [{row} for row in range(rows)]
    height = [float(np.log(FLOOR))] * rows
    for one, two, at, _ in tree.merges.tolist():
        members.append(members[int(one)] | members[int(two)])
        height.append(float(np.log(at + FLOOR)))
    sure = [0.5] * (rows - 1) if unit is None else belief(tree, distance, unit).tolist()
    for i in range(rows):
        for k, j in enumerate(index[i].tolist()):
            node = min((n for n in range(rows, 2 * rows - 1) if {i, j} <= members[n]), key=lambda n: len(members[n]))
            above = [height[n] for n in range(rows, 2 * rows - 1) if members[n] > members[node]]
            parts = tree.merges[node - rows, :2].astype(int).tolist()
            expected = (
                height[node] + 0.7,
                height[node] - np.log(distance[i, j] + FLOOR),
                (min(above) if above else max(height[node], np.log(1 + FLOOR))) - height[node],
                height[node] - max(height[part] for part in parts),
                np.log(len(members[node])),
                np.log(sure[node - rows] / (1 - sure[node - rows])),
                1,
            )
            np.testing.assert_allclose(found[i, k], expected, atol=1e-5)


def test_a_tree_is_looked_at_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(12)
    index = nearest(X).index
    monkeypatch.setattr("packed_scenes.cluster.decision.merges.DENSE", 12)
    found = of_pairs(X, index, typical=0.0)
    assert found is not None
    assert found[..., -1].all()
    monkeypatch.setattr("packed_scenes.cluster.decision.merges.DENSE", 11)
    assert of_pairs(X, index, typical=0.0) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 30), st.integers(0, 2**32 - 1), st.floats(0.1, 1.9), st.sampled_from([0.03, 0.3]))
def test_belief_in_words(rows: int, seed: int, unit: float, soft: float) -> None:
    """Cuts lie midway between merges; each has the heights around it, by their ratio, times e^(silhouette / soft)."""
    X, _ = scene_vectors(rows, seed=seed, dim=6)
    distance = cosine_distances(X)
    tree = average_tree(distance)
    low, high = LOW * unit, min(HIGH * unit, 2.0)
    heights = [low, *sorted({h for h in tree.heights.tolist() if low < h < high}), high]
    cuts = [(a + b) / 2 for a, b in pairwise(heights)]
    if len(cuts) > CUTS:
        cuts = [cuts[int(at)] for at in np.linspace(0, len(cuts) - 1, CUTS).round()]
    edges = [low, *((a + b) / 2 for a, b in pairwise(cuts)), high]
    share = []
    for cut, a, b in zip(cuts, edges, edges[1:], strict=False):
        value = silhouette_from_distances(distance, tree.cut(cut), singleton_distance=SINGLETON_DISTANCE * unit).mean()
        share.append(np.exp(value / soft) * np.log(b / a))
    for height, found in zip(tree.heights, belief(tree, distance, unit, soft=soft), strict=True):
        above = 0.0
        for part, a, b in zip(share, edges, edges[1:], strict=False):
            above += part / sum(share) * np.clip((b - height) / (b - a), 0, 1)
        assert found == pytest.approx(min(max(above, SURE), 1 - SURE), abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(2, 50), st.integers(0, 2**32 - 1))
def test_cosines_without_what_all_have_in_common(rows: int, dim: int, seed: int) -> None:
    X, _ = scene_vectors(rows, seed=seed, dim=dim)
    found = nearest(X, length=7)
    spread = Spread(X, found)
    centred = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    gram = centred @ centred.T
    size = np.linalg.norm(centred, axis=1)
    profile = np.linalg.norm(gram, axis=1)
    here = np.arange(rows)[:, None]
    index = found.index
    np.testing.assert_allclose(spread.centred, gram[here, index] / (size[:, None] * size[index]), atol=1e-3)
    alike = (gram @ gram)[here, index] / (profile[:, None] * profile[index])
    np.testing.assert_allclose(spread.profiles, alike, atol=1e-3)
    values = np.linalg.eigvalsh(gram)
    np.testing.assert_allclose(spread.dimensions, np.log(values.sum() ** 2 / (values**2).sum()), atol=1e-3)


def test_dot_products_along_lists_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    one, two = rng.standard_normal((2, 1030, 3)).astype(np.float32)
    index = rng.integers(0, 1030, (1030, 4))
    expected = np.take_along_axis(one @ two.T, index, axis=1)
    for block in (1, 4096, features.BLOCK):
        monkeypatch.setattr(features, "BLOCK", block)
        np.testing.assert_allclose(along(one, two, index), expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**32 - 1), st.sampled_from([None, 0.4]))
def test_figures_of_a_pair_are_the_same_from_both_sides(rows: int, seed: int, unit: float | None) -> None:
    X, _ = scene_vectors(rows, seed=seed, dim=8)
    rng = np.random.default_rng(seed)
    scene = rng.integers(0, 2, rows)
    found = describe(X, xyxy=boxes_for(rng, rows), scene=scene, unit=unit)
    pair = found.pair
    place = {(i, j): k for i, listed in enumerate(found.lists.index.tolist()) for k, j in enumerate(listed)}
    for (i, j), k in place.items():
        if (j, i) in place:
            np.testing.assert_allclose(pair[i, k], pair[j, place[j, i]], atol=2e-3)


def test_figures_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(90, dim=8)
    whole = describe(X, tree=False)
    monkeypatch.setattr(features, "BLOCK", 1)
    monkeypatch.setattr(lists, "SCRATCH", 1)
    np.testing.assert_allclose(describe(X, tree=False).pair, whole.pair, atol=1e-4)
    parts = [whole.pairs(slice(low, low + 40)) for low in range(0, 90, 40)]
    np.testing.assert_array_equal(np.concatenate(parts), whole.pair)
    monkeypatch.setattr(lists, "SCRATCH", 40 * 90)
    np.testing.assert_allclose(describe(X, tree=False).pair, whole.pair, atol=1e-4)


def test_where_a_search_finds_too_few_the_last_stands_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _ = scene_vectors(6)
    monkeypatch.setattr(lists, "DENSE", 5)
    index = np.array([[2, 3, -1], [4, -1, -1], [0, 1, 5], [-1, -1, -1], [1, 2, 3], [0, 1, 2]], np.int32)
    similarity = np.where(index < 0, -2, 0.9).astype(np.float32)
    similarity[0] = 0.8, 0.6, -2
    monkeypatch.setattr(lists, "neighbours", lambda X, k: Graph(index, similarity, "ivf"))
    found = nearest(X, length=3)
    assert found.index.tolist() == [[2, 3, 3], [4, 4, 4], [0, 1, 5], [0, 0, 0], [1, 2, 3], [0, 1, 2]]
    np.testing.assert_allclose(found.distance[0], [0.2, 0.4, 0.4], rtol=1e-5)
    assert found.distance.min() >= 0
    assert found.distance[3].tolist() == [2, 2, 2]


def test_a_smooth_step_falls_from_one_to_zero_alike_on_both_sides_of_its_middle() -> None:
    at = np.linspace(-1e3, 1e3, 20001)
    found = falling(2 + at, 2, 0.1)
    assert found[[0, 10000, -1]].tolist() == pytest.approx([1, 0.5, 0])
    assert (np.diff(found) <= 0).all()
    np.testing.assert_allclose(found + found[::-1], 1)
    assert falling(np.array([1.9]), 2, 0.1)[0] == pytest.approx(np.e / (1 + np.e))  # one width off its middle


def side(dx: float, dy: float, width: float = 1.0, height: float = 1.0) -> np.ndarray:
    """Figures of a unit box and one whose middle is (dx, dy) away."""
    box = np.array([[-1, -1, 1, 1], [2 * dx - width, 2 * dy - height, 2 * dx + width, 2 * dy + height]], np.float64)
    return of_boxes(np.array([[1], [0]]), 70 * box, None)[0, 0]


def test_boxes_side_by_side_and_on_one_another() -> None:
    there, row = 0, 3
    for swapped in (False, True):
        beside, stacked = (2, 1) if swapped else (1, 2)
        turn = (lambda *v: side(v[1], v[0], *v[:1:-1])) if swapped else side
        assert turn(1.05, 0.02)[beside] > 0.85
        assert turn(1.05, 0.02)[stacked] < 0.1
        for far in (turn(2.2, 0), turn(1, 0.8), turn(1, 0, 1.0, 1.6)):
            assert far[beside] < 0.1
            assert far[there] == 1
        assert turn(1, 0, 1.3, 1.0)[beside] > 0.8  # of another width, but of one height
    assert side(5, 0.05)[row] > 0.9 > 0.1 > side(5, 1)[row]
    assert side(2.0, 0.5, 2.0, 0.5)[4:8].tolist() == pytest.approx(
        [2.0 / 2**0.5 / 4, 0.5 * 2**0.5 / 4, np.log(2), np.log(2)]
    )
    np.testing.assert_allclose(side(50, 70, 20, 0.05)[4:8], 2)  # farther, wider or lower says nothing more


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_boxes_are_compared_in_units_of_their_own_and_within_a_scene(rows: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    xyxy, scene = boxes_for(rng, rows), rng.integers(0, 2, rows)
    index = np.array([rng.permutation([j for j in range(rows) if j != i]) for i in range(rows)])
    found = of_boxes(index, xyxy, scene)
    np.testing.assert_allclose(of_boxes(index, scale * xyxy + 17, scene), found, atol=1e-5)
    other = scene[index] != scene[:, None]
    assert np.array_equal(found[..., -1] == 1, other)
    assert not found[other, :-1].any()
    assert np.array_equal(of_boxes(index, None, scene)[..., -1], other)
    assert not of_boxes(index, None, scene)[..., :-1].any()
    assert not of_boxes(index, xyxy, None)[..., -1].any()


class Steps:
    """Evidence whose number of identities falls with the shift."""

    def __init__(self, counts: dict[float, int]) -> None:
        self.counts = sorted(counts.items())
        self.asked: list[float] = []

    def decide(self, *, shift: float = 0.0) -> Decision:
        self.asked.append(shift)
        number = next((n for at, n in self.counts if shift < at), 1)
        return Decision(np.arange(number), np.ones(number), 1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(-700, 700), st.integers(2, 50), max_size=6), st.floats(1, 60))
def test_the_decision_for_a_number_is_the_nearest_that_there_is(places: dict[int, int], number: float) -> None:
    """Steps lie 1/64 of log-odds apart at least: halvings cannot part what is as near as 1e-200."""
    steps = dict(
        zip((place / 64 for place in sorted(places)), sorted(set(places.values()), reverse=True), strict=False)
    )
    evidence = Steps(steps)
    found = decide_for(cast(Any, evidence), number)
    every = [*steps.values(), 1]
    exact = [n for n in every if n == round(number)]
    assert abs(found.count - number) == min(abs(n - number) for n in exact or every)
    assert max(map(abs, evidence.asked)) < FARTHEST


def test_the_figures_of_a_count_and_its_limits() -> None:
    X, _ = scene_vectors(40, noise=1.1)
    plain = Evidence(X, Hints())
    decision = plain.decide()
    number = decision.count
    fewer, more = (plain.decide(shift=shift).count for shift in (SHIFT, -SHIFT))
    assert plain.judgement is not None
    mates = plain.judgement.probability.sum(axis=1)
    expected = min(sum(1 / (1 + mates)), number)
    about = [1, *np.log(np.array([fewer, more, expected, 40]) / number)]
    np.testing.assert_allclose(figures(plain, decision), about, atol=1e-6)
    assert fewer < number < more
    for low, high, limits in (
        (np.log(0.5), np.log(1.5), (round(number / 2), round(number * 1.5))),
        (1.0, -1.0, (number, number)),
        (-9.0, 9.0, (1, 40)),
    ):
        weights = {**load(), "count.low": np.array([low, 0, 0, 0, 0]), "count.high": np.array([high, 0, 0, 0, 0])}
        found = count(Evidence(X, Hints(), weights=cast(Any, weights)))
        assert (found.low, found.high) == limits
        assert found.count == number
    assert (lambda c: (c.low, c.count, c.high))(count(Evidence(X[:1], Hints()))) == (1, 1, 1)
    assert [Counted(replace(decision, expected_f=f), 1, 9).lost for f in (LOST - 0.01, LOST)] == [True, False]


def test_pieces_are_joined_by_their_means_as_long_as_the_judge_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.repeat(np.eye(8, dtype=np.float32), 2, axis=0)
    labels = np.repeat(np.arange(8), 2)
    seen = []

    def joined(*answers: tuple[list[int], float]) -> tuple[list[int], float]:
        left = list(answers)

        def decide(means: np.ndarray, judged: None, constraints: None) -> tuple[np.ndarray, float]:
            seen.append(means)
            names, value = left.pop(0)
            return np.array(names), value

        monkeypatch.setattr(coarser, "judge", lambda means, weights: None)
        monkeypatch.setattr(coarser, "decide_on_lists", decide)
        found, value = coarser.join_pieces(X, labels, 1.2, {})
        assert not left
        return found.tolist(), value

    pairs, halves = [0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 1]
    assert joined((pairs, 0.9)) == (np.repeat(pairs, 2).tolist(), 0.9)
    np.testing.assert_allclose(seen[0], np.eye(8))
    assert joined((pairs, 1.1), (halves, 0.8)) == (np.repeat([0, 0, 0, 0, 1, 1, 1, 1], 2).tolist(), 0.8)
    np.testing.assert_allclose(seen[-1], np.kron(np.eye(4), [1, 1]) / 2**0.5)
    assert joined((pairs, 1.1), (halves, 0.79)) == (np.repeat(pairs, 2).tolist(), 1.1)
    assert joined(([0, 0, 1, 1, 2, 2, 2, 2], 1.1), ([0, 0, 1], 0.9)) == ([0] * 8 + [1] * 8, 0.9)
    assert joined((list(range(8)), 1.1)) == (labels.tolist(), 1.2)
    two_are_left_alone = (np.repeat([0, 0, 0, 0, 1, 1, 1, 1], 2).tolist(), 1.05)
    assert joined((pairs, 1.1), ([0, 0, 1, 1], 1.05)) == two_are_left_alone


def close_to(value: float, others: np.ndarray) -> float:
    """How many others lie below, softly."""
    return float((1 / (1 + np.exp(-(value - others) / features.STEP))).sum())


@settings(max_examples=12, deadline=None)
@given(st.integers(2, 45), st.integers(0, 2**32 - 1), st.sampled_from([None, 0.5]))
def test_what_the_judge_is_told_in_words(rows: int, seed: int, unit: float | None) -> None:
    X, _ = scene_vectors(rows, seed=seed, dim=8)
    scene, xyxy = np.arange(rows) % 2, boxes_for(np.random.default_rng(seed), rows)
    found = describe(X, xyxy=xyxy, scene=scene, unit=unit)
    index, distance = found.lists.index, found.lists.distance.astype(np.float64)
    k = found.lists.length
    floor = features.FLOOR
    near = {m: np.log(distance[:, min(m, k) - 1] + floor) for m in (*features.NEIGHBOURS, *features.PROFILE)}
    every = 1 - X.astype(np.float64) @ X.T
    usual = np.log(np.array([np.mean(np.delete(every[i], i)) for i in range(rows)]) + floor)
    whole = np.concatenate([
        np.quantile(near[1], (0.1, 0.25, 0.5, 0.75, 0.9)), np.quantile(near[3], (0.25, 0.5, 0.75)),
        np.quantile(near[8], (0.25, 0.5, 0.75)), np.quantile(usual, (0.1, 0.5, 0.9)),
    ])  # fmt: skip
    typical = float(np.median(near[1]))
    np.testing.assert_allclose(found.whole[: len(whole)], whole, atol=1e-3)
    known = (0, 0) if unit is None else (1, typical - np.log(unit + floor))
    np.testing.assert_allclose(found.whole[-3:], (k / lists.LENGTH, *known), atol=1e-3)
    np.testing.assert_allclose(
        found.object[:, :-1], np.stack([near[m] for m in features.PROFILE], 1) - typical, atol=1e-3
    )
    np.testing.assert_allclose(found.object[:, -1], usual - typical, atol=1e-3)
    spread, shared = Spread(X, found.lists), {}
    for m in features.SHARED:
        weight = np.eye(rows)
        width = distance[:, min(m, k) - 1] + floor
        np.put_along_axis(weight, index, 0.5 ** ((distance / width[:, None]) ** 2), axis=1)  # half at the width
        shared[m] = weight @ weight.T
    boxed = of_boxes(index, xyxy, scene)
    met, pair = of_pairs(X, index, typical=typical, xyxy=xyxy, scene=scene, unit=unit), found.pair
    assert met is not None
    for i in range(min(rows, 4)):
        for place, j in enumerate(index[i].tolist()):
            d = distance[i, place]
            log = np.log(d + floor)
            against = [
                f for m in features.NEIGHBOURS for f in sorted((log - near[m][i], log - near[m][j]), reverse=True)
            ]
            counted = sorted(max(close_to(log, np.log(distance[row] + floor)) - 0.5, 0) for row in (i, j))
            jaccard = [s[i, j] / (s[i, i] + s[j, j] - s[i, j]) for s in shared.values()]
            expected = [
                d, d**0.5, log, *against, *np.log1p(counted), *jaccard, spread.profiles[i, place],
                spread.centred[i, place], *sorted((log - usual[i], log - usual[j]), reverse=True), log - typical,
                log - np.quantile(near[1], 0.1), log - np.median(usual), *boxed[i, place],
                0 if unit is None else log - np.log(unit + floor), *met[i, place],
            ]  # fmt: skip
            np.testing.assert_allclose(pair[i, place], expected, atol=0.02)
