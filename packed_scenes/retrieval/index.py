"""Nearest vectors by inner product: exact by default, inverted lists above a stated size, a GPU if there is one.

Measured on 416,314 x 128 unit vectors and 2 cores (``scripts/bench.py search``; one query at a time, top 10):

=================================  =======  ========  ==========
index                              build    p95       recall
=================================  =======  ========  ==========
exact, product and partition       0        15 ms     1
IVF, 160,000 vectors compared      6 s      4.3 ms    .967
HNSW 16, ef 128                    85 s     0.3 ms    .905
=================================  =======  ========  ==========

The exact search is NumPy's: faiss's flat index takes 2 to 3 times as long, for one query (its product runs on one
thread) as for 64 at a time.

The recall is over the whole top 10, of which six or seven are true partners here and the rest unrelated, which have no
structure that an index could use; the first result was always right with IVF. IVF compares a fixed number of vectors,
so its time does not grow with the collection.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.device import pick_device
from packed_scenes.data.errors import InputError, named

EXACT_LIMIT = 250_000  # vectors: above, one exact query takes over 10 ms on 2 cores
SCAN = 160_000  # vectors that one IVF query compares
BUILD_PAYS = 300  # queries: fewer cost less time exactly than the IVF lists cost to make
TRAIN_PER_LIST = 40
BLOCK = 1 << 28  # bytes of similarities at a time

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Kind(StrEnum):
    """How to search."""

    AUTO = "auto"
    EXACT = "exact"
    IVF = "ivf"
    HNSW = "hnsw"


class VectorIndex:
    """N unit vectors to search by cosine similarity.

    Args:
        vectors: (N, D) float32 unit rows; kept, not copied, by the exact search on a CPU, else copied once.
        kind: ``exact``, ``ivf``, ``hnsw`` or ``auto``: exact up to :data:`EXACT_LIMIT` vectors or on a GPU, else IVF.
        device: ``auto`` (a GPU if this process already uses one), ``cpu`` or ``cuda``; on a GPU the search is exact.
        queries: how many will be asked, if known: for few, ``auto`` stays exact.
        seed: of the lists of IVF.

    Attributes:
        kind: what is used.
        device: ``cpu`` or ``cuda``.

    Memory: N x D float32; the exact search another 256 MiB (on a GPU 1 GiB) or one row of similarities, HNSW N x 140
    bytes.

    Raises:
        InputError: if the vectors have no two dimensions, or the kind or device is unknown or absent.
    """

    def __init__(
        self,
        vectors: Floats,
        *,
        kind: Kind | str = Kind.AUTO,
        device: str = "auto",
        queries: int | None = None,
        seed: int = 0,
    ) -> None:
        if vectors.ndim != 2:
            raise InputError(f"vectors must have shape (N, D), got {vectors.shape}")
        self._vectors = np.ascontiguousarray(vectors, np.float32)
        self.device = _device(device)
        self.kind = self._choose(named(Kind, kind, "index"), queries)
        self._torch: Any = None
        self._index: Any = None
        if not vectors.size:
            return
        if self.device != "cpu" and self.kind is Kind.EXACT:
            import torch

            self._torch = torch.from_numpy(self._vectors).to(self.device)
        elif self.kind is not Kind.EXACT:
            self._index = {Kind.IVF: self._ivf, Kind.HNSW: self._hnsw}[self.kind](seed)

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, queries: Floats, top: int = 10) -> tuple[Floats, Ints]:
        """Find the nearest vectors.

        Args:
            queries: (M, D) unit rows.
            top: how many each.

        Returns:
            (M, top) cosine similarities, best first, and (M, top) rows; -1 (with similarity -1) where there are fewer.

        Raises:
            InputError: if the queries have another D, or ``top`` is under 1.
        """
        if top < 1:
            raise InputError(f"top must be at least 1, got {top}")
        if queries.ndim != 2 or (len(self) and queries.shape[1] != self._vectors.shape[1]):
            raise InputError(f"queries must have shape (M, {self._vectors.shape[1]}), got {queries.shape}")
        similarity = np.full((len(queries), top), -1, np.float32)
        rows = np.full((len(queries), top), -1, np.int64)
        found = min(top, len(self))
        if found and len(queries):
            wanted = np.ascontiguousarray(queries, np.float32)
            if self._torch is not None:
                similarity[:, :found], rows[:, :found] = self._on_gpu(wanted, found)
            elif self._index is None:
                similarity[:, :found], rows[:, :found] = self._by_product(wanted, found)
            else:
                similarity[:, :found], rows[:, :found] = self._index.search(wanted, found)
                similarity[rows < 0] = -1
        return similarity, rows

    def recall(self, queries: Floats, top: int = 10) -> float:
        """Return the share of the exact top results that this index finds, over the queries."""
        exact = VectorIndex(self._vectors, kind=Kind.EXACT, device=self.device).search(queries, top)[1]
        found = self.search(queries, top)[1]
        both = [len(np.intersect1d(a[a >= 0], b[b >= 0])) for a, b in zip(exact, found, strict=True)]
        return float(sum(both) / max(int((exact >= 0).sum()), 1))

    def _choose(self, kind: Kind, queries: int | None) -> Kind:
        if kind is not Kind.AUTO:
            # Lists need some vectors each; a small collection is searched exhaustively in no time.
            return Kind.EXACT if len(self._vectors) < 1000 else kind
        few = queries is not None and queries < BUILD_PAYS
        return Kind.EXACT if len(self._vectors) <= EXACT_LIMIT or self.device != "cpu" or few else Kind.IVF

    def _by_product(self, queries: Floats, top: int) -> tuple[Floats, Ints]:
        step = max(1, BLOCK // (4 * len(self)))
        parts = [_largest(queries[low : low + step] @ self._vectors.T, top) for low in range(0, len(queries), step)]
        values, rows = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        return values, rows

    def _ivf(self, seed: int) -> Any:
        import faiss

        count, width = self._vectors.shape
        lists = max(1, min(round(1.6 * count**0.5), count // TRAIN_PER_LIST))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.seed, index.cp.max_points_per_centroid = 10, seed + 1, TRAIN_PER_LIST
        sample = np.random.default_rng(seed).permutation(count)[: lists * TRAIN_PER_LIST]
        index.train(self._vectors[np.sort(sample)])
        index.add(self._vectors)
        index.nprobe = max(1, min(lists, round(lists * SCAN / count)))
        return index

    def _hnsw(self, _seed: int) -> Any:
        import faiss

        index = faiss.IndexHNSWFlat(self._vectors.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction, index.hnsw.efSearch = 64, 128
        index.add(self._vectors)
        return index

    def _on_gpu(self, queries: Floats, top: int) -> tuple[Floats, Ints]:
        import torch

        step = max(1, BLOCK // len(self))  # four times as many as on a CPU
        parts = [
            torch.topk(torch.from_numpy(queries[low : low + step]).to(self.device) @ self._torch.T, top)
            for low in range(0, len(queries), step)
        ]
        values, rows = (torch.cat([p[i] for p in parts]).cpu().numpy() for i in (0, 1))
        return values, rows


def _largest(similarity: Floats, top: int) -> tuple[Floats, Ints]:
    """Return the ``top`` largest of each row, best first, equal ones in the order of their columns."""
    rows = np.sort(np.argpartition(similarity, similarity.shape[1] - top, axis=1)[:, -top:], axis=1)
    values = np.take_along_axis(similarity, rows, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(rows, order, axis=1)


def _device(device: str) -> str:
    """Find the device; ``auto`` does not load torch just to ask (2 s), the embedder has loaded it where one is used."""
    import sys

    return "cpu" if device == "auto" and "torch" not in sys.modules else pick_device(device)
