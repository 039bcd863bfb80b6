"""The count against the threshold: the curve, and the stretch where it hardly moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.reciprocal import cluster_counts
from packed_scenes.data import InputError

FACTORS = np.geomspace(0.35, 3.5, 25)  # x calibrated: where the curve is taken
FALL, STEPS = 0.15, 3  # a stretch is stable if the count falls by at most this share over it; 3 steps are a third

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stretch:
    """A range of thresholds over which the count is stable: from ``low`` to ``high``, with the counts at both ends."""

    low: float
    high: float
    most: int
    fewest: int

    @property
    def count(self) -> int:
        """The count in the middle of the range (geometric mean of the ends)."""
        return round(float(np.sqrt(self.most * self.fewest)))


@dataclass(frozen=True)
class Curve:
    """Numbers of clusters by threshold.

    Attributes:
        thresholds: (T,) ascending cosine distances.
        counts: (T,) clusters of average linkage at each; never rising.
        calibrated: the unit of the thresholds: where the decision parts the set.
    """

    thresholds: Floats
    counts: Ints
    calibrated: float

    def plateau(self) -> Stretch | None:
        """The widest stable stretch (by the logarithm of the threshold); None where the curve falls steadily.

        Where everything has become one cluster the curve is flat, too: a stretch counts only with 2 clusters or more,
        and from half the calibrated threshold on, below which the curve is flat because nothing has merged.
        """
        best: tuple[int, int] | None = None
        usable = np.flatnonzero((self.counts >= 2) & (self.thresholds >= 0.5 * self.calibrated))
        for a in usable.tolist():
            inside = usable[(usable >= a) & (self.counts[usable] >= (1 - FALL) * self.counts[a])]
            b = int(inside[-1])
            if b - a >= STEPS and (best is None or b - a > best[1] - best[0]):
                best = a, b
        if best is None:
            return None
        a, b = best
        return Stretch(float(self.thresholds[a]), float(self.thresholds[b]), int(self.counts[a]), int(self.counts[b]))


def count_curve(X: Vectors, *, calibrated: float) -> Curve:
    """Count the clusters of average linkage at thresholds around the calibrated one, in one pass.

    Args:
        X: (N, D) float32 unit rows.
        calibrated: the unit of the thresholds, in (0, 2], such as the boundary of the decision.

    Memory and time: of :func:`packed_scenes.cluster.cluster_counts`; no N x N matrix.

    Raises:
        InputError: if ``calibrated`` is out of range.
    """
    if not 0 < calibrated <= 2:
        raise InputError(f"calibrated must be a cosine distance in (0, 2], got {calibrated}")
    thresholds = np.minimum(calibrated * FACTORS, 2.0)
    return Curve(thresholds, cluster_counts(X, thresholds.tolist()), calibrated)
