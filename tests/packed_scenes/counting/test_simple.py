"""The simple routes to a count: the elbow, and DBSCAN with eps from similar pairs."""

import numpy as np
import pytest

from packed_scenes.counting.simple import dbscan_from_pairs, elbow, read_similar
from packed_scenes.data import InputError


def test_the_elbow_finds_separated_groups():
    rng = np.random.default_rng(0)
    X = (10 * rng.standard_normal((12, 8))[rng.integers(0, 12, 400)] + 0.1 * rng.standard_normal((400, 8))).astype("f4")
    assert 8 <= elbow(X)["count"] <= 24


def test_dbscan_takes_eps_from_similar_pairs(tmp_path):
    rng = np.random.default_rng(1)
    true = np.repeat(np.arange(5), [6, 6, 6, 1, 1])
    X = rng.standard_normal((5, 16))[true] + 0.05 * rng.standard_normal((20, 16))
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    names = [f"{i}.png" for i in range(20)]
    file = tmp_path / "pairs.csv"
    file.write_text("first,second\n0.png,1.png\n6.png,8.png\n12.png,15.png\n2.png,4.png\nelse.png,1.png\n")
    pairs = read_similar(file, names)
    assert len(pairs) == 4
    found = dbscan_from_pairs(X, pairs)
    assert (found["clusters"], found["noise"], found["count"]) == (3, 2, 5)
    file.write_text("first,second\nelse.png,1.png\n")
    with pytest.raises(InputError, match="no pair"):
        read_similar(file, names)
