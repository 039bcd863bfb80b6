"""End-to-end scores against a naive count over pairs and boxes."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.end_to_end import EndToEnd, end_to_end


def naive(identity, cluster, match):
    identity = [("own", i) if v < 0 else v for i, v in enumerate(identity)]
    cluster = [("own", i) if v < 0 else v for i, v in enumerate(cluster)]
    both = predicted = 0
    for a, b in combinations(range(len(cluster)), 2):
        together = cluster[a] == cluster[b]
        predicted += together
        right = match[a] >= 0 and match[b] >= 0 and identity[match[a]] == identity[match[b]]
        both += together and right
    true = sum(identity[a] == identity[b] for a, b in combinations(range(len(identity)), 2))
    precision = recall = 0.0
    for d, t in enumerate(match):
        if t < 0:
            continue
        mine = [e for e in range(len(cluster)) if cluster[e] == cluster[d]]
        same = [e for e in mine if match[e] >= 0 and identity[match[e]] == identity[t]]
        precision += len(same) / len(mine)
        recall += len(same) / identity.count(identity[t])
    return both, predicted, true, precision, recall


@st.composite
def cases(draw):
    true = draw(st.lists(st.integers(-1, 3), max_size=9))
    found = draw(st.lists(st.integers(-1, 3), max_size=9))
    rows = draw(st.permutations(range(len(true))))
    match = [rows[i] if i < len(rows) and draw(st.booleans()) else -1 for i in range(len(found))]
    return true, found, match


@settings(deadline=None, max_examples=150)
@given(cases())
def test_agrees_with_the_naive_count(case):
    got = end_to_end(*(np.array(part, np.int64) for part in case))
    both, predicted, true, precision, recall = naive(*case)
    assert (got.pairs_both, got.pairs_predicted, got.pairs_true) == (both, predicted, true)
    assert got.precision_sum == pytest.approx(precision)
    assert got.recall_sum == pytest.approx(recall)


def test_perfect_missing_and_false():
    identity = np.array([0, 0, 1])
    perfect = end_to_end(identity, np.array([5, 5, 6]), np.array([0, 1, 2]))
    assert perfect.pairwise_f == perfect.bcubed_f == 1
    missed = end_to_end(identity, np.array([5, 6]), np.array([0, 2]))
    assert missed.pairwise_f == 0
    assert missed.recall_sum == 1.5
    false = end_to_end(identity, np.array([5, 5, 6, 6]), np.array([0, 1, 2, -1]))
    assert false.pairwise_f == pytest.approx(2 / 3)
    assert false.precision_sum == 2.5


def test_nothing_at_all_is_right_and_scenes_add_up():
    none = end_to_end(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert none.pairwise_f == none.bcubed_f == 1
    one = end_to_end(np.array([0, 0]), np.array([1, 1]), np.array([0, 1]))
    assert one + none == one
    assert (one + one).pairs_both == 2
    assert EndToEnd() + one == one


def test_a_true_box_matched_twice_is_refused():
    with pytest.raises(InputError, match="each true row once"):
        end_to_end(np.array([0]), np.array([1, 1]), np.array([0, 0]))
