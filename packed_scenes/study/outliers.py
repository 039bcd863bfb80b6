"""outliers.csv: rows that belong nowhere, ranked, and a sheet of the first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.search.outliers import Outliers, outlier_scores
from packed_scenes.cluster.search.space import Space
from packed_scenes.data.files import write_csv

LISTED = 100_000  # lines of the table at most
SHOWN = 48


def write_outliers(
    X: npt.NDArray[np.float32],
    file: Path,
    *,
    paths: Sequence[Path] | None,
    reconstruction: npt.NDArray[np.float32] | None,
    seed: int = 0,
) -> npt.NDArray[np.int64]:
    """Write the table; return the rows, the strangest first.

    Args:
        X: (N, D) rows of a space.
        file: .csv.
        paths: (N,) crops, or None: then row numbers are written.
        reconstruction: (N,) errors of an autoencoder, or None.
        seed: of the neighbour search.
    """
    found = outlier_scores(Space(X, seed=seed), reconstruction=reconstruction)
    order = np.argsort(-found.score, kind="stable")
    columns = ["rank", "path" if paths else "row", "score", "glosh", "knn_distance", "dbscan_noise"]
    columns += ["reconstruction_error"] * (found.reconstruction is not None)
    lines = (
        [rank, paths[row] if paths else row, *_values(found, row)]
        for rank, row in enumerate(order[:LISTED].tolist(), 1)
    )
    write_csv(file, chain([columns], lines))
    return np.asarray(order)


def _values(found: Outliers, row: int) -> list[str]:
    values = [f"{found.score[row]:.4f}", f"{found.glosh[row]:.4f}", f"{found.knn_distance[row]:.5g}"]
    values.append(str(int(found.dbscan_noise[row])))
    if found.reconstruction is not None:
        values.append(f"{found.reconstruction[row]:.5g}")
    return values
