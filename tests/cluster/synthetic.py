"""Vectors of known identity for the clustering tests: long-tailed tiny groups, confusable pairs, a shared nuisance
subspace.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def scene_vectors(
    count: int, *, dim: int = 32, seed: int = 0, noise: float = 0.45
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return (N, D) float32 unit rows and (N,) identities in random order."""
    rng = np.random.default_rng(seed)
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(min(int(rng.choice([1, 1, 1, 2, 2, 3, 4, 6, 9])), count - sum(sizes)))
    centre = rng.standard_normal((len(sizes), dim))
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = centre[y] + noise / np.sqrt(dim) * rng.standard_normal((count, dim))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), y.astype(np.int64)
