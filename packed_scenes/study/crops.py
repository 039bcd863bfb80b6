"""What a study shows of a cluster's crops: one cluster large, and how typical each crop is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.crops import crop_grid
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import write_image

SHOWN = 120  # crops of a cluster that is shown large


def show_cluster(paths: Sequence[Path], labels: Labels, cluster: int, out: Path) -> Path:
    """Write a sheet of up to ``SHOWN`` crops of one cluster, evenly thinned; return the file.

    Raises:
        InputError: if there is no such cluster.
    """
    members = np.flatnonzero(labels == cluster)
    if not len(members):
        raise InputError(f"there is no cluster {cluster}", remedy=f"There are 0 to {labels.max()}, and -1 is noise.")
    if len(members) > SHOWN:
        members = members[np.linspace(0, len(members) - 1, SHOWN).round().astype(np.int64)]
    file = out / f"cluster-{'noise' if cluster < 0 else cluster}.jpg"
    write_image(file, crop_grid([paths[int(row)] for row in members]))
    return file


def strengths(X: npt.NDArray[np.floating], labels: Labels) -> npt.NDArray[np.float64]:
    """How typical each of (N, D) rows is of its cluster: 1 for the nearest to the centre, down to 0; noise 0.5."""
    from packed_scenes.cluster.labels import cluster_sums

    out = np.full(len(labels), 0.5)
    kept = np.flatnonzero(labels >= 0)
    if not len(kept):
        return out
    sums, sizes = cluster_sums(np.asarray(X, np.float32), labels)
    centres = sums / sizes[:, None]
    distance = np.zeros(len(kept))
    for low in range(0, len(kept), 65536):
        rows = kept[low : low + 65536]
        distance[low : low + 65536] = np.linalg.norm(np.asarray(X[rows], np.float64) - centres[labels[rows]], axis=1)
    order = np.lexsort((distance, labels[kept]))
    rank = np.empty(len(kept))
    begin = np.concatenate([[0], np.cumsum(sizes)])[labels[kept[order]]]
    rank[order] = (np.arange(len(kept)) - begin) / np.maximum(sizes[labels[kept[order]]] - 1, 1)
    out[kept] = 1 - rank
    return out
