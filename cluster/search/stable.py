"""Does a model find the same clusters again in another part of the rows?

Two parts of the rows are drawn, four fifths each, the model is fitted to both, and the labels of the rows in both are
compared (adjusted Rand index, noise as singletons). Large sets are represented by a part of ``ROWS`` rows; smallest
cluster sizes shrink with it, and eps is found anew from the part's own knee.
Source: Ben-Hur, Elisseeff and Guyon 2002, "A stability based method for discovering structure in clustered data".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packed_scenes.cluster.metrics import score
from packed_scenes.cluster.search.fitting import fit
from packed_scenes.cluster.search.grid import SIZE, Model
from packed_scenes.cluster.search.space import Space, Vectors

ROWS = 12_000
PART = 0.8


def stability(X: Vectors, models: Sequence[Model], *, seed: int = 0, threads: int = 1) -> list[float]:
    """Return each model's stability on (N, D) rows: 1 = the same clusters, 0 = as alike as chance."""
    rng = np.random.default_rng([seed, 5])
    pool = np.arange(len(X)) if len(X) <= ROWS else np.sort(rng.choice(len(X), ROWS, replace=False))
    size = max(3, round(PART * len(pool)))
    parts = [np.sort(rng.choice(pool, size, replace=False)) for _ in range(2)]
    spaces = [Space(X[part], seed=seed, threads=threads) for part in parts]
    _, left, right = np.intersect1d(parts[0], parts[1], assume_unique=True, return_indices=True)
    found = []
    for model in models:
        small = _shrunk(model, size / len(X))
        if not small.fits(size):
            found.append(0.0)
            continue
        first, second = (fit(space, small).labels for space in spaces)
        found.append(float(score(first[left], second[right]).ARI))
    return found


def _shrunk(model: Model, share: float) -> Model:
    return Model(model.method, tuple((n, max(2, round(float(v) * share)) if n == SIZE else v) for n, v in model.params))
