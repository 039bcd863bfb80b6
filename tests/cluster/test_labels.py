from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packed_scenes.cluster.labels import as_labels, canonical, cluster_sums, noise_share, singletons
from packed_scenes.data import InputError

LABELS = st.lists(st.integers(-1, 6), max_size=30).map(lambda values: np.array(values, np.int64))


@settings(deadline=None)
@given(LABELS)
def test_canonical_names_by_size_then_by_first_member(labels: np.ndarray) -> None:
    named = canonical(labels)
    assert np.array_equal(named < 0, labels < 0)
    names = list(dict.fromkeys(labels[labels >= 0].tolist()))  # by first member
    names.sort(key=lambda name: -int((labels == name).sum()))  # a stable sort
    assert [sorted(set(named[labels == name])) for name in names] == [[at] for at in range(len(names))]
    assert np.array_equal(canonical(named), named)


@settings(deadline=None)
@given(LABELS)
def test_singletons_and_noise_share(labels: np.ndarray) -> None:
    alone = singletons(labels)
    assert sorted(set(alone.tolist())) == list(range(len(set(labels[labels >= 0].tolist())) + int((labels < 0).sum())))
    for name in set(labels[labels >= 0].tolist()):
        assert len(set(alone[labels == name])) == 1
    assert noise_share(labels) == (np.mean(labels < 0) if len(labels) else 0)


def test_as_labels_takes_any_names_and_negative_numbers_are_noise() -> None:
    assert as_labels([3, -7, 0, 1]).tolist() == [3, -1, 0, 1]
    assert as_labels([3.0, -7.0, 0.0, 1.0, -1.0]).tolist() == [3, -1, 0, 1, -1]
    assert as_labels(["b", "a", "b"]).tolist() == [1, 0, 1]
    assert as_labels([True, False]).tolist() == [1, 0]
    assert as_labels(np.array([1, 2], np.uint8)).dtype == np.int64
    with pytest.raises(InputError, match="whole numbers"):
        as_labels([0.5])
    with pytest.raises(InputError, match=r"truth must have shape \(N,\)"):
        as_labels([[0]], "truth")


@settings(deadline=None)
@given(LABELS)
def test_sums_leave_noise_out(labels: np.ndarray) -> None:
    X = np.random.default_rng(len(labels)).normal(size=(len(labels), 3)).astype(np.float32)
    names = np.unique(labels[labels >= 0], return_inverse=True)[1]
    labels[labels >= 0] = names
    sums, sizes = cluster_sums(X, labels)
    assert sums.shape == (len(sizes), 3)
    assert len(sizes) == len(set(names.tolist()))
    for name in range(len(sizes)):
        assert np.allclose(sums[name], X[labels == name].sum(axis=0), atol=1e-5)
        assert sizes[name] == (labels == name).sum()
