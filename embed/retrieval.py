"""Retrieval figures: is the nearest gallery crop of the same identity?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError

BLOCK = 4096


def nearest(queries: npt.NDArray[np.float32], gallery: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Row of the gallery's nearest vector for each query, by cosine. Memory: 4096 x len(gallery) float32 at a time."""
    parts = [(queries[i : i + BLOCK] @ gallery.T).argmax(1) for i in range(0, len(queries), BLOCK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def recall_at_1(
    queries: npt.NDArray[np.float32],
    query_label: npt.NDArray[np.int64],
    gallery: npt.NDArray[np.float32],
    gallery_label: npt.NDArray[np.int64],
) -> float:
    """Share of the queries that have a partner in the gallery whose nearest gallery vector is of their identity.

    Raises:
        InputError: if no query has a partner in the gallery.
    """
    possible = np.isin(query_label, gallery_label)
    if not possible.any():
        raise InputError("no query has its identity in the gallery")
    found = gallery_label[nearest(queries[possible], gallery)]
    return float((found == query_label[possible]).mean())
