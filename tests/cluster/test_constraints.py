from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster import constraints
from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.constraints import close, exclusive_pairs
from packed_scenes.data import InputError

PAIRS = st.none() | st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=5)
NAMES = st.none() | st.lists(st.integers(-2, 2), min_size=8, max_size=8)


@settings(max_examples=60, deadline=None)
@given(PAIRS, PAIRS, NAMES)
def test_what_follows_from_pairs(
    must: list[tuple[int, int]] | None, cannot: list[tuple[int, int]] | None, exclusive: list[int] | None
) -> None:
    pairs = [None if given is None else np.array(given, np.int64).reshape(-1, 2) for given in (must, cannot)]
    hints = Hints(
        must_link=pairs[0], cannot_link=pairs[1], exclusive=None if exclusive is None else np.array(exclusive)
    )
    group = list(range(8))  # the smallest row that is known to be the same
    for _ in range(8):
        for a, b in must or []:
            group[a] = group[b] = min(group[a], group[b])
    clash = [(a, b) for a, b in cannot or [] if group[a] == group[b]]
    if clash:
        with pytest.raises(InputError, match=f"rows {clash[0][0]} and {clash[0][1]} must not"):
            close(8, hints)
        return
    found = close(8, hints)
    names = {first: name for name, first in enumerate(sorted(set(group)))}
    assert found.group.tolist() == [names[first] for first in group]
    apart = {tuple(sorted((names[group[a]], names[group[b]]))) for a, b in cannot or []}
    for a, b in combinations(range(8), 2):
        if exclusive and exclusive[a] == exclusive[b] >= 0 and group[a] != group[b]:
            apart.add(tuple(sorted((names[group[a]], names[group[b]]))))
    assert [tuple(pair) for pair in found.cannot_link.tolist()] == sorted(apart)


def test_pairs_of_one_picture_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    names = np.array([3, 0, -1, 3, -1, 0, 3])
    assert exclusive_pairs(names).tolist() == [[1, 5], [0, 3], [0, 6], [3, 6]]
    monkeypatch.setattr(constraints, "MAX_PAIRS", 4)
    assert len(exclusive_pairs(names)) == 4
    monkeypatch.setattr(constraints, "MAX_PAIRS", 3)
    with pytest.raises(InputError, match="4 pairs of rows are known to be different, the limit is 3"):
        exclusive_pairs(names)
