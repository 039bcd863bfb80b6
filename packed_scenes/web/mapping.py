"""Vectors as points of a map: near means alike."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError


class Projection(StrEnum):
    """How vectors are brought into two or three dimensions."""

    PCA = "pca"
    UMAP = "umap"


def project_vectors(
    vectors: npt.NDArray[np.float32], *, dimensions: int = 2, how: Projection | str = Projection.PCA, seed: int = 0
) -> npt.NDArray[np.float32]:
    """Bring (N, D) vectors into 2 or 3 dimensions, scaled into [-1, 1].

    Raises:
        InputError: if UMAP is asked for fewer than 5 vectors.
    """
    if how not in list(Projection):
        raise InputError(f"the map is made by pca or umap, not {how!r}")
    how = Projection(how)
    if how is Projection.UMAP:
        flat = _umap(vectors, dimensions, seed)
    else:
        flat = np.zeros((len(vectors), dimensions))
        if len(vectors):
            centred = vectors - vectors.mean(axis=0, dtype=np.float64)
            _, _, axes = np.linalg.svd(centred, full_matrices=False)
            found = centred @ axes[:dimensions].T
            flat[:, : found.shape[1]] = found
    if len(flat):
        flat = flat - (flat.max(axis=0) + flat.min(axis=0)) / 2
        flat = flat / max(float(np.abs(flat).max()), 1e-9)
    return flat.astype(np.float32)


def _umap(vectors: npt.NDArray[np.float32], dimensions: int, seed: int) -> npt.NDArray[np.float64]:
    if len(vectors) < 5:
        raise InputError("UMAP needs at least 5 objects", remedy="Use PCA.")
    try:
        from umap import UMAP
    except RuntimeError as error:  # of numba
        raise InputError("no folder for compiled code can be written", remedy="Set NUMBA_CACHE_DIR.") from error

    made = UMAP(
        n_components=dimensions,
        metric="cosine",
        n_neighbors=min(15, len(vectors) - 1),
        random_state=seed,
        init="spectral" if len(vectors) > dimensions + 2 else "random",
        n_jobs=1,
    )
    return np.asarray(made.fit_transform(vectors), np.float64)
