"""``PairDecision``: the decision as an estimator."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from packed_scenes.cluster.average import AverageLinkage
from packed_scenes.cluster.base import Clusterer, Hints, Vectors
from packed_scenes.cluster.decision.deciding import Evidence
from packed_scenes.cluster.labels import Labels
from packed_scenes.data import InputError


class PairDecision(Clusterer):
    """Pairs judged in the context of their set, and the pruning of their tree with the highest expected BCubed F.

    Nothing is noise, nothing needs to be set, any N (:mod:`packed_scenes.cluster.decision`).

    Args:
        threshold: a mean cosine distance up to which clusters merge instead, as in :class:`AverageLinkage`.
        calibrated: the embedder's own threshold, from its card, if it has one: tells the judge what the distances
            usually mean.
        spatial: let the judge see the boxes, if ``fit`` gets them.
        scene_shift: take out what the light of each scene adds, if ``fit`` gets several scenes
            (:mod:`packed_scenes.cluster.scene_shift`).

    Attributes:
        threshold_: the cosine distance that best tells the pairs judged the same from the others, for whatever needs a
            single number.
        expected_: the BCubed F to be expected.

    ``probabilities_``: in company, how likely another member is the same identity; alone, that no other object is. A
    ranking: on goods members are surer than it says (expected calibration error up to .18, README of cluster).
    """

    _uses_constraints = True
    threshold_: float
    expected_: float

    def __init__(
        self,
        threshold: float | None = None,
        *,
        calibrated: float | None = None,
        spatial: bool = True,
        scene_shift: bool = True,
    ) -> None:
        self.threshold = threshold
        self.calibrated = calibrated
        self.spatial = spatial
        self.scene_shift = scene_shift

    def _cluster(self, X: Vectors, hints: Hints) -> tuple[Labels, npt.NDArray[Any]]:
        if self.calibrated is not None and not 0 < self.calibrated <= 2:
            raise InputError(f"calibrated must be a cosine distance in (0, 2], got {self.calibrated}")
        if self.threshold is not None:
            model = AverageLinkage(
                self.threshold, calibrated=self.calibrated, spatial=self.spatial, scene_shift=self.scene_shift
            )
            labels, sure = model._cluster(X, hints)
            self.threshold_, self.expected_ = model.threshold_, float("nan")
            return labels, sure
        found = Evidence(X, hints, unit=self.calibrated, boxes=self.spatial, scene_shift=self.scene_shift).decide()
        self.threshold_, self.expected_ = found.boundary, found.expected_f
        return found.labels, found.probability
