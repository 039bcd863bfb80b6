"""How the crops are clustered in every round, and which of their labels can be trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.crops.listing import Crops

SLACK = 0.15  # clusters must hold at thresholds lower and higher by this share to be trained on

Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """One way of clustering the crops.

    Attributes:
        crops: with their cameras. clusterer: name. calibrated: cosine threshold of the embedder.
        once: two crops of one camera are never the same. known: must-links and cannot-links.
    """

    crops: Crops
    clusterer: str
    calibrated: float
    once: bool
    known: Mapping[str, Any]

    def fit(self, X: Vectors, share: float = 1.0) -> tuple[Labels, npt.NDArray[np.float32], list[str]]:
        """Cluster at a share of the calibrated threshold: labels (noise as single crops), strengths, warnings."""
        from packed_scenes import cluster
        from packed_scenes.cluster.labels import singletons

        model = cluster.make(self.clusterer)
        if "calibrated" in model.get_params():
            model.set_params(calibrated=min(share * self.calibrated, 1.0))
        exclusive = self.crops.camera if self.once else None
        model.fit(X, scene=self.crops.camera, exclusive=exclusive, **self.known)
        return cluster.canonical(singletons(model.labels_)), model.probabilities_, model.warnings_

    def correct_labels(self, X: Vectors, labels: Labels) -> tuple[Labels, str]:
        """Move doubtful members and outliers to the nearest cluster, or split them off; what a person linked stays,
        and no move puts two crops of one camera together where a camera sees a thing once.

        Returns:
            The labels, and a line that says how many rows changed.
        """

        from packed_scenes import cluster

        linked = np.concatenate([np.zeros(0, np.int64), *(pairs.ravel() for pairs in self.known.values())])
        fixed = np.isin(np.arange(len(X)), linked)
        done = cluster.reassign(X, labels, threshold=self.calibrated, fixed=fixed)
        if self.once and self.crops.camera is not None:
            cell = np.column_stack([done.labels, self.crops.camera])
            _, where, times = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
            clash = done.moved & (times[where.ravel()] > 1)
            done = cluster.reassign(X, labels, threshold=self.calibrated, fixed=fixed | clash)
        return done.labels, f"{int(done.moved.sum())} crops were moved, {int(done.split.sum())} split off"

    def trusted(self, X: Vectors, labels: Labels) -> npt.NDArray[np.bool_]:
        """(N,) bool: the row has company, is nearer to it than to any other cluster, and, where lists of neighbours
        decide, its cluster holds at a lower and at a higher threshold.
        """
        from packed_scenes.cluster import membership_evidence, reliable_rows

        ok = np.bincount(labels)[labels] > 1
        ok &= membership_evidence(X, labels, threshold=self.calibrated).ambiguity <= 0.5
        if self.clusterer == "k-reciprocal":
            ok &= reliable_rows(labels, self.fit(X, 1 - SLACK)[0], self.fit(X, 1 + SLACK)[0])
        return np.asarray(ok)
