from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from packed_scenes.cluster import partition
from packed_scenes.cluster.labels import canonical
from packed_scenes.cluster.partition import merge_in_parts, near_components, work_lists
from packed_scenes.cluster.reciprocal import reciprocal_merge
from tests.cluster.synthetic import scene_vectors


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "ROWS", 16)
    monkeypatch.setattr(partition, "COLUMNS", 64)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 150), st.integers(0, 1000), st.sampled_from([0.0, 0.1, 0.3, 0.6, 0.9]))
def test_components_are_those_of_all_near_pairs(count: int, seed: int, threshold: float) -> None:
    X, _ = scene_vectors(count, dim=8, seed=seed)
    X = X[np.random.default_rng(seed).integers(0, count, count)]  # some rows repeat
    naive = connected_components(1 - threshold - partition.SLACK <= X @ X.T, directed=False)[1]
    assert canonical(near_components(X, threshold)).tolist() == canonical(naive).tolist()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 150), st.integers(0, 1000), st.sampled_from([0.1, 0.3, 0.6]), st.integers(1, 80))
def test_parts_give_the_same_groups_as_the_whole(count: int, seed: int, threshold: float, most: int) -> None:
    X, _ = scene_vectors(count, dim=8, seed=seed)
    found = merge_in_parts(X, threshold, max_rows=most)
    assert canonical(found).tolist() == canonical(reciprocal_merge(X, threshold)).tolist()


def test_copies_that_fill_the_neighbour_lists_do_not_hide_each_other() -> None:
    # two crowds of copies within the threshold: 16 neighbours of any row are all of its own crowd
    crowd = np.repeat([[1.0, 0.0], [np.cos(0.3), np.sin(0.3)]], 40, axis=0).astype(np.float32)
    assert near_components(crowd, 0.1).max() == 0
    assert merge_in_parts(crowd, 0.1).max() == 0


def test_lists_hold_whole_components_up_to_a_size() -> None:
    component = np.array([0, 1, 1, 2, 3, 3, 3, 3, 3, 4])
    lists = work_lists(component, 3)
    assert sorted(np.concatenate(lists).tolist()) == list(range(10))
    assert [component[rows].tolist() for rows in lists] == [[0, 1, 1], [2], [3] * 5, [4]]


def test_pieces_may_be_done_elsewhere() -> None:
    X, _ = scene_vectors(200, dim=16)
    seen: list[int] = []

    def elsewhere(work, lists):  # type: ignore[no-untyped-def]
        for rows in lists:
            seen.append(len(rows))
            yield work(rows)

    found = merge_in_parts(X, 0.2, max_rows=40, run=elsewhere)
    assert sum(seen) == 200
    assert len(seen) > 4
    assert canonical(found).tolist() == canonical(reciprocal_merge(X, 0.2)).tolist()
