"""Sets of crops composed to measure a count: sizes and files."""

import numpy as np
import pytest
from benchmarks.compose import MAX_PER_IDENTITY, compose, long_tail

from packed_scenes.data import InputError


def test_long_tail_adds_up_and_keeps_its_limits():
    sizes = long_tail(25_000, 1_300, np.random.default_rng(0))
    assert sizes.sum() == 25_000
    assert (sizes.min(), sizes.max()) == (1, MAX_PER_IDENTITY) or sizes.max() <= MAX_PER_IDENTITY
    assert np.median(sizes) < sizes.mean() / 2
    for bad in ((5, 9), (5000, 10)):
        with pytest.raises(InputError):
            long_tail(*bad, np.random.default_rng(0))


@pytest.mark.slow
def test_a_composed_set_is_repeatable_complete_and_goes_on(tmp_path):
    for _ in compose(tmp_path / "a", crops=30, identities=8, seed=3):
        pass
    for done in compose(tmp_path / "b", crops=30, identities=8, seed=3):
        if done > 10:
            break
    for _ in compose(tmp_path / "b", crops=30, identities=8, seed=3):
        pass
    truth = (tmp_path / "a" / "truth.csv").read_text()
    assert truth == (tmp_path / "b" / "truth.csv").read_text()
    names = [line.split(",")[0] for line in truth.splitlines()[1:]]
    assert len(names) == 30
    assert len({line.split(",")[1] for line in truth.splitlines()[1:]}) == 8
    for name in names:
        assert (tmp_path / "a/crops" / name).read_bytes() == (tmp_path / "b/crops" / name).read_bytes()
