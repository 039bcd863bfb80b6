"""The k nearest neighbours of every row by cosine: one graph that serves every sparse model of a sweep.

- exact, up to ``EXACT_LIMIT`` rows or when asked: blocked GEMM over half of the (symmetric) block pairs, two Python
threads with
  one-thread BLAS each. Threads of BLAS alternating with threads of numba fell to 23 GFLOP/s; this reaches 2 x 70 at
  D = 64.
  Without numba (extra ``study``) faiss searches exactly, in about twice the time.
- ivf and hnsw: faiss, when asked; ``auto`` takes ivf above ``EXACT_LIMIT``.
- exact on a GPU through torch, when asked with ``device="cuda"`` or when ``device="auto"`` finds one.

Memory: rows and result, 4 N (D + 2 k) bytes, per thread 8 N k bytes for its own lists and one block of 4 MiB; ivf
adds a copy of the rows, hnsw a copy and 4 x 2 M bytes per row of links. 416,314 x 64, k = 16: 0.2 GiB in, 0.05 out,
0.1 of lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.base import Vectors
from packed_scenes.data.device import pick_device
from packed_scenes.data.errors import InputError, named
from packed_scenes.data.extras import installed

DENSE_ROWS = 2048  # below, one GEMM and a partial sort beat the compile time of the blocked kernels
EXACT_LIMIT = 150_000  # about 40 s on two cores
BLOCK = 8192  # rows whose similarities a GPU holds at a time
IVF_PROBES = 16  # recall .88 of 16 neighbours at 416,314 rows, labels agree with exact at ARI .993
HNSW_LINKS, HNSW_BUILD, HNSW_SEARCH = 16, 80, 64  # recall .965 there, four times slower than ivf


class Search(StrEnum):
    """How neighbours are found."""

    AUTO = "auto"
    EXACT = "exact"
    IVF = "ivf"
    HNSW = "hnsw"


@dataclass(frozen=True)
class Graph:
    """Neighbours of N rows, the row itself left out.

    Attributes:
        index: (N, k) int32, nearest first; -1 where an approximate search found fewer (always at the end of a row).
        similarity: (N, k) float32 cosine, falling along a row; -2 where ``index`` is -1.
        method: how it was found: ``exact``, ``ivf`` or ``hnsw``.
    """

    index: npt.NDArray[np.int32]
    similarity: npt.NDArray[np.float32]
    method: str

    @property
    def distance(self) -> npt.NDArray[np.float32]:
        """(N, k) float32 cosine distance, clipped to [0, 2]; infinite where there is no neighbour."""
        return np.where(self.index < 0, np.float32(np.inf), np.clip(1 - self.similarity, 0, 2))


def neighbours(
    X: Vectors, k: int, *, search: str = Search.AUTO, threads: int = 2, device: str = "cpu", seed: int = 0
) -> Graph:
    """Find the k nearest rows of each row.

    Args:
        X: (N, D) float32 unit rows, N >= 2.
        k: neighbours per row; lowered to N - 1.
        search: ``"auto"``, ``"exact"``, ``"ivf"`` or ``"hnsw"``.
        threads: Python threads of the exact search on the CPU, and faiss's.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``; a GPU always searches exactly.
        seed: of the clustering inside ivf.

    Raises:
        InputError: for an unknown search, a device that is absent, fewer than two rows or k < 1.
    """
    method = named(Search, search, "neighbour search")
    if len(X) < 2 or k < 1:
        raise InputError(f"neighbours need two rows and k >= 1, got {len(X)} rows and k = {k}")
    k = min(k, len(X) - 1)
    if len(X) <= DENSE_ROWS:
        return _small(X, k)
    chosen = pick_device(device)
    if chosen != "cpu":
        return _torch(X, k, chosen)
    if method is Search.AUTO:
        method = Search.EXACT if len(X) <= EXACT_LIMIT else Search.IVF
    if method is Search.EXACT:
        if not installed("numba"):
            return _faiss(X, k, method, threads, seed)
        from packed_scenes.cluster.knn_exact import exact_neighbours

        index, similarity = exact_neighbours(np.ascontiguousarray(X, np.float32), k, threads=threads)
        return Graph(index, similarity, "exact")
    return _faiss(X, k, method, threads, seed)


def _small(X: Vectors, k: int) -> Graph:
    similarity = X @ X.T
    np.fill_diagonal(similarity, -np.inf)
    # A stable sort of the whole row: equal similarities come in row order, as in a naive search.
    index = np.argsort(-similarity, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Graph(index, np.take_along_axis(similarity, index.astype(np.int64), axis=1), "exact")


def _faiss(X: Vectors, k: int, method: Search, threads: int, seed: int) -> Graph:
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(threads)
    try:
        dim, engine = X.shape[1], None  # type: int, Any
        if method is Search.IVF:
            lists = min(int(4 * np.sqrt(len(X))), len(X) // 39)  # faiss wants 39 rows per list
            engine = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT)
            engine.cp.niter, engine.cp.max_points_per_centroid, engine.cp.seed = 6, 64, seed
            engine.train(X)
            engine.nprobe = IVF_PROBES
        elif method is Search.EXACT:
            engine = faiss.IndexFlatIP(dim)
        else:
            engine = faiss.IndexHNSWFlat(dim, HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
            engine.hnsw.efConstruction, engine.hnsw.efSearch = HNSW_BUILD, max(HNSW_SEARCH, k + 1)
        engine.add(X)
        similarity, index = engine.search(X, k + 1)
    finally:
        faiss.omp_set_num_threads(before)
    index, similarity = drop_self(index, similarity)
    similarity = np.where(index < 0, np.float32(-2), similarity)
    return Graph(index, similarity.astype(np.float32), method.value)


def drop_self(index: npt.NDArray[Any], value: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int32], npt.NDArray[Any]]:
    """Take each row itself out of its list of neighbours.

    Args:
        index: (N, k + 1) rows found for each row, the nearest first.
        value: (N, k + 1) their similarity or distance.

    Returns:
        Both as (N, k).
    """
    own = index == np.arange(len(index))[:, None]
    # Among many equal rows a row need not be in its own list: then the last entry goes instead.
    own[~own.any(axis=1), -1] = True
    shape = len(index), index.shape[1] - 1
    return index[~own].reshape(shape).astype(np.int32), value[~own].reshape(shape)


def _torch(X: Vectors, k: int, device: str) -> Graph:
    import torch

    rows = torch.from_numpy(X).to(device)
    index = np.empty((len(X), k), np.int32)
    similarity = np.empty((len(X), k), np.float32)
    for low in range(0, len(X), BLOCK):
        best: tuple[Any, Any] | None = None
        query = rows[low : low + BLOCK]
        for start in range(0, len(X), 65536):
            scores = query @ rows[start : start + 65536].T
            here = torch.arange(len(query), device=device) + low - start
            inside = (here >= 0) & (here < scores.shape[1])
            scores[inside.nonzero()[:, 0], here[inside]] = -torch.inf
            value, position = scores.topk(min(k, scores.shape[1]), dim=1)
            position = position + start
            if best is not None:
                value, position = torch.cat([best[0], value], 1), torch.cat([best[1], position], 1)
                value, order = value.topk(k, dim=1)
                position = position.gather(1, order)
            best = value, position
        assert best is not None
        similarity[low : low + BLOCK], index[low : low + BLOCK] = best[0].cpu().numpy(), best[1].cpu().numpy()
    return Graph(index, similarity, "exact")
