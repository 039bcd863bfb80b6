"""Ask until the count is known well enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.counting.estimate import MIN_ROUNDS, Estimate, combine
from packed_scenes.cluster.counting.frame import Frames, MatchModel
from packed_scenes.cluster.counting.pilot import Ask, fit_match_model, pilot_pairs
from packed_scenes.cluster.counting.sampling import Answered, Plan

PILOT_CUT = 0.6  # x calibrated: cut of the pilot's units
FRAME_CUT = 0.8  # x the match model's middle: cut of the frame
MAX_ROUNDS = 200
# Rounds in a row with the wanted interval that end the asking. One that is narrow by chance ends it too soon, and the
# count is then too low: resampling the rounds of five countings, intervals cover what they estimate .88 of the time
# with 1 and .91 with 3.
NARROW_ROUNDS = 3


class StopAsking(Exception):  # noqa: N818  (no error)
    """Raised by an ``ask`` that gives no more answers: a budget is used up, a person has stopped."""


@dataclass
class Progress:
    """State of the questioning, updated after every round, so that it can be shown and survives an interruption.

    Attributes:
        match_model: what the pilot found; None before.
        rounds: the complete rounds.
        estimate: from the complete rounds, two or more; None before.
        units: units of the frame; 0 before.
        unreached: expected units with matches that are never asked about, per drawn item.
    """

    match_model: MatchModel | None = None
    rounds: list[list[Answered]] = field(default_factory=list)
    estimate: Estimate | None = None
    units: int = 0
    unreached: float = 0.0


def estimate_count(
    X: npt.ArrayLike | Frames,
    ask: Ask,
    *,
    calibrated: float,
    target: float = 0.1,
    seed: int = 0,
    progress: Progress | None = None,
    callback: Callable[[Progress], None] | None = None,
) -> Progress:
    """Estimate how many identities there are from answers about pairs.

    Args:
        X: (N, D) vectors, N >= 2; or their frames, where the same vectors are counted more than once.
        ask: given two rows, returns 1 (same identity), 0 (different) or .5 (unsure: half a match); the same pair may be
            asked again; raises :class:`StopAsking` to end. The questions depend on seed and answers only, so an ``ask``
            that keeps its answers resumes by starting over.
        calibrated: the embedder's own threshold.
        target: ends when half the interval is at most this share of the count, ``STEADY`` rounds in a row (after
            ``MIN_ROUNDS`` rounds); 0 = never.
        seed: of every draw.
        progress: is filled; default a new one.
        callback: called after the pilot and after every round.

    Returns:
        ``progress``. Its ``estimate`` is None if there were not enough answers for two rounds.

    Memory: O(N D + K D) and blocks of 1,024 x K, K the number of units.
    """
    state = progress if progress is not None else Progress()
    frames = X if isinstance(X, Frames) else Frames(X, scale=calibrated)
    pure = frames.at(PILOT_CUT * calibrated)
    if len(pure) < 2:
        raise ValueError("a count needs two items")
    try:
        pairs, gaps = pilot_pairs(pure, calibrated=calibrated, seed=seed)
        answers = np.array([ask(int(a), int(b)) for a, b in pairs], np.float64)
        state.match_model = fit_match_model(gaps, answers, calibrated=calibrated)
        frame = frames.at(FRAME_CUT * state.match_model.middle)
        state.units = frame.count
        plan = Plan(frame, state.match_model, seed=seed)
        if callback is not None:
            callback(state)
        narrow = 0
        for number in range(MAX_ROUNDS):
            state.rounds.append(plan.round(number, ask))
            if len(state.rounds) >= 2:
                shares = [[item.share for item in drawn] for drawn in state.rounds]
                state.estimate = combine(shares, max_count=len(frame))
            missed = plan.unreached(np.array([item.row for item in state.rounds[-1]]))
            state.unreached += (missed - state.unreached) / len(state.rounds)
            if callback is not None:
                callback(state)
            enough = len(state.rounds) >= MIN_ROUNDS and state.estimate and state.estimate.half_width <= target
            narrow = narrow + 1 if enough else 0
            if narrow == NARROW_ROUNDS:
                break
    except StopAsking:
        pass
    return state
