"""Overlaps of every box of one set with every box of another; callers keep N x M below a few million."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.floating[Any]]


def pairwise_iou(left: Boxes, right: Boxes) -> npt.NDArray[np.float64]:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes; 0 where both are empty."""
    shared = _shared(left, right)
    first, second = (np.prod((b[:, 2:] - b[:, :2]).astype(np.float64), axis=1) for b in (left, right))
    union = first[:, None] + second[None] - shared
    iou: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


def pairwise_inside(left: Boxes, right: Boxes) -> npt.NDArray[np.float64]:
    """(N, M) share of each left box's area that lies inside each right box."""
    shared = _shared(left, right)
    area = np.prod((left[:, 2:] - left[:, :2]).astype(np.float64), axis=1)[:, None]
    inside: npt.NDArray[np.float64] = np.divide(shared, area, out=np.zeros_like(shared), where=area > 0)
    return inside


def _shared(left: Boxes, right: Boxes) -> npt.NDArray[np.float64]:
    a, b = left.astype(np.float64)[:, None], right.astype(np.float64)[None]
    shared: npt.NDArray[np.float64] = np.prod(
        (np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])).clip(0), axis=2
    )
    return shared
