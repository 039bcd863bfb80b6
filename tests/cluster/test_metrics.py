from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as library

from packed_scenes.cluster import PairCounts, pair_counts, pooled_pairs, score
from packed_scenes.cluster.labels import canonical, singletons
from packed_scenes.cluster.metrics import bcubed_f
from packed_scenes.data import InputError

labels = st.lists(st.integers(-1, 5), min_size=1, max_size=25)


def naive(y: list[int], p: list[int]) -> dict[str, float]:
    """BCubed item by item and pairs one by one, noise as singletons."""
    n = len(y)
    same_y = [[i == j or (y[i] == y[j] and y[i] >= 0) for j in range(n)] for i in range(n)]
    same_p = [[i == j or (p[i] == p[j] and p[i] >= 0) for j in range(n)] for i in range(n)]
    both = [sum(a and b for a, b in zip(same_y[i], same_p[i], strict=True)) for i in range(n)]
    pairs = list(itertools.combinations(range(n), 2))
    tp = sum(same_y[i][j] and same_p[i][j] for i, j in pairs)
    pp, pt = sum(same_p[i][j] for i, j in pairs), sum(same_y[i][j] for i, j in pairs)
    return {
        "bcubed_precision": sum(both[i] / sum(same_p[i]) for i in range(n)) / n,
        "bcubed_recall": sum(both[i] / sum(same_y[i]) for i in range(n)) / n,
        "pairwise_precision": tp / pp if pp else 1.0,
        "pairwise_recall": tp / pt if pt else 1.0,
    }


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_against_naive_and_library(data: st.DataObject) -> None:
    y = data.draw(labels)
    p = data.draw(st.lists(st.integers(-1, 5), min_size=len(y), max_size=len(y)))
    found = score(y, p)
    for name, value in naive(y, p).items():
        assert getattr(found, name) == pytest.approx(value), name
    ys, ps = singletons(np.array(y)), singletons(np.array(p))
    assert found.pairwise_f == pytest.approx(PairCounts.f.fget(pair_counts(y, p)))
    assert pytest.approx(library.adjusted_rand_score(ys, ps)) == found.ARI
    assert pytest.approx(library.adjusted_mutual_info_score(ys, ps)) == found.AMI
    assert pytest.approx(library.v_measure_score(ys, ps), abs=1e-9) == found.V
    assert (found.k_true, found.k_pred) == (len(set(ys)), len(set(ps)))
    assert found.count_error == pytest.approx(abs(found.k_pred - found.k_true) / found.k_true)


@settings(max_examples=30, deadline=None)
@given(labels, st.permutations(range(6)), st.randoms(use_true_random=False))
def test_names_and_row_order_do_not_matter(y: list[int], names: list[int], random: object) -> None:
    p = [i % 3 for i in range(len(y))]
    renamed = [names[v] if v >= 0 else -1 for v in y]
    order = np.random.default_rng(len(y)).permutation(len(y))
    assert score(y, p).to_dict() == pytest.approx(score(np.array(renamed)[order], np.array(p)[order]).to_dict())


def test_perfect_is_one_under_every_policy() -> None:
    y = [0, 0, 1, 2, 2, 2]
    for policy in ("singletons", "drop", "one"):
        s = score(y, y, noise=policy)
        assert (s.ARI, s.AMI, s.V, s.bcubed_f, s.pairwise_f, s.count_error) == pytest.approx((1, 1, 1, 1, 1, 0))


def test_noise_policies_differ_and_share_is_kept() -> None:
    y, p = [0, 0, 1, 1], [0, 0, -1, -1]
    assert score(y, p).pairwise_recall == 0.5
    assert score(y, p, noise="drop").pairwise_recall == 1
    assert score(y, p, noise="one").ARI == 1
    assert {score(y, p, noise=n).noise_share for n in ("singletons", "drop", "one")} == {0.5}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_noise_policies_in_words(data: st.DataObject) -> None:
    y = np.array(data.draw(labels))
    p = np.array(data.draw(st.lists(st.integers(-1, 5), min_size=len(y), max_size=len(y))))
    assert bcubed_f(y, p) == score(y, p).bcubed_f
    share = {"noise_share": float(np.mean(p < 0))}
    one = score(y, np.where(p < 0, 6, p)).to_dict() | share | {"noise_policy": "one"}
    assert score(y, p, noise="one").to_dict() == pytest.approx(one)
    if (p >= 0).any():
        dropped = score(y[p >= 0], p[p >= 0]).to_dict() | share | {"noise_policy": "drop"}
        assert score(y, p, noise="drop").to_dict() == pytest.approx(dropped)
    else:
        with pytest.raises(InputError, match="no rows but noise"):
            score(y, p, noise="drop")


def test_ami_is_left_out_above_its_limit_or_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packed_scenes.cluster.metrics.AMI_LIMIT", 4)
    assert [score(range(n), range(n)).AMI is None for n in (3, 4, 5)] == [False, False, True]
    assert score(range(5), range(5), ami=True).AMI == 1
    assert score(range(3), range(3), ami=False).AMI is None


def test_golden_values() -> None:
    s = score(["a", "a", "b", "b", "c"], [0, 0, 0, 1, 2])
    assert s.pairwise_precision == pytest.approx(1 / 3)
    assert s.pairwise_recall == pytest.approx(1 / 2)
    assert s.bcubed_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert s.bcubed_recall == pytest.approx((1 + 1 + 0.5 + 0.5 + 1) / 5)


def test_pooling_adds_counts() -> None:
    parts = [pair_counts([0, 0, 1], [0, 0, 0]), pair_counts([0, 0], [0, 1])]
    pooled = pooled_pairs(parts)
    assert pooled == PairCounts(both=1, predicted=3, true=2)
    assert pooled.f == pytest.approx(0.4)
    assert pooled_pairs([]).f == 1


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="same length"):
        score([0, 1], [0])
    with pytest.raises(InputError, match="noise policy 'many'"):
        score([0], [0], noise="many")
    with pytest.raises(InputError, match="no rows"):
        score([], [])
    with pytest.raises(InputError, match="whole numbers"):
        score([0.5], [0])


def test_canonical_order() -> None:
    assert canonical(np.array([7, -1, 3, 3, 9])).tolist() == [1, -1, 0, 0, 2]
    assert canonical(np.array([], np.int64)).tolist() == []


def test_large_tables_are_cheap() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 8000, 200_000)
    assert score(y, y).bcubed_f == 1
    assert score(y, y).AMI is None
