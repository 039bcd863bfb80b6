"""The count: its estimator is unbiased by simulation, its interval covers, and it agrees with exact counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.cluster import AverageLinkage
from packed_scenes.cluster.counting import Curve, StopAsking, count_curve, estimate_count
from packed_scenes.cluster.counting.curve import FACTORS
from packed_scenes.cluster.counting.estimate import combine
from packed_scenes.cluster.counting.frame import Frame, Frames, MatchModel
from packed_scenes.cluster.counting.pilot import fit_match_model, pilot_pairs
from packed_scenes.cluster.counting.sampling import Plan
from packed_scenes.cluster.counting.size import inverse_size
from packed_scenes.data import InputError
from packed_scenes.decision_training.gaussian import simulate


@given(
    certain=st.integers(1, 5),
    units=st.lists(st.tuples(st.integers(1, 4), st.floats(0.2, 1.0)), max_size=5),
)
def test_inverse_size_has_the_mean_one_over_size_for_any_probabilities(certain, units):
    mean = 0.0
    for asked in itertools.product([False, True], repeat=len(units)):
        probability = np.prod([p if yes else 1 - p for yes, (_, p) in zip(asked, units, strict=True)])
        mean += probability * inverse_size(certain, [unit for yes, unit in zip(asked, units, strict=True) if yes])
    assert mean == pytest.approx(1 / (certain + sum(m for m, _ in units)), abs=1e-9)


def test_inverse_size_of_many_uncertain_units_is_bounded_work():
    assert np.isfinite(inverse_size(1, [(1.0, 0.5)] * 40))


def test_frame_distances_are_mean_distances_to_the_members():
    X, _ = simulate(120, seed=3)
    frame = Frame(X, cut=0.5)
    pairwise = 1 - frame.X @ frame.X.T
    for row in (0, 17, 119):
        unit = frame.labels[row]
        expected = [pairwise[row, frame.labels == k].mean() for k in range(frame.count)]
        expected[unit] = 2
        np.testing.assert_allclose(frame.distances(row), expected, atol=1e-5)
        others = (frame.labels == unit) & (np.arange(120) != row)
        assert frame.own[row] == pytest.approx(pairwise[row, others].mean() if others.any() else 0, abs=1e-5)
    blocks = np.concatenate([distance for _, distance in frame.blocks()])
    np.testing.assert_allclose(blocks[17], frame.distances(17), atol=1e-6)
    assert sorted(np.concatenate(frame.members).tolist()) == list(range(120))


def test_every_item_can_be_drawn_and_the_chances_of_a_stratum_add_up():
    X, _ = simulate(300, seed=1)
    plan = Plan(Frame(X, cut=0.5), MatchModel(0.6, 0.08))
    assert sorted(np.concatenate(plan.strata).tolist()) == list(range(300))
    for probabilities in plan.probabilities:
        assert probabilities.sum() == pytest.approx(1)
        assert (probabilities > 0).all()


def test_with_everything_asked_the_share_of_an_item_is_exact():
    # Three well separated identities of sizes 1, 2, 4, each in one unit or alone: nothing is left to chance.
    rng = np.random.default_rng(0)
    true = np.repeat([0, 1, 2], [1, 2, 4])
    X = np.eye(8)[true] + 0.02 * rng.standard_normal((7, 8))
    plan = Plan(Frame(X, cut=0.1), MatchModel(0.3, 0.05))
    shares = [plan.size_of(row, rng, lambda a, b: float(true[a] == true[b])) for row in range(7)]
    np.testing.assert_allclose(shares, 1 / np.bincount(true)[true])


@pytest.fixture(scope="module")
def crowd():
    """400 items of known identity, and frames that the tests share."""
    X, true = simulate(400, regime="person", seed=5)
    return Frames(X, scale=0.5), true


def _asker(true):
    return lambda a, b: float(true[a] == true[b])


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0.4, 0.65])
def test_the_shares_of_all_items_add_up_to_the_count_whatever_the_frame(cut):
    """The pair sampling alone: its mean over many draws, of a frame that splits identities and of one that mixes."""
    X, true = simulate(120, regime="person", seed=6)
    plan = Plan(Frame(X, cut=cut, scale=0.5), MatchModel(0.6, 0.06), near=120)
    sums = [
        sum(plan.size_of(row, np.random.default_rng([draw, row]), _asker(true)) for row in range(120))
        for draw in range(25)
    ]
    error = np.std(sums) / 5
    assert abs(np.mean(sums) - len(np.unique(true))) < 3 * error + 0.02 * len(np.unique(true))


@pytest.mark.slow
def test_the_interval_covers_in_200_simulated_countings(crowd):
    frames, true = crowd
    plan = Plan(frames.at(0.55), MatchModel(0.6, 0.06), near=400)
    exact = len(np.unique(true))
    # An item that is drawn again has another draw of its pairs: five of each item are made and picked from.
    value: dict[tuple[int, int], float] = {}
    rng = np.random.default_rng(0)

    def share(rows, probabilities):
        at = rng.choice(len(rows), p=probabilities)
        key = int(rows[at]), int(rng.integers(5))
        if key not in value:
            value[key] = plan.size_of(key[0], np.random.default_rng(key), _asker(true))
        return value[key] / probabilities[at]

    found = [
        combine(
            [[share(*group) for group in zip(plan.strata, plan.probabilities, strict=True)] for _ in range(4)],
            max_count=400,
        )
        for _ in range(200)
    ]
    counts = np.array([e.count for e in found])
    assert abs(counts.mean() / exact - 1) < 0.04
    assert np.mean([e.low <= exact <= e.high for e in found]) >= 0.9


def test_the_whole_estimate_with_its_pilot_ends_at_the_target(crowd):
    frames, true = crowd
    exact = len(np.unique(true))
    state = estimate_count(frames, _asker(true), calibrated=0.5, target=0.2, seed=1)
    assert state.estimate.half_width <= 0.2
    assert state.estimate.low <= exact <= state.estimate.high
    again = estimate_count(frames, _asker(true), calibrated=0.5, target=0.2, seed=1)
    assert again.estimate == state.estimate


def test_a_perfect_embedding_is_counted_exactly_with_few_questions():
    rng = np.random.default_rng(1)
    true = rng.integers(0, 40, 400)
    X = rng.standard_normal((40, 32))[true] + 0.01 * rng.standard_normal((400, 32))
    # What follows from earlier answers is not asked: a book of answers knows it, here by the smallest row that is known
    # to be the same.
    known = np.arange(400)
    asked = set()

    def ask(a, b):
        one, two = sorted((known[a], known[b]))
        if true[one] == true[two]:
            asked.update({(one, two)} if one != two else ())
            known[known == two] = one
        else:
            asked.add((one, two))
        return float(true[a] == true[b])

    state = estimate_count(X, ask, calibrated=0.2, target=0.05)
    assert state.estimate.count == pytest.approx(len(np.unique(true)), rel=0.05)
    assert len(asked) < 1.25 * 400, "little more than an answer a crop"


def test_an_end_before_two_rounds_leaves_no_estimate_and_an_end_later_keeps_the_complete_rounds(crowd):
    frames, true = crowd
    for budget, expect in ((0, False), (20, False), (5000, True)):
        left = budget

        def ask(a, b):
            nonlocal left
            if left == 0:
                raise StopAsking
            left -= 1
            return float(true[a] == true[b])

        state = estimate_count(frames, ask, calibrated=0.5, target=0)
        assert (state.estimate is not None) is expect


def test_unsure_answers_lie_between_same_and_different(crowd):
    frames, true = crowd
    counts = []
    for value in (0.0, 0.5, 1.0):
        unsure = lambda a, b, v=value: float(true[a] == true[b]) if (a + b) % 5 else v  # noqa: E731
        plan = Plan(frames.at(0.5), MatchModel(0.7, 0.1))
        counts.append(np.mean([sum(i.share for i in plan.round(n, unsure)) for n in range(6)]))
    assert counts[0] > counts[1] > counts[2]


def test_combine_is_the_mean_of_rounds_with_a_t_interval():
    shares = np.random.default_rng(0).gamma(2.0, 5.0, (6, 16))
    found = combine(shares, max_count=10_000)
    assert found.count == pytest.approx(shares.sum(1).mean())
    assert found.error == pytest.approx(np.sqrt((shares.var(0, ddof=1) / 6).sum()))
    assert found.low < found.count < found.high
    assert found.items == 96
    with pytest.raises(ValueError, match="two rounds"):
        combine(shares[:1], max_count=10)
    same = combine(np.ones((3, 4)), max_count=10)
    assert (same.low, same.count, same.high) == (4, 4, 4)


def test_the_interval_covers_at_its_level_for_rounds_of_skewed_shares():
    rng = np.random.default_rng(2)
    held = []
    for _ in range(300):
        found = combine(rng.gamma(1.0, 6.0, (5, 16)), max_count=10_000)
        held.append(found.low <= 96 <= found.high)
    assert 0.91 <= np.mean(held) <= 0.99


def test_the_pilot_finds_where_sameness_ends():
    rng = np.random.default_rng(0)
    distances = rng.uniform(0.08, 0.64, 400)
    same = rng.random(400) < MatchModel(0.35, 0.05)(distances)
    match_model = fit_match_model(distances, same, calibrated=0.2)
    assert match_model.middle == pytest.approx(0.35, abs=0.02)
    assert match_model.slope == pytest.approx(0.05, abs=0.02)


def test_the_pilots_pairs_are_spread_over_the_levels_and_repeatable(crowd):
    frames, _ = crowd
    pairs, distances = pilot_pairs(frames.at(0.3), calibrated=0.3, seed=4)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert np.ptp(distances) > 0.4
    assert len(pairs) > 18
    np.testing.assert_array_equal(pairs, pilot_pairs(frames.at(0.3), calibrated=0.3, seed=4)[0])


def test_the_curve_is_that_of_average_linkage_and_falls():
    X, _ = simulate(200, seed=2)
    curve = count_curve(X, calibrated=0.3)
    for place in (0, 9, 24):
        model = AverageLinkage(float(curve.thresholds[place])).fit(X)
        assert model.n_clusters_ == curve.counts[place]
    assert (np.diff(curve.counts) <= 0).all()
    with pytest.raises(InputError, match="calibrated"):
        count_curve(X, calibrated=0)


def test_a_stable_stretch_is_found_where_there_is_one_and_nowhere_else():
    thresholds = 0.2 * FACTORS
    narrow = Curve(thresholds, np.round(2000 * 0.8 ** np.arange(25)).astype(np.int64), 0.2)
    assert narrow.plateau() is None
    counts = narrow.counts.copy()
    counts[10:17] = 160
    counts[17:] = np.minimum(counts[17:], 100)
    found = Curve(thresholds, counts, 0.2).plateau()
    assert (found.low, found.high) == (thresholds[10], thresholds[16])
    assert found.count == 160
