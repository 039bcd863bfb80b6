"""Copies in a folder of crops: byte-identical files, and crops whose embeddings and thumbnails agree within noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BLOCK = 1024  # rows of similarities held at a time
COPY_DISTANCE = 0.004
COPY_PIXELS = 3.0  # root mean square of thumbnails, grey levels

Vectors = npt.NDArray[np.float32]


def find_copies(
    vectors: Vectors, *, digests: Sequence[str] | None = None, thumbnails: npt.NDArray[np.uint8] | None = None
) -> list[list[int]]:
    """Groups of two and more copies, by content hash and by embedding plus thumbnail; each group sorted."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(vectors)
    left: list[npt.NDArray[np.int64]] = []
    right: list[npt.NDArray[np.int64]] = []
    if digests is not None:
        order = np.argsort(np.asarray(digests), kind="stable")
        same = np.asarray(digests)[order][1:] == np.asarray(digests)[order][:-1]
        left.append(order[:-1][same])
        right.append(order[1:][same])
    if thumbnails is not None:
        for start in range(0, count, BLOCK):
            close = vectors[start : start + BLOCK] @ vectors[start:].T > 1 - COPY_DISTANCE
            i, j = np.nonzero(np.triu(close, 1))
            i, j = i + start, j + start
            step = 4096
            for part in range(0, len(i), step):
                a, b = i[part : part + step], j[part : part + step]
                gap = thumbnails[a].astype(np.float32) - thumbnails[b]
                near = np.sqrt((gap**2).mean((1, 2, 3))) < COPY_PIXELS
                left.append(a[near])
                right.append(b[near])
    if not left:
        return []
    i, j = np.concatenate(left), np.concatenate(right)
    _, group = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(count, count)), directed=False)
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    return sorted(sorted(map(int, part)) for part in parts if len(part) > 1)
