"""Rows that belong nowhere, by four witnesses put on one scale.

GLOSH (how far below its cluster's peak density a row falls out), the mean distance to its neighbours, whether DBSCAN
at the knee leaves it as noise, and, where there is one, an autoencoder's reconstruction error. Each is turned into
its rank in [0, 1] (ties share their mean rank); the ranking is by their mean, so no scale dominates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from packed_scenes.cluster.search import density
from packed_scenes.cluster.search.space import Space

NEIGHBOURS = 10  # neighbours that a row's distance is the mean of
SAMPLES, MIN_CLUSTER_ROWS = 5, 15  # of the density tree that GLOSH reads

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outliers:
    """Witnesses of every row; higher = more of an outlier.

    Attributes:
        score: (N,) mean rank in [0, 1].
        glosh: (N,) in [0, 1).
        knn_distance: (N,) mean Euclidean distance to ``NEIGHBOURS`` neighbours.
        dbscan_noise: (N,) bool.
        reconstruction: (N,) error of an autoencoder, or None.
    """

    score: Floats
    glosh: Floats
    knn_distance: Floats
    dbscan_noise: npt.NDArray[np.bool_]
    reconstruction: Floats | None


def outlier_scores(space: Space, *, reconstruction: npt.ArrayLike | None = None) -> Outliers:
    """Judge every row of a space.

    Args:
        space: where distances are measured.
        reconstruction: (N,) errors of an autoencoder.
    """
    smallest = min(MIN_CLUSTER_ROWS, max(2, len(space) // 4))
    glosh = density.glosh(space.condensed(SAMPLES, smallest))
    near = space.graph.distance[:, :NEIGHBOURS]
    found = np.isfinite(near)
    distance = np.where(found, near, 0).sum(axis=1, dtype=np.float64) / np.maximum(found.sum(axis=1), 1)
    core, turn = space.core(SAMPLES)
    noise = density.dbscan(space.tree(SAMPLES), space.graph, core, turn, SAMPLES + 1) < 0
    errors = None if reconstruction is None else np.asarray(reconstruction, np.float64)
    witnesses = [glosh, distance, noise.astype(np.float64), *([] if errors is None else [errors])]
    score = np.mean([(rankdata(w) - 0.5) / len(w) for w in witnesses], axis=0)
    return Outliers(score, glosh, distance, noise, errors)
