"""KMeans for a range of k: each start from the solution before with its worst cluster split.

The path is walked on a sample until it stands still, then a few rounds over all rows finish it: a round is one
float32 GEMM per block of rows and one compiled pass. Memory: blocks of 4 MiB beside the rows and (N,) labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled

BLOCK = 8192
SAMPLE = 40_000
SAMPLE_ROUNDS, ROUNDS = 60, 25
TOLERANCE = 2e-4  # share of inertia that a round must win to go on

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Assigned:
    """Rows assigned to their nearest centres.

    Attributes:
        labels: (N,) int32.
        sums: (K, D) float64 vector sums.
        counts: (K,) int64.
        spread: (K,) float64 sums of squared distances to the centre assigned to.
    """

    labels: npt.NDArray[np.int32]
    sums: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    spread: npt.NDArray[np.float64]

    @property
    def inertia(self) -> float:
        """Sum of squared distances to the centres."""
        return float(self.spread.sum())


def assign(X: Rows, centres: Rows) -> Assigned:
    """Assign (N, D) rows to the nearest of (K, D) centres; equal distances go to the first."""
    k = len(centres)
    labels = np.empty(len(X), np.int32)
    sums, counts, spread = np.zeros((k, X.shape[1])), np.zeros(k, np.int64), np.zeros(k)
    half = (0.5 * np.einsum("kd,kd->k", centres, centres)).astype(np.float32)
    across = np.ascontiguousarray(centres.T)
    for low in range(0, len(X), BLOCK):
        rows = X[low : low + BLOCK]
        _nearest(rows, rows @ across, half, labels[low : low + BLOCK], sums, counts, spread)
    return Assigned(labels, sums, counts, spread)


def lloyd(X: Rows, centres: Rows, *, rounds: int = ROUNDS) -> tuple[Rows, Assigned]:
    """Run Lloyd's rounds until inertia stands still; an empty centre is put into the widest cluster."""
    found = assign(X, centres)
    for _ in range(rounds):
        before = found.inertia
        centres = _means(X, found, centres)
        found = assign(X, centres)
        if found.inertia > before * (1 - TOLERANCE) and (found.counts > 0).all():
            break
    return centres, found


class Path:
    """Solutions for k = 1, 2, 3, …, made as they are asked for.

    Args:
        X: (N, D) float32 rows.
        seed: of the sample and of the splits.
    """

    def __init__(self, X: Rows, *, seed: int = 0) -> None:
        self._X = X
        rng = np.random.default_rng(seed)
        self._sample = X if len(X) <= SAMPLE else X[np.sort(rng.choice(len(X), SAMPLE, replace=False))]
        self._seed = seed
        self._centres: list[Rows] = [self._sample.mean(axis=0, keepdims=True)]

    def fit(self, k: int) -> tuple[npt.NDArray[np.int32], float]:
        """Return (N,) labels and the inertia for k clusters (fewer where there are fewer distinct rows)."""
        while len(self._centres) < k:
            self._centres.append(self._split(self._centres[-1]))
        _, found = lloyd(self._X, self._centres[k - 1])
        return found.labels, found.inertia

    def _split(self, centres: Rows) -> Rows:
        """Split each of the widest clusters in turn and keep the solution of least inertia."""
        found = assign(self._sample, centres)
        best, chosen = np.inf, centres
        for cluster in np.argsort(-found.spread, kind="stable")[:3].tolist():
            members = self._sample[found.labels == cluster]
            if len(members) < 2:
                continue
            pair = _halves(members, np.random.default_rng([self._seed, len(centres), cluster]))
            start = np.concatenate([np.delete(centres, cluster, axis=0), pair])
            moved, result = lloyd(self._sample, start, rounds=SAMPLE_ROUNDS)
            if result.inertia < best:
                best, chosen = result.inertia, moved
        return chosen if len(chosen) > len(centres) else np.concatenate([centres, centres[-1:]])


def _halves(members: Rows, rng: np.random.Generator) -> Rows:
    """Two centres for a cluster: its mean moved by one standard deviation both ways along its first axis."""
    mean = members.mean(axis=0)
    some = members[rng.permutation(len(members))[:2000]] - mean
    _, scale, axes = np.linalg.svd(some.astype(np.float64), full_matrices=False)
    step = (scale[0] / np.sqrt(len(some)) * axes[0]).astype(np.float32)
    # The sign of a singular vector is free: fix it, so that every machine goes the same way.
    step *= np.sign(step[np.abs(step).argmax()]) or 1
    return np.stack([mean - step, mean + step])


def micro_clusters(X: Rows, count: int, *, seed: int = 0) -> tuple[Rows, npt.NDArray[np.int32]]:
    """Return at most ``count`` centres that stand for the rows, and each row's centre; a few rounds suffice."""
    rng = np.random.default_rng([seed, count])
    sample = X if len(X) <= SAMPLE else X[np.sort(rng.choice(len(X), SAMPLE, replace=False))]
    start = sample[np.sort(rng.choice(len(sample), min(count, len(sample)), replace=False))]
    centres, _ = lloyd(sample, start, rounds=10)
    centres, found = lloyd(X, centres, rounds=1)
    kept = np.flatnonzero(found.counts)
    place = np.full(len(centres), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    means = (found.sums[kept] / found.counts[kept, None]).astype(np.float32)
    return means, place[found.labels]


def _means(X: Rows, found: Assigned, centres: Rows) -> Rows:
    counts = found.counts
    means: Rows = (found.sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        widest = int(found.spread.argmax())
        far = np.flatnonzero(found.labels == widest)
        gap = X[far] - centres[widest]
        order = np.argsort(-np.einsum("nd,nd->n", gap, gap), kind="stable")
        taken = far[order[np.arange(len(empty)) % len(order)]]
        means[empty] = X[taken]
    return means


@compiled
def _nearest(rows: Any, product: Any, half: Any, labels: Any, sums: Any, counts: Any, spread: Any) -> None:
    # pragma: no cover
    count, dim = rows.shape
    for n in range(count):
        best = np.float32(np.inf)
        chosen = 0
        for c in range(len(half)):
            value = half[c] - product[n, c]
            if value < best:
                best = value
                chosen = c
        labels[n] = chosen
        counts[chosen] += 1
        square = 0.0
        for d in range(dim):
            sums[chosen, d] += rows[n, d]
            square += rows[n, d] * rows[n, d]
        spread[chosen] += max(square + 2.0 * best, 0.0)
