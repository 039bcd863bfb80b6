"""How far apart are two crops of one product, and of two? Thresholds from identities that no training saw.

The unit of all thresholds is the cosine distance 1 - cos, in [0, 2].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError

Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Threshold:
    """A cosine distance with its spread.

    Attributes:
        distance: the threshold on all pairs.
        low, high: 5 % and 95 % quantiles over resampled scenes.
        value: what it reaches there: the error rate, or F.
    """

    distance: float
    low: float
    high: float
    value: float


def pair_distances(
    scenes: Sequence[tuple[Vectors, Labels]],
) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Per scene: distances of the pairs of one identity, and of two.

    Args:
        scenes: (N, D) unit rows and (N,) identities; pairs are formed within a scene only. Memory N x N of the largest.
    """
    out = []
    for vectors, labels in scenes:
        i, j = np.triu_indices(len(labels), 1)
        distance = (1 - vectors @ vectors.T)[i, j].astype(np.float32)
        same = labels[i] == labels[j]
        out.append((distance[same], distance[~same]))
    return out


def equal_error(same: npt.NDArray[np.float32], different: npt.NDArray[np.float32]) -> tuple[float, float]:
    """(distance, rate) where as many same pairs lie above as different pairs below, by share."""
    cuts = np.unique(np.concatenate([same, different]))
    miss = 1 - np.searchsorted(np.sort(same), cuts, "right") / max(len(same), 1)
    alarm = np.searchsorted(np.sort(different), cuts, "right") / max(len(different), 1)
    best = int(np.argmin(np.abs(miss - alarm)))
    return float(cuts[best]), float((miss[best] + alarm[best]) / 2)


def best_pair_f(same: npt.NDArray[np.float32], different: npt.NDArray[np.float32]) -> tuple[float, float]:
    """(distance, F) that maximises the F of "closer than this means same" over the pairs as they are."""
    cuts = np.sort(same)
    true = np.arange(1, len(cuts) + 1)
    false = np.searchsorted(np.sort(different), cuts, "right")
    f = 2 * true / (true + false + len(same))
    best = int(np.argmax(f))
    after = np.searchsorted(np.sort(different), cuts[best], "right")  # half way to the next distance of either kind
    beyond = [a[k] for a, k in ((cuts, best + 1), (np.sort(different), after)) if k < len(a)]
    cut = (cuts[best] + min(beyond)) / 2 if beyond else cuts[best]
    return float(cut), float(f[best])


def linkage_curves(
    scenes: Sequence[tuple[Vectors, Labels]], grid: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Average linkage of every scene at every cut.

    Returns:
        (scenes, cuts) BCubed F, and (scenes, cuts, 3) ordered pairs: right, joined, of one identity.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    bcubed = np.zeros((len(scenes), len(grid)))
    pairs = np.zeros((len(scenes), len(grid), 3), np.int64)
    for number, (vectors, labels) in enumerate(scenes):
        distance = np.clip(1 - vectors.astype(np.float64) @ vectors.T, 0, 2)
        np.fill_diagonal(distance, 0)
        tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average")
        same = labels[:, None] == labels
        n = len(labels)
        for index, cut in enumerate(grid):
            found = fcluster(tree, cut, "distance")
            joined = found[:, None] == found
            hit = (same & joined).sum(1)
            precision, recall = float((hit / joined.sum(1)).mean()), float((hit / same.sum(1)).mean())
            bcubed[number, index] = 2 * precision * recall / (precision + recall)
            pairs[number, index] = hit.sum() - n, joined.sum() - n, same.sum() - n
    return bcubed, pairs


def linkage_cut(
    curves: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]], grid: npt.NDArray[np.float64]
) -> tuple[float, float]:
    """(cut, value): the cut that maximises the mean of BCubed F and pooled pairwise F over the scenes of the curves."""
    bcubed, pairs = curves
    pooled = pairs.sum(0)
    score = (bcubed.mean(0) + 2 * pooled[:, 0] / np.maximum(pooled[:, 1] + pooled[:, 2], 1)) / 2
    near = np.flatnonzero(score >= score.max() - 0.002)  # a plateau: its middle is the stable choice
    return float(grid[near[len(near) // 2]]), float(score.max())


def calibrate(scenes: Sequence[tuple[Vectors, Labels]], *, draws: int = 40, seed: int = 0) -> dict[str, Any]:
    """Thresholds for the card.

    Returns:
        ``threshold`` (the cut for average linkage), ``linkage``, ``equal_error``, ``pairwise_f`` (each a
        :class:`Threshold` as a dict), ``same`` and ``different`` (5, 25, 50, 75, 95 % quantiles of the distances),
        and the number of scenes, identities and pairs behind them.

    Raises:
        InputError: if no scene holds a pair of one identity, or none of two.
    """
    pairs = pair_distances(scenes)
    if not any(len(s) for s, _ in pairs) or not any(len(d) for _, d in pairs):
        raise InputError("calibration needs pairs of one identity and of two", remedy="Give scenes with both.")
    rng = np.random.default_rng(seed)
    picks = [rng.integers(len(scenes), size=len(scenes)) for _ in range(draws)]

    def pooled(rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        return np.concatenate([pairs[r][0] for r in rows]), np.concatenate([pairs[r][1] for r in rows])

    def spread(measure: Any) -> dict[str, float]:
        distance, value = measure(*pooled(np.arange(len(pairs))))
        drawn = [pooled(rows) for rows in picks]
        around = [measure(s, d)[0] for s, d in drawn if len(s) and len(d)]
        low, high = np.quantile(around, [0.05, 0.95])
        return {k: round(v, 4) for k, v in asdict(Threshold(distance, float(low), float(high), value)).items()}

    grid = np.arange(0.04, 0.801, 0.01)
    bcubed, counts = linkage_curves(scenes, grid)
    cut, value = linkage_cut((bcubed, counts), grid)
    around = [linkage_cut((bcubed[rows], counts[rows]), grid)[0] for rows in picks]
    low, high = np.quantile(around, [0.05, 0.95]).tolist()
    same, different = pooled(np.arange(len(pairs)))
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    return {
        "threshold": round(cut, 4),
        "linkage": {
            "distance": round(cut, 4), "low": round(low, 4), "high": round(high, 4),
            "value": round(value, 4),
        },
        "equal_error": spread(equal_error),
        "pairwise_f": spread(best_pair_f),
        "same": np.quantile(same, quantiles).round(4).tolist(),
        "different": np.quantile(different, quantiles).round(4).tolist(),
        "scenes": len(scenes),
        "identities": int(sum(len(np.unique(labels)) for _, labels in scenes)),
        "pairs": [len(same), len(different)],
    }  # fmt: skip
