"""The limits of a count: quantile regressions on decisions about simulated sets that trained nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from packed_scenes.cluster.base import Hints
from packed_scenes.cluster.decision import Evidence
from packed_scenes.cluster.decision.counting import LEVEL, LIMITS, figures
from packed_scenes.decision_training.bank import Bank, Floats
from packed_scenes.decision_training.simulate import draw

SETS = 900
DECAY = 5e-4  # of the sum of the weights' sizes


def fit_limits(
    bank: Bank, weights: Mapping[str, Floats], *, seed: int, report: Callable[[int], None] | None = None
) -> dict[str, Floats]:
    """Return the weights of the lower and of the upper limit, see :mod:`packed_scenes.cluster.decision.counting`.

    Args:
        bank: the side that is kept out. weights: of the judge. seed: of the sets. report: called with the sets done.
    """
    from sklearn.linear_model import QuantileRegressor

    rng = np.random.default_rng([seed, 2])
    about, off = [], []
    for number in range(SETS):
        example = draw(bank, rng)
        hints = Hints(xyxy=example.xyxy, scene=example.scene)
        evidence = Evidence(example.X, hints, unit=example.unit, weights=weights)
        decision = evidence.decide()
        about.append(figures(evidence, decision))
        off.append(np.log((example.identity.max() + 1) / decision.count))
        if report is not None:
            report(number + 1)
    quantiles = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    return {
        name: QuantileRegressor(quantile=quantile, alpha=DECAY, fit_intercept=False)
        .fit(np.stack(about), np.array(off))
        .coef_.astype(np.float32)
        for name, quantile in zip(LIMITS, quantiles, strict=True)
    }
