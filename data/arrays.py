"""Arithmetic on arrays that several rooms need in exactly one form."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Real = TypeVar("Real", np.float32, np.float64)


def unit_rows(rows: npt.NDArray[Real], *, min_norm: float = 1e-12) -> npt.NDArray[Real]:
    """Return vectors scaled to Euclidean length 1, in their own dtype.

    Args:
        rows: (..., D) vectors.
        min_norm: shorter vectors are divided by this instead, so that a zero vector stays zero.
    """
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, min_norm), rows.dtype)


def pairs_within(sizes: npt.NDArray[np.int64]) -> int:
    """Return the number of unordered pairs of members that groups of these sizes hold."""
    return int((sizes * (sizes - 1) // 2).sum())
