"""The silhouette of structureless data, as the zero of a scale (null reference of the gap statistic).

In few dimensions anything falls into compact groups: KMeans of structureless rows has a silhouette of .33 in two
dimensions and of .07 in twelve, so silhouettes of different spaces cannot be compared as they are. Rows are drawn from
a normal distribution with the space's own covariance, KMeans is run on them, and its silhouette at the same number of
clusters is the zero of the scale: ``(s - reference) / (1 - reference)``. Where all rows have one length, the drawn
ones get it, too: a circle has less room than a plane.
Source of the idea: Tibshirani, Walther and Hastie 2001, "Estimating the number of clusters via the gap statistic".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.search.lloyd import Path
from packed_scenes.cluster.search.scores import draw_sample, internal_scores

ROWS = 2000
CLUSTERS = (2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25)


@dataclass(frozen=True)
class Reference:
    """Silhouettes of structureless rows.

    Attributes:
        clusters: numbers of clusters, ascending.
        silhouette: the silhouette at each.
    """

    clusters: tuple[int, ...]
    silhouette: tuple[float, ...]

    def at(self, clusters: int) -> float:
        """Return the silhouette at a number of clusters, between those that were tried by their logarithm."""
        return float(np.interp(np.log(max(clusters, 1)), np.log(self.clusters), self.silhouette))


def reference(X: npt.NDArray[np.floating], *, seed: int = 0) -> Reference:
    """Make the reference of (N, D) rows' space."""
    rows = np.asarray(X[:: max(1, len(X) // 50_000)], np.float64)
    rng = np.random.default_rng([seed, 31])
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(rows.T)))
    count = max(10, min(ROWS, len(X)))
    drawn = rng.standard_normal((count, len(values))) * np.sqrt(np.maximum(values, 0)) @ axes.T
    length = np.linalg.norm(rows, axis=1)
    if np.ptp(length) < 1e-3 * length.mean():
        drawn += rows.mean(axis=0)
        drawn *= length.mean() / np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-12)
    structureless = np.ascontiguousarray(drawn - drawn.mean(axis=0), np.float32)
    path, sample = Path(structureless, seed=seed), draw_sample(structureless, max_rows=count, all_up_to=count)
    tried = tuple(k for k in CLUSTERS if k < count)
    found = [internal_scores(structureless, path.fit(k)[0].astype(np.int64), sample).silhouette for k in tried]
    return Reference(tried, tuple(float(np.nan_to_num(s)) for s in found))
