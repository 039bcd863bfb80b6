"""The simple routes, for comparison: KMeans with an elbow over an autoencoder's latents, DBSCAN with eps from pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.naming import rows_of
from packed_scenes.data.tables import read_table

GRID = 14
EPS_QUANTILE = 0.9  # share of the similar pairs that eps joins directly
ROWS = 8000  # KMeans is fitted on so many rows: the elbow needs no more

Matrix = npt.NDArray[np.float32]


def elbow(X: Matrix, *, seed: int = 0) -> dict[str, Any]:
    """Choose K by the elbow of KMeans' inertia over a geometric grid of K (2 … N / 2).

    The elbow is the point farthest below the chord of the curve (both axes scaled to [0, 1], K by its logarithm;
    Satopää et al. 2011, "Finding a kneedle in a haystack"). Above ``ROWS`` rows a random part is clustered.

    Returns:
        ``count``, and the curve as ``k`` and ``inertia``.
    """
    from sklearn.cluster import MiniBatchKMeans

    from packed_scenes.cluster.search.knee_detection import elbow_index

    rng = np.random.default_rng(seed)
    part = np.asarray(X) if len(X) <= ROWS else np.asarray(X[np.sort(rng.choice(len(X), ROWS, replace=False))])
    top = min(len(part) // 2, len(part) - 1)
    grid = np.unique(np.geomspace(2, max(2, top), GRID).round().astype(int))
    inertia = [
        float(MiniBatchKMeans(int(k), n_init=1, random_state=seed, batch_size=2048, max_iter=30).fit(part).inertia_)
        for k in grid
    ]
    at = elbow_index(np.log(grid), np.array(inertia)) or 0
    return {"count": int(grid[at]), "k": grid.tolist(), "inertia": [round(v, 4) for v in inertia]}


def read_similar(file: Path, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Read (M, 2) rows of pairs that a user calls similar: a CSV ``first,second`` of file names; answers that say
    ``different`` or ``unsure`` are left out, so that an answers file serves, too.

    Raises:
        InputError: if it holds no pair of crops of the folder.
    """
    table = read_table(file, "first", "second", what="pairs", remedy="Columns: first,second.")
    lines = [line for _, line in table.records() if line.get("answer", "same").lower() in ("same", "")]
    row_of = rows_of([line[side] for line in lines for side in ("first", "second")], names)
    pairs = [(row_of[a["first"]], row_of[a["second"]]) for a in lines if a["first"] in row_of and a["second"] in row_of]
    if not pairs:
        raise InputError("holds no pair of crops of this folder", file=file, remedy="Write paths relative to it.")
    return np.array(pairs, np.int64)


def dbscan_from_pairs(X: Matrix, pairs: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Count by DBSCAN (two rows make a cluster; noise rows count as one each) with eps from similar pairs.

    eps is the ``EPS_QUANTILE`` of the pairs' cosine distances.

    Returns:
        ``count``, ``clusters``, ``noise`` and ``eps``.
    """
    from packed_scenes.cluster import DBSCAN

    distance = 1 - np.einsum("pd,pd->p", X[pairs[:, 0]], X[pairs[:, 1]])
    eps = float(np.clip(np.quantile(distance, EPS_QUANTILE), 1e-4, 2))
    model = DBSCAN(eps, min_samples=2).fit(X)
    noise = int((model.labels_ < 0).sum())
    return {"count": model.n_clusters_ + noise, "clusters": model.n_clusters_, "noise": noise, "eps": round(eps, 4)}


def simple_routes(
    found_paths: Sequence[Path], X: Matrix, *, cache: Path, seed: int, pairs: npt.NDArray[np.int64] | None,
    autoencoder: bool, device: str = "auto",
) -> dict[str, Any]:  # fmt: skip
    """Run the routes that were asked for.

    Args:
        found_paths: the crops. X: their vectors.
        cache: folder of descriptors, where the autoencoder is kept, too.
        seed: of everything.
        pairs: similar pairs for DBSCAN, or None.
        autoencoder: train one on the crops (minutes) and take the elbow over its latents.
        device: of the training.
    """
    out: dict[str, Any] = {}
    if pairs is not None:
        out["dbscan_from_similar_pairs"] = dbscan_from_pairs(X, pairs)
    if autoencoder:
        from packed_scenes.embed.descriptors import extract

        latent = extract(list(found_paths), "autoencoder", cache=cache, device=device, seed=seed)
        out["autoencoder_kmeans_elbow"] = elbow(latent.matrix, seed=seed)
    return out
