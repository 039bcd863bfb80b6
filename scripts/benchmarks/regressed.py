"""The simplest alternative to the decision: one cut of average linkage per set, regressed on the set's own statistics.

It learns from the same simulated sets as the judge and is told the same figures of the whole set
(:mod:`packed_scenes.cluster.decision.features`): quantiles of the distances of the neighbours and of all, the number of
rows, in how many directions they extend, and how far all this is from the embedder's threshold, where it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Names = npt.NDArray[np.int64]
SETS = 120  # simulated sets
CUTS = 60
MIN_CUT = 0.02  # a cut below this is no other one


class RegressedCut:
    """Average linkage at a predicted cut.

    Args:
        learner: a regressor of scikit-learn; a ridge if None.
    """

    def __init__(self, learner: Any = None) -> None:
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.learner = make_pipeline(StandardScaler(), learner or RidgeCV(np.logspace(-2, 4, 13)))

    def fit(self, examples: Sequence[Any]) -> RegressedCut:
        """Learn the logarithms of the best cuts of simulated sets."""
        figures = np.stack([self._figures(e.X, e.unit) for e in examples])
        self.learner.fit(figures, np.log([_best(e.X, e.identity) for e in examples]))
        return self

    def predict(self, X: npt.NDArray[np.float32], unit: float | None) -> Names:
        """Names of (N, D) unit rows."""
        from packed_scenes.cluster.dense import average_tree, cosine_distances

        cut = float(np.exp(self.learner.predict(self._figures(X, unit)[None])[0]))
        return average_tree(cosine_distances(X)).cut(min(cut, 2.0))

    @staticmethod
    def _figures(X: npt.NDArray[np.float32], unit: float | None) -> npt.NDArray[np.float32]:
        from packed_scenes.cluster.decision.features import describe

        return describe(np.ascontiguousarray(X, np.float32), unit=unit, tree=False).whole


def _best(X: npt.NDArray[np.float32], identity: Names) -> float:
    """The middle of the cuts whose F is within .005 of the best one."""
    from packed_scenes.cluster import bcubed_f
    from packed_scenes.cluster.dense import average_tree, cosine_distances

    tree = average_tree(cosine_distances(X))
    cuts = np.geomspace(MIN_CUT, 1.2, CUTS)
    value = np.array([bcubed_f(identity, tree.cut(cut)) for cut in cuts])
    return float(np.exp(np.log(cuts[value >= value.max() - 0.005]).mean()))


def learned(bank: Path) -> dict[str, RegressedCut]:
    """A ridge and boosted trees, fitted to sets drawn from a bank of vectors (``train-decision``)."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from packed_scenes.decision_training.bank import Bank
    from packed_scenes.decision_training.simulate import draw

    held, rng = Bank.load(bank), np.random.default_rng(0)
    examples = [e for e in (draw(held, rng) for _ in range(SETS)) if len(e.X) <= 260]
    trees = HistGradientBoostingRegressor(max_iter=150, learning_rate=0.05, random_state=0)
    return {"ridge": RegressedCut().fit(examples), "boosted": RegressedCut(trees).fit(examples)}
