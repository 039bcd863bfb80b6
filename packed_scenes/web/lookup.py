"""Search within a workbench: the same answers as for a catalogue, from vectors in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.records import Embedding, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.retrieval.hits import Answer, Hit
from packed_scenes.retrieval.search import Searcher
from packed_scenes.web.workbench import Workbench


def searcher(bench: Workbench) -> Searcher:
    """Make the objects of a workbench searchable; ``object_id`` of a hit is its row.

    Raises:
        InputError: if there are no objects.
    """
    if not len(bench.vectors):
        raise InputError("there are no objects to search in", remedy="Add photos first.")
    rows, grouping = np.arange(len(bench.vectors)), bench.grouping
    whose = np.where(grouping.cluster == NOISE, NOISE - 1 - rows, grouping.cluster)
    weights = bench.analysis.weights.get("embedder", "")
    embedding = Embedding(bench.analysis.settings.embedder, weights, grouping.threshold)

    def describe(ids: Sequence[int]) -> dict[int, Hit]:
        found = {}
        for row in map(int, ids):
            x1, y1, x2, y2 = map(float, bench.boxes[row])
            cluster = int(grouping.cluster[row])
            identity = None if cluster == NOISE else cluster
            scene = bench.names[bench.scene_of(row)]
            found[row] = Hit(0, row, scene, (x1, y1, x2, y2), identity, grouping.names.get(cluster))
        return found

    return Searcher(Vectors(rows, whose, bench.vectors, 0), embedding, describe)


def ask(where: Searcher, vector: npt.NDArray[np.float32], *, top: int = 12) -> Answer:
    """Answer one query, a (D,) unit vector."""
    return where.search(vector[None], top=min(top, len(where.index)))[0]
