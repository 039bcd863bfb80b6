"""The two loops over lists of lists, compiled, for more rows than ``lists.DENSE``: N k² steps without an N x N matrix.

Both do what :func:`lists.common` and :func:`features._ranks` do with arrays for fewer rows, where compiling or loading
what was compiled would take longer than the work, or where numba is not installed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.compiled import compiled

THREADS = 2
FAR = 12.0  # widths beyond which a soft step is 0 or 1

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def common(index: Ints, weight: Floats) -> Floats:
    """See :func:`packed_scenes.cluster.decision.lists.common`. Memory: N float32 per thread."""
    out = np.empty(index.shape, np.float32)
    _in_parts(len(index), lambda low, high: _common(index, weight, out, low, high))
    return out


def ranks(log: Floats, index: Ints, width: float) -> tuple[Floats, Floats]:
    """(N, k) soft numbers of rows that are nearer to the one, and to the other, than the two are to each other.

    Args:
        log: (N, k) logarithms of the distances along the lists, rising. index: (N, k) lists.
        width: within which a rank is undecided.
    """
    own, theirs = np.empty_like(log), np.empty_like(log)
    _in_parts(len(index), lambda low, high: _ranks(log, index, np.float32(width), own, theirs, low, high))
    return own, theirs


def _in_parts(count: int, work: Any) -> None:
    bounds = np.linspace(0, count, THREADS + 1).astype(int)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


@compiled
def _common(index: Any, weight: Any, out: Any, low: Any, high: Any) -> None:  # pragma: no cover
    count, k = index.shape
    known = np.zeros(count, np.float32)
    for i in range(low, high):
        known[i] = 1
        for m in range(k):
            known[index[i, m]] = weight[i, m]
        for j in range(k):
            other = index[i, j]
            total = known[other]
            for m in range(k):
                total += known[index[other, m]] * weight[other, m]
            out[i, j] = total
        for m in range(k):
            known[index[i, m]] = 0
        known[i] = 0


@compiled
def _ranks(log: Any, index: Any, width: Any, own: Any, theirs: Any, low: Any, high: Any) -> None:  # pragma: no cover
    k = log.shape[1]
    for i in range(low, high):
        for j in range(k):
            here = log[i, j]
            other = index[i, j]
            for side in range(2):
                row = i if side == 0 else other
                total = np.float32(0)
                for m in range(k):
                    away = (here - log[row, m]) / width
                    if away > FAR:
                        total += np.float32(1)
                    elif away < -FAR:
                        break
                    else:
                        total += np.float32(1) / (np.float32(1) + np.exp(-away))
                if side == 0:
                    own[i, j] = total
                else:
                    theirs[i, j] = total
