"""Edits by hand: what they change, what they leave, and that every one can be taken back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.data import InputError, Objects
from packed_scenes.web.edits import Grouping, History, apply, halves, merge, move, regroup, rename, split


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
        lambda g: regroup(g, [0], threshold=0.3, anchor=g.cluster),
        lambda g: halves(np.zeros((1, 2), np.float32)),
    ],
)
def test_what_cannot_be_done_is_said(edit):
    with pytest.raises(InputError):
        edit(grouping(0, 0, 1, -1, names={1: "Tea"}))


def test_regroup_leaves_edited_groups_and_keeps_numbers():
    anchor = np.array([0, 0, 1, 1, 2])
    edited = rename(Grouping(anchor, 0.2), 1, "Tea")
    after = regroup(edited, [5, 5, 5], threshold=0.4, anchor=anchor)
    assert after.cluster.tolist() == [0, 0, 1, 1, 0]
    back = regroup(after, [7, 7, 3], threshold=0.2, anchor=anchor)
    assert back.cluster.tolist() == anchor.tolist()
    assert back.threshold == 0.2


def test_regroup_never_takes_the_number_of_an_edited_group():
    merged = merge(grouping(0, 1, 2, 2), [2, 0])  # rows 0, 2, 3 are edited and called 2
    after = regroup(merged, [0], threshold=0.4, anchor=np.array([0, 2, 1, 1]))
    assert after.cluster[1] not in (2, -1)


def test_apply_sets_clusters_and_a_person_is_sure():
    vectors = unit([[1, 0], [1, 0.1], [0, 1]])
    parts = [
        Objects.from_boxes([[0, 0, 5, 5], [6, 0, 9, 5]], embedding=vectors[:2]),
        Objects.from_boxes(np.zeros((0, 4)), embedding=np.zeros((0, 2), np.float32)),
        Objects.from_boxes([[0, 0, 5, 5]], embedding=vectors[2:]),
    ]
    done = apply(grouping(0, 0, 1, pinned=frozenset({0})), parts)
    assert [part.cluster.tolist() for part in done] == [[0, 0], [], [1]]
    assert done[0].probability.tolist() == [1, 1]
    with pytest.raises(InputError):
        apply(grouping(0), parts)


def test_history_goes_back_and_forth():
    first = History.start(grouping(0, 1))
    second = first.do("merged", merge(first.now.grouping, [0, 1]))
    assert second.undo().now is first.now
    assert second.undo().redo().now is second.now
    assert first.undo() is first
    assert first.redo() is first
    other = second.undo().do("moved", grouping(1, 1))
    assert other.future == ()
    folded = other.do("moved", grouping(0, 0), fold=True)
    assert len(folded.past) == len(other.past)


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
def test_any_edits_can_be_undone_and_leave_a_consistent_state(labels, steps):
    history = start = History.start(grouping(*labels))
    for kind, a, b in steps:
        now = history.now.grouping
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
        history = history.do(kind, after)
        assert len(after.cluster) == len(labels)
        assert after.cluster.min() >= -1
        there = {*after.cluster.tolist()}
        assert set(after.names) <= there
        assert after.pinned <= there
        assert len(set(after.names.values())) == len(after.names)
    while history.past:
        history = history.undo()
    assert history.now is start.now
