"""From the rounds of answered items to the count with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
MIN_ROUNDS = 3  # rounds before a target may stop the asking: the spread of two is too uncertain


@dataclass(frozen=True)
class Estimate:
    """A count with its interval.

    Attributes:
        count: unbiased estimate of the number of identities (not rounded).
        low, high: confidence limits at ``LEVEL``.
        error: standard error of ``count``.
        rounds, items: how many rounds of drawn items are behind it.
    """

    count: float
    low: float
    high: float
    error: float
    rounds: int
    items: int

    @property
    def half_width(self) -> float:
        """Half of the interval over the count."""
        return (self.high - self.low) / 2 / max(self.count, 1e-12)


def combine(shares: npt.ArrayLike | Sequence[Sequence[float]], *, max_count: int) -> Estimate:
    """Estimate the count from rounds.

    Args:
        shares: (R, S) shares of the count, R rounds of one item in each of S strata; R >= 2.
        max_count: the number of items, which no count exceeds.

    The rounds of a stratum are independent draws, so their variance needs no model. The limits are of a t distribution
    on the logarithm (counts are positive and skewed), its degrees of freedom by Welch and Satterthwaite, because one
    stratum may hold most of the variance.

    Raises:
        ValueError: for fewer than two rounds.
    """
    from scipy.stats import t

    values = np.asarray(shares, np.float64)
    rounds = len(values)
    if rounds < 2:
        raise ValueError("an interval needs two rounds")
    count = float(values.mean(axis=0).sum())
    parts = values.var(axis=0, ddof=1) / rounds
    error = float(np.sqrt(parts.sum()))
    count_shown = float(np.clip(count, 1, max_count))
    if error == 0:
        return Estimate(count_shown, count_shown, count_shown, 0.0, rounds, values.size)
    freedom = max(1.0, float(parts.sum() ** 2 / np.sum(parts**2 / (rounds - 1))))
    wide = float(t.ppf((1 + LEVEL) / 2, freedom)) * error
    step = wide / count_shown
    low = count_shown * np.exp(-min(step, 50))
    high = count_shown * np.exp(min(step, 50))
    return Estimate(
        count_shown, float(np.clip(low, 1, max_count)), float(np.clip(high, 1, max_count)), error, rounds, values.size
    )
