"""Edits by hand: what they change, and what they leave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError
from packed_scenes.web.edits import Grouping, decided, halves, merge, move, regroup, rename, split, strengths


def grouping(*cluster, **options):
    return Grouping(np.array(cluster, np.int64), 0.2, **options)


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_merge_keeps_number_of_the_first_and_the_first_name():
    before = grouping(0, 1, 2, 2, -1, names={2: "Cola"})
    after = merge(before, [1, 2])
    assert after.cluster.tolist() == [0, 1, 1, 1, -1]
    assert after.names == {1: "Cola"}
    assert after.pinned == {1}
    assert before.cluster.tolist() == [0, 1, 2, 2, -1]  # the old one is untouched


def test_move_to_a_group_to_a_new_one_and_to_noise():
    before = grouping(0, 0, 1)
    to_known, where = move(before, [1], 1)
    assert (to_known.cluster.tolist(), where) == ([0, 1, 1], 1)
    fresh, where = move(before, [1], None)
    assert (fresh.cluster.tolist(), where) == ([0, 2, 1], 2)
    noise, where = move(before, [1], -1)
    assert (noise.cluster.tolist(), where) == ([0, -1, 1], -1)
    assert noise.pinned == {0, -1}


def test_an_emptied_group_loses_its_name_and_its_number_is_not_given_again_by_accident():
    before = grouping(0, 1, names={1: "Tea"})
    after, _ = move(before, [1], 0)
    assert after.names == {}
    assert after.clusters == [0]


def test_split_keeps_the_largest_part():
    after = split(grouping(3, 3, 0, 3, names={3: "Soap"}), 3, [0, 1, 1])
    assert after.cluster.tolist() == [4, 3, 0, 3]
    assert after.names == {3: "Soap"}
    assert after.pinned == {3, 4}


def test_halves_cuts_between_two_bundles():
    vectors = unit([[1, 0.01], [0.02, 1], [1, 0], [0, 1], [1, 0.03]])
    part = halves(vectors)
    assert len({*part[[0, 2, 4]]}) == 1
    assert len({*part[[1, 3]]}) == 1
    assert part[0] != part[1]
    assert len(np.unique(halves(unit([[1, 0]] * 4)))) == 2  # equal vectors can be split, too


def test_rename_cleans_pins_and_takes_away():
    named = rename(grouping(0, 1), 1, "  Omo   3 l ")
    assert named.names == {1: "Omo 3 l"}
    assert named.label(1) == "Omo 3 l"
    assert named.label(0) == "Group 0"
    assert rename(named, 1, "").names == {}


@pytest.mark.parametrize(
    "edit",
    [
        lambda g: merge(g, [0]),
        lambda g: merge(g, [0, 0]),
        lambda g: merge(g, [0, 9]),
        lambda g: merge(g, [0, -1]),
        lambda g: move(g, [], 0),
        lambda g: move(g, [99], 0),
        lambda g: move(g, [0], 9),
        lambda g: move(g, [0], 0),
        lambda g: move(g, [0, 1], None),
        lambda g: split(g, 0, [1, 1]),
        lambda g: split(g, 0, [1]),
        lambda g: split(g, 7, [1, 2]),
        lambda g: rename(g, 0, "Tea"),
        lambda g: rename(g, 9, "x"),
        lambda g: rename(g, 0, "x" * 121),
        lambda g: rename(g, 0, "a\x00b"),
        lambda g: regroup(g, [0], threshold=0.3),
        lambda g: halves(np.zeros((1, 2), np.float32)),
    ],
)
def test_what_cannot_be_done_is_said(edit):
    with pytest.raises(InputError):
        edit(grouping(0, 0, 1, -1, names={1: "Tea"}))


def test_regroup_keeps_numbers_names_and_what_was_decided():
    edited = rename(grouping(0, 0, 1, 1, 2), 1, "Tea")
    after = regroup(edited, [5, 5, 7, 7, 5], threshold=0.4)
    assert after.cluster.tolist() == [0, 0, 1, 1, 0]
    assert after.names == {1: "Tea"}
    joined = regroup(edited, [4, 4, 4, 4, 4], threshold=0.9)  # others may join a named group, which keeps its name
    assert joined.cluster.tolist() == [1] * 5
    assert joined.names == {1: "Tea"}


def test_regroup_gives_no_number_twice():
    before = grouping(0, 0, 1, floor=40)
    after = regroup(before, [0, 1, 2], threshold=0.1)
    assert set(after.cluster.tolist()) >= {0, 1}
    assert after.cluster.max() >= 40


def test_decided_says_what_pins_mean():
    must, apart = decided(grouping(0, 1, 0, 2, -1, pinned=frozenset({0, 1, -1})))
    assert must.tolist() == [[0, 2]]
    assert apart.tolist() == [[0, 1]]


def test_a_person_is_sure():
    vectors = unit([[1, 0], [1, 0.1], [0, 1]])
    assert strengths(grouping(0, 0, 1, pinned=frozenset({0})), vectors).tolist()[:2] == [1, 1]
    assert strengths(grouping(-1, -1, -1), vectors).tolist() == [0, 0, 0]


@st.composite
def edits(draw):
    return draw(
        st.lists(
            st.tuples(st.sampled_from(["merge", "move", "rename", "split"]), st.integers(0, 9), st.integers(0, 9)),
            max_size=12,
        )
    )


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=10), edits())
@settings(max_examples=60, deadline=None)
def test_any_edits_leave_a_consistent_state(labels, steps):
    now = grouping(*labels)
    for kind, a, b in steps:
        try:
            if kind == "merge":
                after = merge(now, [a, b])
            elif kind == "move":
                after, _ = move(now, [a], None if b == 9 else b)
            elif kind == "rename":
                after = rename(now, a, f"name {b}")
            else:
                after = split(now, a, np.arange(int((now.cluster == a).sum())) % 2)
        except InputError:
            continue
        now = after
        assert len(after.cluster) == len(labels)
        assert after.cluster.min() >= -1
        there = {*after.cluster.tolist()}
        assert set(after.names) <= there
        assert after.pinned <= there
        assert len(set(after.names.values())) == len(after.names)
