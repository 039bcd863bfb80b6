"""How fast and how complete a search is, on synthetic vectors in small groups as crops of products are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.errors import InputError
from packed_scenes.retrieval.index import Floats, VectorIndex

GROUP = 7  # vectors per identity on average
APART = 0.18  # mean cosine distance within an identity, about the calibrated cut of the embedder


@dataclass(frozen=True)
class Measured:
    """Seconds to build an index, milliseconds per query (one at a time), shares of the exact results found."""

    kind: str
    device: str
    count: int
    dimension: int
    build_s: float
    mean_ms: float
    p95_ms: float
    top: int
    recall: float
    recall_1: float

    def to_json(self) -> dict[str, Any]:
        """Return the measures as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.kind:5} on {self.device}: {self.count} x {self.dimension}, built in {self.build_s:.1f} s, query "
            f"{self.mean_ms:.2f} ms mean {self.p95_ms:.2f} ms p95, recall@{self.top} {self.recall:.4f}, "
            f"recall@1 {self.recall_1:.4f}"
        )


def measure(
    *,
    count: int,
    dimension: int,
    kinds: Sequence[str],
    queries: int,
    top: int = 10,
    device: str = "auto",
    seed: int = 0,
) -> list[Measured]:
    """Measure each kind of index on the same vectors and queries.

    Memory: the vectors three times.

    Raises:
        InputError: for an unknown kind, or numbers that make no test.
    """
    if min(count, queries, top) < 1 or dimension < 2:
        raise InputError("count, queries and top must be at least 1, dimension at least 2")
    vectors, asked = synthetic(count, dimension, queries, seed=seed)
    exact = VectorIndex(vectors, kind="exact", device=device).search(asked, top)[1]
    measured = []
    for kind in kinds:
        start = time.perf_counter()
        index = VectorIndex(vectors, kind=kind, device=device, seed=seed)
        build = time.perf_counter() - start
        index.search(asked[:1], top)  # the first call starts the threads
        times, found = np.zeros(queries), np.zeros_like(exact)
        for number in range(queries):
            start = time.perf_counter()
            found[number] = index.search(asked[number : number + 1], top)[1][0]
            times[number] = time.perf_counter() - start
        hits = [len(np.intersect1d(a[a >= 0], b)) for a, b in zip(exact, found, strict=True)]
        measured.append(
            Measured(
                str(index.kind), index.device, count, dimension, round(build, 2), round(1e3 * times.mean(), 3),
                round(float(np.percentile(1e3 * times, 95)), 3), top, sum(hits) / int((exact >= 0).sum()),
                float((exact[:, 0] == found[:, 0]).mean()),
            )
        )  # fmt: skip
    return measured


def synthetic(count: int, dimension: int, queries: int, *, seed: int = 0) -> tuple[Floats, Floats]:
    """Make (N, D) unit rows in groups, and (M, D) queries, each one more member of a group that is there."""
    rng = np.random.default_rng(seed)
    step = np.sqrt(APART / (1 - APART) / dimension)  # two members are then APART apart on average
    centres = unit_rows(rng.standard_normal((max(1, count // GROUP), dimension), dtype=np.float32))

    def members(group: Any) -> Floats:
        noise = rng.standard_normal((len(group), dimension), dtype=np.float32)
        return unit_rows(centres[group] + np.float32(step) * noise)

    group = rng.integers(0, len(centres), count)
    return members(group), members(group[rng.integers(0, count, queries)])
