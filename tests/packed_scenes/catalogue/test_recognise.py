"""Recognising single vectors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packed_scenes.catalogue import Vectors
from packed_scenes.catalogue import nearest as module
from packed_scenes.catalogue.nearest import nearest
from packed_scenes.catalogue.recognise import recognise
from tests.packed_scenes.catalogue.made import CENTRES, crop_vectors


def known(products, identities):
    return Vectors(np.arange(len(products)), np.asarray(identities, np.int64), crop_vectors(products), 1)


def test_nearest_member_within_the_threshold():
    there = known([0, 0, 1], [7, 7, 9])
    found, similarity = recognise(there, crop_vectors([1, 0, 2], seed=5))
    assert found.tolist() == [9, 7, -1]
    assert similarity[:2].min() > 0.9
    strict, _ = recognise(there, crop_vectors([1, 0, 2], seed=5), threshold=1e-4)
    assert strict.tolist() == [-1, -1, -1]


def test_blocks_change_nothing(monkeypatch):
    there = known([0, 1, 2, 3] * 5, [1, 2, 3, 4] * 5)
    new = crop_vectors([3, 2, 1, 0, 8] * 3, seed=2)
    whole = recognise(there, new)
    monkeypatch.setattr("packed_scenes.catalogue.nearest.BLOCK", 1)
    parts = recognise(there, new)
    assert np.array_equal(whole[0], parts[0])
    assert np.allclose(whole[1], parts[1])


def test_a_rare_look_of_a_large_identity():
    """Nine fronts and one back are one identity; a new back is recognised although the mean is far away."""
    there = known([0] * 9 + [1], [5] * 10)
    assert recognise(there, crop_vectors([1, 2], seed=3))[0].tolist() == [5, -1]


def test_what_lies_between_two_looks_is_neither():
    there = known([0, 0, 1, 1], [5] * 4)
    between = (CENTRES[0] + CENTRES[1])[None] / np.sqrt(2, dtype=np.float32)
    assert recognise(there, between.astype(np.float32))[0].tolist() == [-1]


def test_nothing_known_or_asked():
    assert recognise(known([], []), crop_vectors([0]))[0].tolist() == [-1]
    assert recognise(known([0], [1]), crop_vectors([]))[0].tolist() == []


def unit(values):
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


@given(
    seed=st.integers(0, 10_000), spread=st.floats(0, 2), limit=st.floats(0.01, 1.9), count=st.integers(1, 60),
    clusters=st.sampled_from(["none", "true", "random"]),
)  # fmt: skip
def test_the_bound_leaves_out_no_near_one(seed, spread, limit, count, clusters):
    """Against comparing all: the same nearest wherever it is within the limit, whatever identities and clusters."""
    rng = np.random.default_rng(seed)
    identity = rng.integers(0, 9, count)
    centres = rng.standard_normal((9, 6))
    vectors = unit(centres[identity] + spread * rng.standard_normal((count, 6)))
    whose = rng.integers(0, 9, 25)
    asked = unit(centres[whose] + spread * rng.standard_normal((25, 6)))
    cluster = {"none": None, "true": whose, "random": rng.integers(-1, 4, 25)}[clusters]
    product = asked @ vectors.T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAYS_FROM", 0)
        patch.setattr(module, "BLOCK", 40)
        row, best = nearest(Vectors(np.arange(count), identity, vectors, 1), asked, limit=limit, cluster=cluster)
    near = product.max(axis=1) >= 1 - limit + 1e-5
    np.testing.assert_allclose(best[near], product.max(axis=1)[near], atol=1e-6)
    np.testing.assert_allclose(product[np.arange(25), row][near], product.max(axis=1)[near], atol=1e-6)
    assert (best <= product.max(axis=1) + 1e-6).all()
