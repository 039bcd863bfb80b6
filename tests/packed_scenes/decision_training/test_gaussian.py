from __future__ import annotations

import numpy as np
import pytest

from packed_scenes.data import InputError
from packed_scenes.decision_training.gaussian import simulate


@pytest.mark.parametrize(("regime", "low", "high"), [("scene", 2, 8), ("person", 6, 25), ("vehicle", 15, 120)])
def test_sizes_and_shapes(regime: str, low: float, high: float) -> None:
    X, y = simulate(5000, dim=32, regime=regime, sigma=0.65)
    assert X.shape == (5000, 32)
    assert X.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, atol=1e-5)
    assert low < 5000 / len(np.unique(y)) < high


def test_seed_decides() -> None:
    np.testing.assert_array_equal(simulate(70, seed=3)[0], simulate(70, seed=3)[0])
    assert (simulate(70, seed=3)[0] != simulate(70, seed=4)[0]).any()


def test_bad_wishes_are_named() -> None:
    with pytest.raises(InputError, match="regime 'zoo'"):
        simulate(5, regime="zoo")
    with pytest.raises(InputError, match="count"):
        simulate(0)
