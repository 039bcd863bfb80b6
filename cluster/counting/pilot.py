"""A few answered pairs from which the match model, and from it the cut of the frame, is estimated.

An embedder's own threshold is right for the pictures it was calibrated on; the best cut of another folder may lie at
twice that. Three dozen answers, spread evenly over the distances in question, find it. They shape the frame and what
is asked later and take no part in the estimate, which therefore stays unbiased whatever they say.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from packed_scenes.cluster.counting.frame import Frame, Ints, MatchModel

PAIRS = 36
LEVELS = 9
MAX_DRAWS = 12 * PAIRS  # items looked at; in some folders no two lie at some distances
REACH = (0.0, 2.7)  # x calibrated: the gaps asked about
SLOPE = 0.25  # x calibrated: of the match model before any answer
WEIGHT = 2.0  # weight of the curve before any answer, in answers

Ask = Callable[[int, int], float]


def default_match_model(calibrated: float) -> MatchModel:
    """The match model before any answer: even odds at 1.2 times the embedder's threshold."""
    return MatchModel(1.2 * calibrated, SLOPE * calibrated)


def pilot_pairs(
    frame: Frame, *, calibrated: float, seed: int = 0
) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Choose the pairs of the pilot.

    Args:
        frame: units at a low cut, so that they are pure.
        calibrated: the embedder's own threshold.
        seed: of the choice.

    Returns:
        (P, 2) rows, an item and the nearest of a unit, and their (P,) gaps; P is at most ``PAIRS``.
    """
    rng = np.random.default_rng([seed, 1])
    levels = calibrated * np.linspace(*REACH, LEVELS + 1)
    pairs: list[tuple[int, int]] = []
    gaps: list[float] = []
    # Units weigh the same, as they do in the count; a unit's items are as good as each other. The levels take turns.
    filled = np.zeros(LEVELS, np.int64)
    for turn, unit in enumerate(rng.choice(frame.count, size=MAX_DRAWS, replace=True).tolist()):
        level = turn % LEVELS
        if filled[level] == PAIRS // LEVELS:
            continue
        row = int(rng.choice(frame.members[unit]))
        gap = frame.gaps(row)
        there = np.flatnonzero((gap >= levels[level]) & (gap < levels[level + 1]))
        if len(there):
            other = int(rng.choice(there))
            pairs.append((row, int(frame.nearest(row, other)[0])))
            gaps.append(float(gap[other]))
            filled[level] += 1
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(gaps)


def fit_match_model(
    gaps: np.ndarray[tuple[int], np.dtype[np.float64]],
    same: Ints | np.ndarray[tuple[int], np.dtype[np.float64]],
    *,
    calibrated: float,
) -> MatchModel:
    """Fit the curve of (P,) gaps to answers (1 same, 0 different, .5 unsure), held by a weak prior at the default."""
    from scipy.optimize import minimize

    start = default_match_model(calibrated)
    d, y = np.asarray(gaps, np.float64), np.asarray(same, np.float64)

    def loss(parameters: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        middle, slope = np.exp(parameters)
        z = (middle - d) / slope
        likelihood = np.sum(np.logaddexp(0, z) - y * z)
        prior = ((parameters - np.log([start.middle, start.slope])) / (0.5, 0.7)) ** 2
        return float(likelihood + prior.sum() * WEIGHT / 2)

    found = minimize(loss, np.log([start.middle, start.slope]), method="Nelder-Mead")
    middle, slope = np.exp(found.x)
    return MatchModel(float(np.clip(middle, 0.02, 1.5)), float(np.clip(slope, 0.1 * calibrated, 1.5 * calibrated)))
