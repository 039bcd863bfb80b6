"""The probability that two objects of a set are one identity, for the pairs of the lists and, from these, for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.cluster.decision.features import describe
from packed_scenes.cluster.decision.lists import Floats, Ints, Lists
from packed_scenes.cluster.decision.network import Weights, load, logits

MAX_LOG_ODDS = 15.0  # log-odds beyond this say nothing more


@dataclass(frozen=True)
class Judgement:
    """What the judge says about N objects.

    Attributes:
        lists: the pairs that were judged.
        odds: (N, k) float32 log-odds that they are of one identity.
        trend: log-odds of any other pair: ``trend[0] + trend[1] * cosine distance``, the slope not above 0.
    """

    lists: Lists
    odds: Floats
    trend: tuple[float, float]

    @property
    def probability(self) -> Floats:
        """(N, k) float32 probabilities of the pairs of the lists."""
        return np.asarray(1 / (1 + np.exp(-self.odds)), np.float32)

    def boundary(self) -> float:
        """The cosine distance up to which calling pairs the same agrees best with what the judge says of them."""
        distance = self.lists.distance.ravel()
        order = np.argsort(distance, kind="stable")
        value = np.cumsum(self.probability.ravel()[order].astype(np.float64) - 0.5)
        best = int(np.argmax(value))
        if value[best] <= 0:
            return float(distance[order[0]]) / 2
        after = min(best + 1, len(order) - 1)
        return float(distance[order[best]] + distance[order[after]]) / 2


def judge(
    X: Vectors,
    *,
    xyxy: npt.NDArray[np.float64] | None = None,
    scene: Ints | None = None,
    unit: float | None = None,
    weights: Weights | None = None,
) -> Judgement:
    """Judge the pairs of (N, D) float32 unit rows, N >= 2.

    Args:
        X: the vectors. xyxy: (N, 4) boxes in pixels of their scenes. scene: (N,) scene numbers.
        unit: the embedder's own threshold, if it has one.
        weights: of the network; default those that ship.
    """
    found = describe(X, xyxy=xyxy, scene=scene, unit=unit)
    odds = np.clip(logits(found, weights or load()), -MAX_LOG_ODDS, MAX_LOG_ODDS)
    return Judgement(found.lists, odds, fit_trend(found.lists.distance, odds))


def fit_trend(distance: Floats, odds: Floats) -> tuple[float, float]:
    """A line through the log-odds of the farther half of each list."""
    half = distance.shape[1] // 2
    x, y = distance[:, half:].ravel().astype(np.float64), odds[:, half:].ravel().astype(np.float64)
    x0, y0 = x.mean(), y.mean()
    slope = float(min(((x - x0) * (y - y0)).sum() / max(((x - x0) ** 2).sum(), 1e-9), 0.0))
    return float(y0 - slope * x0), slope


def all_pairs(X: Vectors, found: Judgement) -> npt.NDArray[np.float64]:
    """Return the (N, N) float64 probabilities of all pairs: symmetric, ones on the diagonal."""
    index, count = found.lists.index, len(X)
    odds = np.full((count, count), np.nan)
    np.put_along_axis(odds, index, found.odds.astype(np.float64), axis=1)
    other = odds.T
    odds = np.where(np.isnan(odds), other, np.where(np.isnan(other), odds, (odds + other) / 2))
    missing = np.isnan(odds)
    if found.lists.length < count - 1:
        distance = 1 - (X @ X.T)[missing].astype(np.float64)
        odds[missing] = found.trend[0] + found.trend[1] * distance
    probability = 1 / (1 + np.exp(-np.clip(np.nan_to_num(odds), -MAX_LOG_ODDS, MAX_LOG_ODDS)))
    probability = (probability + probability.T) / 2  # the last bit
    np.fill_diagonal(probability, 1)
    return np.asarray(probability, np.float64)
