"""The index: exact equals the naive product, the approximate ones come close, small and odd cases."""

import gc
from pathlib import Path

import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.retrieval import VectorIndex, index


def unit(count, width=16, seed=0):
    rows = np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def grouped(groups, each, width=32, seed=0):
    """Rows in tight groups, as crops of products are."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(unit(groups, width, seed), each, axis=0) + 0.05 * rng.standard_normal((groups * each, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def naive(vectors, queries, top):
    return np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :top]


@pytest.mark.parametrize("block", [1, 700 * 4 * 4, 1 << 28])
def test_exact_is_the_naive_product(monkeypatch, block):
    monkeypatch.setattr(index, "BLOCK", block)
    vectors, queries = unit(700), unit(9, seed=1)
    there = VectorIndex(vectors)
    gc.collect()
    similarity, rows = there.search(queries, 5)
    assert there.kind == "exact"
    assert np.array_equal(rows, naive(vectors, queries, 5))
    assert np.allclose(similarity, np.take_along_axis(queries @ vectors.T, rows, 1), atol=1e-6)
    assert there.recall(queries, 5) == 1


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_approximate_finds_the_own_group(monkeypatch, kind):
    monkeypatch.setattr(index, "SCAN", 600)
    vectors = grouped(400, 5)
    queries = grouped(400, 1, seed=0)
    there = VectorIndex(vectors, kind=kind)
    assert there.kind == kind
    rows = there.search(queries, 5)[1]
    assert (rows // 5 == np.arange(400)[:, None]).mean() > 0.95
    assert there.recall(queries, 5) > 0.95
    assert np.array_equal(rows, VectorIndex(vectors, kind=kind).search(queries, 5)[1])


def test_auto_looks_exactly_until_a_size_or_for_few_queries(monkeypatch):
    monkeypatch.setattr(index, "EXACT_LIMIT", 1500)
    assert VectorIndex(unit(1500)).kind == "exact"
    assert VectorIndex(unit(1501)).kind == "ivf"
    assert VectorIndex(unit(1501), queries=3).kind == "exact"
    assert VectorIndex(unit(20), kind="ivf").kind == "exact"


def test_fewer_vectors_than_asked():
    similarity, rows = VectorIndex(unit(3)).search(unit(2, seed=1), 5)
    assert (rows[:, 3:] == -1).all()
    assert (similarity[:, 3:] == -1).all()
    similarity, rows = VectorIndex(np.zeros((0, 16), np.float32)).search(unit(2), 3)
    assert (rows == -1).all()
    assert VectorIndex(unit(4)).search(unit(0), 3)[1].shape == (0, 3)


def test_bad_input():
    with pytest.raises(InputError, match="unknown index 'tree'"):
        VectorIndex(unit(3), kind="tree")
    with pytest.raises(InputError, match="auto, cpu or cuda"):
        VectorIndex(unit(3), device="tpu")
    with pytest.raises(InputError, match=r"shape \(N, D\)"):
        VectorIndex(np.zeros(3, np.float32))
    with pytest.raises(InputError, match=r"shape \(M, 16\)"):
        VectorIndex(unit(3)).search(unit(1, 8))
    with pytest.raises(InputError, match="at least 1"):
        VectorIndex(unit(3)).search(unit(1), 0)


@pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason="no GPU here")  # asked without loading torch
def test_a_gpu_gives_the_same():
    vectors, queries = unit(5000), unit(40, seed=1)
    there = VectorIndex(vectors, device="cuda")
    assert there.device == "cuda"
    assert np.array_equal(there.search(queries, 7)[1], VectorIndex(vectors, device="cpu").search(queries, 7)[1])
