"""Label vectors: noise, names, order.

A label vector is (N,) int64; -1 is noise and stays noise. Cluster names carry no meaning to an algorithm, so every
estimator here renames its clusters by one rule (:func:`canonical`): two runs that find the same groups return the
same array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError

Labels = npt.NDArray[np.int64]

NOISE = -1


def as_labels(labels: npt.ArrayLike, name: str = "labels") -> Labels:
    """Check and convert to (N,) int64; names may be strings or any integers, of which negative ones are noise.

    Raises:
        InputError: if the array is not one-dimensional or holds fractions.
    """
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name} must have shape (N,), got {array.shape}")
    if array.dtype.kind in "iub":
        return np.where(array < 0, NOISE, array).astype(np.int64)
    if array.dtype.kind == "f":
        if not np.array_equal(array, np.rint(array)):
            raise InputError(f"{name} must be whole numbers or strings")
        return np.where(array < 0, NOISE, array).astype(np.int64)
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def canonical(labels: npt.NDArray[Any]) -> Labels:
    """Rename clusters 0 … K-1 by size, largest first; equal sizes by their first member. Noise stays -1.

    Example:
        ``canonical([7, -1, 3, 3])`` is ``[1, -1, 0, 0]``.
    """
    labels = np.asarray(labels, np.int64)
    renamed = np.full(len(labels), NOISE, np.int64)
    kept = labels >= 0
    if kept.any():
        _, first, inverse, size = np.unique(labels[kept], return_index=True, return_inverse=True, return_counts=True)
        rank = np.empty(len(size), np.int64)
        rank[np.lexsort((first, -size))] = np.arange(len(size))
        renamed[kept] = rank[inverse]
    return renamed


def singletons(labels: npt.NDArray[Any]) -> Labels:
    """Make every noise row a cluster of its own, and all names 0 … K-1."""
    out = np.asarray(labels, np.int64).copy()
    noise = out < 0
    out[noise] = out.max(initial=-1) + 1 + np.arange(noise.sum())
    return np.unique(out, return_inverse=True)[1].astype(np.int64)


def noise_share(labels: npt.NDArray[Any]) -> float:
    """Share of rows that are noise; 0 for no rows."""
    labels = np.asarray(labels)
    return float((labels < 0).mean()) if len(labels) else 0.0


def cluster_sums(X: npt.NDArray[np.float32], labels: Labels) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Sum the vectors of each cluster.

    Args:
        X: (N, D) vectors.
        labels: (N,) names 0 … K-1; noise rows are left out.

    Returns:
        (K, D) float64 sums and (K,) member counts. No N x K matrix is made (sparse product).
    """
    from scipy.sparse import csr_matrix

    count = int(labels.max(initial=-1)) + 1
    rows = np.flatnonzero(labels >= 0)
    # A sparse product adds rows in order: deterministic, and much faster than np.add.at.
    member = csr_matrix((np.ones(len(rows)), (labels[rows], rows)), shape=(count, len(labels)))
    return np.asarray(member @ np.asarray(X, np.float64)), np.bincount(labels[rows], minlength=count)
