"""The objects of a run folder as something to search."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from packed_scenes.catalogue.records import Embedding, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.retrieval.hits import Hit


def load_run(folder: Path) -> tuple[Vectors, Embedding, Callable[[int], Hit]]:
    """Read vectors, embedder and objects of a run folder.

    Returns:
        Vectors (``object_id`` is the row; every noise row an identity of its own, below -1), the embedder, and what
        describes a row.

    Raises:
        InputError: if it is no run folder, or it holds no object.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(folder / "objects.parquet")
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        flat = table["embedding"].combine_chunks()
        vectors = np.asarray(flat.flatten(), np.float32).reshape(len(table), -1)
        cluster = table["cluster"].to_numpy()
        boxes = np.stack([table[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], 1)
        scenes = table["scene"].to_pylist()
        embedding = Embedding(
            str(record["settings"]["embedder"]),
            str(record["weights_sha256"].get("embedder", "")),
            record["clustering"].get("threshold"),
        )
    except FileNotFoundError as error:
        raise InputError(
            "no run here", file=folder, remedy="Make one: packed-scenes analyze PHOTOS --out DIR."
        ) from error
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"the run folder cannot be read ({error})", file=folder, remedy="Make it again.") from error
    if not len(table):
        raise InputError("the run found no object", file=folder, remedy="Choose another run.")
    rows = np.arange(len(table))
    identity = np.where(cluster == NOISE, NOISE - 1 - rows, cluster)

    def hit(row: int) -> Hit:
        x1, y1, x2, y2 = boxes[row].tolist()
        whose = int(cluster[row])
        return Hit(0, row, scenes[row], (x1, y1, x2, y2), None if whose == NOISE else whose)

    return Vectors(rows, identity, vectors, 0), embedding, hit
