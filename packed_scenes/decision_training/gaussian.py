"""Simulated vectors of known identity, for training and benchmarks.

They are spread as embeddings of packed scenes and of re-identification sets are.

Class centres hang together in groups; 16 % of the classes come in confusable pairs; each class has its own noise, a
third of which lies in a subspace shared by all (viewpoint, light); 5 % of the rows are bad crops with 1.7 times the
noise.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.labels import Labels
from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.errors import InputError, named

CONFUSABLE, NUISANCE, NUISANCE_RANK, BAD = 0.16, 0.35, 6, 0.05
CHUNK = 50_000


class Regime(StrEnum):
    """How many copies identities have: (share with 1, up to 2, up to 3 copies), tail exponent and scale, most
    copies.
    """

    SCENE = "scene"  # many 1-3, some up to 50
    PERSON = "person"  # mean about 12
    VEHICLE = "vehicle"  # mean about 40


_SIZES = {
    Regime.SCENE: ((0.42, 0.60, 0.70), 1.1, 4, 50),
    Regime.PERSON: ((0.25, 0.37, 0.45), 1.2, 7, 300),
    Regime.VEHICLE: ((0.15, 0.22, 0.27), 1.1, 18, 2000),
}


def simulate(
    count: int, *, dim: int = 64, seed: int = 0, regime: Regime | str = Regime.SCENE, sigma: float = 0.85
) -> tuple[Vectors, Labels]:
    """Make (N, D) float32 unit rows and their (N,) identities, in random order.

    Args:
        count: N.
        dim: D.
        seed: of everything.
        regime: ``"scene"``, ``"person"`` or ``"vehicle"``.
        sigma: noise of a class; .65, .85 and 1.1 for D = 32, 64 and 128 give about one difficulty.

    Raises:
        InputError: for an unknown regime or no rows.
    """
    if count < 1 or dim < NUISANCE_RANK:
        raise InputError(f"count must be 1 or more and dim {NUISANCE_RANK} or more, got {count} and {dim}")
    kind = named(Regime, regime, "regime")
    rng = np.random.default_rng(seed)
    sizes = _sizes(count, kind, rng)
    centre = _centres(len(sizes), dim, rng)
    noise = (sigma * np.exp(0.25 * rng.standard_normal(len(sizes)))).astype(np.float32)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    shared = np.linalg.qr(rng.standard_normal((dim, NUISANCE_RANK)))[0].astype(np.float32)
    X = np.empty((count, dim), np.float32)
    for start in range(0, count, CHUNK):
        rows = y[start : start + CHUNK]
        own = rng.standard_normal((len(rows), dim)) / np.sqrt(dim)
        common = rng.standard_normal((len(rows), NUISANCE_RANK)) / np.sqrt(NUISANCE_RANK) @ shared.T
        scale = noise[rows] * np.exp(0.15 * rng.standard_normal(len(rows)))
        scale *= np.where(rng.random(len(rows)) < BAD, 1.7, 1.0)
        spread = np.sqrt(1 - NUISANCE) * own + np.sqrt(NUISANCE) * common
        X[start : start + CHUNK] = unit_rows(centre[rows] + scale[:, None] * spread)
    return X, y.astype(np.int64)


def _sizes(count: int, regime: Regime, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    (one, two, three), exponent, scale, most = _SIZES[regime]
    sizes: list[int] = []
    total = 0
    while total < count:
        u = rng.random()
        size = 1 if u < one else 2 if u < two else 3 if u < three else int(3 + rng.pareto(exponent) * scale)
        limit = max(1, count // 4) if regime is Regime.SCENE else most
        sizes.append(min(size, most, limit, count - total))
        total += sizes[-1]
    return np.array(sizes)


def _centres(classes: int, dim: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    groups = unit_rows(rng.standard_normal((max(2, round(classes**0.5)), dim)))
    own = unit_rows(rng.standard_normal((classes, dim)))
    centre = unit_rows(0.55 * groups[rng.integers(0, len(groups), classes)] + np.sqrt(1 - 0.55**2) * own)
    pairs = int(classes * CONFUSABLE / 2)
    first, second = rng.permutation(classes)[: 2 * pairs].reshape(2, pairs)
    step = 0.62 * rng.uniform(0.5, 1.3, (pairs, 1))
    centre[second] = unit_rows(centre[first] + step * unit_rows(rng.standard_normal((pairs, dim))))
    return centre
