"""Knees and elbows: where a curve turns, by the farthest point from its chord.

Source: Satopaa et al. 2011, "Finding a 'kneedle' in a haystack".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

POINTS = 1000  # quantiles that stand for a curve of distances
TAIL = 0.995  # share of the rows below the end of the curve: one far outlier must not stretch it


def knee(distances: npt.NDArray[np.floating]) -> float:
    """Return the distance at which the ascending curve of (N,) distances turns up; the DBSCAN eps of its k."""
    curve = np.quantile(np.asarray(distances, np.float64), np.linspace(0, TAIL, POINTS))
    height = curve[-1] - curve[0]
    if height <= 0:
        return float(curve[0])
    gap = np.linspace(0, 1, POINTS) - (curve - curve[0]) / height
    return float(curve[int(gap.argmax())])


def elbow(k: npt.ArrayLike, inertia: npt.ArrayLike) -> int | None:
    """Return the number of clusters at which falling inertia flattens; None for fewer than three points."""
    x, y = np.asarray(k, np.float64), np.asarray(inertia, np.float64)
    order = np.argsort(x)
    at = elbow_index(x[order], y[order])
    return None if at is None else int(x[order][at])


def elbow_index(x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> int | None:
    """Return the place at which a falling curve lies farthest below its chord; None if it has fewer than three points
    or does not fall.

    Args:
        x: (N,) ascending.
        y: (N,) the curve.
    """
    if len(x) < 3 or y[0] <= y[-1]:
        return None
    gap = 1 - (x - x[0]) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return int(gap.argmax())
