"""Internal scores of a clustering from sufficient statistics: counts, sums and squared sums of each cluster.

One compiled pass over the rows gives inertia and Calinski-Harabasz; a second one the mean distances to the centres
that Davies-Bouldin needs. The silhouette has two forms:

- ``silhouette``: mean distances (Rousseeuw 1987), over all rows where they are few, otherwise over a fixed sample
  whose distance block is made once for a space (what scikit-learn's ``sample_size`` does). Clusters with no row in
  the sample are not seen by it.
- ``silhouette_rms``: the same ratio of root mean square distances, which follow from the statistics: the sampled rows
  are judged against the whole of every cluster, however small. Where there is no need to sample both are exact.

Noise rows (-1) are left out of all of them; their share stands beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled

BLOCK = 4096  # pairs of centres or of rows and centres are looked at in blocks of so many
MAX_CENTRES = 20_000  # Davies-Bouldin compares all pairs of centres: seconds beyond

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class InternalScores:
    """What can be said without truth; NaN where a score is not defined (fewer than two clusters, or all single).

    Attributes:
        clusters: number of clusters.
        noise: share of rows that are noise.
        largest: share of the clustered rows in the largest cluster.
        alone: share of the clustered rows that are a cluster of their own.
        silhouette: in [-1, 1]; see above.
        silhouette_rms: in [-1, 1].
        silhouette_rows: rows that were judged.
        calinski_harabasz: higher is better; cannot choose where clusters are tiny.
        davies_bouldin: lower is better; the same; NaN beyond ``MAX_CENTRES`` clusters.
        inertia: sum of squared distances to the centres.
    """

    clusters: int
    noise: float
    largest: float
    alone: float
    silhouette: float
    silhouette_rms: float
    silhouette_rows: int
    calinski_harabasz: float
    davies_bouldin: float
    inertia: float


@dataclass(frozen=True)
class Sample:
    """Rows that are judged, with the distances between them.

    Attributes:
        rows: (S,) int64, ascending.
        distance: (S, S) float32 Euclidean.
        whole: whether these are all rows.
    """

    rows: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]
    whole: bool


def draw_sample(X: npt.NDArray[np.float32], *, max_rows: int, all_up_to: int, seed: int = 0) -> Sample:
    """Take all of (N, D) rows up to ``all_up_to``, otherwise ``max_rows`` of them at random, and their distances."""
    from scipy.spatial.distance import cdist

    whole = len(X) <= all_up_to
    rng = np.random.default_rng([seed, 77])
    rows = np.arange(len(X)) if whole else np.sort(rng.choice(len(X), max_rows, replace=False))
    chosen = X[rows]
    block = np.empty((len(rows), len(rows)), np.float32)
    for low in range(0, len(rows), 512):
        block[low : low + 512] = cdist(chosen[low : low + 512], chosen)
    return Sample(rows, block, whole)


def internal_scores(X: npt.NDArray[np.float32], labels: Labels, sample: Sample) -> InternalScores:
    """Score (N,) labels, 0 … K-1 and -1, of (N, D) rows."""
    count = int(labels.max(initial=-1)) + 1
    nan = float("nan")
    sizes, sums, squares = _statistics(X, labels, count)
    kept = int(sizes.sum())
    noise = 1 - kept / len(labels)
    largest, alone = (float(sizes.max() / kept), float((sizes == 1).sum() / kept)) if kept else (0.0, 0.0)
    if not 1 < count < kept:
        inertia = float((squares - (sums**2).sum(axis=1) / np.maximum(sizes, 1)).sum()) if kept else nan
        return InternalScores(count, noise, largest, alone, nan, nan, 0, nan, nan, inertia)
    centres = sums / sizes[:, None]
    within = float(np.maximum(squares - np.einsum("kd,kd->k", sums, centres), 0).sum())
    middle = sums.sum(axis=0) / kept
    between = float((sizes * ((centres - middle) ** 2).sum(axis=1)).sum())
    own = labels[sample.rows]
    judged = np.flatnonzero(own >= 0)
    return InternalScores(
        count,
        noise,
        largest,
        alone,
        _sample_silhouette(sample, own, sizes),
        _rms_silhouette(X[sample.rows[judged]], own[judged], sizes, centres, squares),
        len(judged),
        between / within * (kept - count) / (count - 1) if within > 0 else 1.0,
        _davies_bouldin(centres, _spread(X, labels, centres) / sizes),
        within,
    )


def _sample_silhouette(sample: Sample, own: Labels, sizes: npt.NDArray[np.int64]) -> float:
    names, local = np.unique(own[own >= 0], return_inverse=True)
    if len(names) < 2:
        return float("nan")
    inside = np.full(len(own), -1, np.int64)
    inside[own >= 0] = local
    # A cluster with other members outside the sample, but none inside, cannot be judged here: its row is left out.
    return float(_mean_silhouette(sample.distance, inside, np.bincount(local), sizes[names]))


def _rms_silhouette(
    rows: npt.NDArray[np.float32], own: Labels, sizes: npt.NDArray[np.int64], centres: Floats, squares: Floats
) -> float:
    if not len(rows):
        return float("nan")
    mean_square = squares / sizes
    total = 0.0
    step = max(1, 4_000_000 // len(sizes))
    for low in range(0, len(rows), step):
        x, c = rows[low : low + step].astype(np.float64), own[low : low + step]
        here = np.arange(len(x))
        square = np.maximum(np.einsum("nd,nd->n", x, x)[:, None] - 2 * x @ centres.T + mean_square, 0)
        n = sizes[c]
        a = np.sqrt(square[here, c] * n / np.maximum(n - 1, 1))
        square[here, c] = np.inf
        b = np.sqrt(square.min(axis=1))
        total += float(np.where(n > 1, (b - a) / np.maximum(np.maximum(a, b), 1e-300), 0).sum())
    return total / len(rows)


def _davies_bouldin(centres: Floats, spread: Floats) -> float:
    """As scikit-learn: mean over clusters of the worst (spread + spread) / distance of centres."""
    if len(centres) > MAX_CENTRES:
        return float("nan")
    if np.allclose(spread, 0):
        return 0.0
    square = np.einsum("kd,kd->k", centres, centres)
    worst = np.empty(len(centres))
    for low in range(0, len(centres), BLOCK):
        block = slice(low, low + BLOCK)
        distance = square[block, None] + square - 2 * centres[block] @ centres.T
        here = np.arange(len(distance))
        distance[here, here + low] = np.inf
        distance[distance <= 1e-12 * (square[block, None] + square)] = np.inf  # equal centres say nothing
        worst[block] = ((spread[block, None] + spread) / np.sqrt(distance)).max(axis=1)
    return float(worst.mean())


@compiled
def _statistics(X: Any, labels: Any, count: int) -> Any:  # pragma: no cover
    sizes, sums, squares = np.zeros(count, np.int64), np.zeros((count, X.shape[1])), np.zeros(count)
    for n in range(len(labels)):
        c = labels[n]
        if c >= 0:
            sizes[c] += 1
            square = 0.0
            for d in range(X.shape[1]):
                sums[c, d] += X[n, d]
                square += np.float64(X[n, d]) * np.float64(X[n, d])
            squares[c] += square
    return sizes, sums, squares


@compiled
def _spread(X: Any, labels: Any, centres: Any) -> Any:  # pragma: no cover
    total = np.zeros(len(centres))
    for n in range(len(labels)):
        c = labels[n]
        if c >= 0:
            square = 0.0
            for d in range(X.shape[1]):
                gap = X[n, d] - centres[c, d]
                square += gap * gap
            total[c] += np.sqrt(square)
    return total


@compiled
def _mean_silhouette(distance: Any, inside: Any, sampled: Any, sizes: Any) -> float:  # pragma: no cover
    count = len(sampled)
    total, judged = 0.0, 0
    sums = np.empty(count)
    for i in range(len(inside)):
        own = inside[i]
        if own < 0 or (sampled[own] == 1 and sizes[own] > 1):
            continue
        judged += 1
        if sampled[own] == 1:
            continue  # a single row scores 0
        sums[:] = 0.0
        for j in range(len(inside)):
            if inside[j] >= 0:
                sums[inside[j]] += distance[i, j]
        a = sums[own] / (sampled[own] - 1)
        b = np.inf
        for c in range(count):
            if c != own:
                b = min(b, sums[c] / sampled[c])
        total += (b - a) / max(a, b, 1e-300)
    return total / judged if judged else np.nan
