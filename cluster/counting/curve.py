"""The count against the threshold: the curve, the stretch where it hardly moves, and an interval without any answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.reciprocal import cluster_counts
from packed_scenes.data import InputError

FACTORS = np.geomspace(0.35, 3.5, 25)  # x calibrated: where the curve is taken
FALL, STEPS = 0.15, 3  # a stretch is stable if the count falls by at most this share over it; 3 steps are a third
# Where the count is right, as a multiple of the calibrated threshold: quantiles .025, .5, .975 of a log-normal
# distribution. On nine draws (four of grocery_store test, four of packed_products, vehicle_reid val) the right multiple
# is 1.2 to 2.03; the prediction interval of a tenth is 1.23 to 2.62, doubled in spread as other folders differ more.
RIGHT = (0.84, 1.79, 3.84)

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
        calibrated: the embedder's own threshold.
    """

    thresholds: Floats
    counts: Ints
    calibrated: float

    def at(self, threshold: float) -> float:
        """The count at any threshold, between the points by the logarithms; at the ends, the end's count."""
        return float(np.exp(np.interp(np.log(threshold), np.log(self.thresholds), np.log(self.counts))))

    def threshold_of(self, count: float) -> float:
        """The threshold at which the count is nearest to ``count``; within the curve."""
        counts = np.log(self.counts[::-1])
        rising = counts + np.arange(len(counts)) * 1e-9  # interp wants distinct places
        return float(np.exp(np.interp(np.log(count), rising, np.log(self.thresholds[::-1]))))

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

    def unvetted(self) -> tuple[float, float, float]:
        """(count, low, high) without any answer: the counts where other folders' counts were right.

        Covers the truth where the embedder is as far off as on the sets that ``RIGHT`` was found on. It is wide,
        because embedders are.
        """
        low, middle, high = (factor * self.calibrated for factor in RIGHT)
        return self.at(middle), float(np.floor(self.at(high))), float(np.ceil(self.at(low)))


def count_curve(X: Vectors, *, calibrated: float) -> Curve:
    """Count the clusters of average linkage at thresholds around the calibrated one, in one pass.

    Args:
        X: (N, D) float32 unit rows.
        calibrated: the embedder's own threshold, in (0, 2].

    Memory and time: of :func:`packed_scenes.cluster.cluster_counts`; no N x N matrix.

    Raises:
        InputError: if ``calibrated`` is out of range.
    """
    if not 0 < calibrated <= 2:
        raise InputError(f"calibrated must be a cosine distance in (0, 2], got {calibrated}")
    thresholds = np.minimum(calibrated * FACTORS, 2.0)
    return Curve(thresholds, cluster_counts(X, thresholds.tolist()), calibrated)
