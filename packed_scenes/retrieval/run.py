"""The objects of a run folder as something to search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from packed_scenes.catalogue.records import Embedding, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.data.objects import NOISE
from packed_scenes.data.text import load_json
from packed_scenes.objects_table import read_objects
from packed_scenes.retrieval.hits import Hit


def load_run(folder: Path) -> tuple[Vectors, Embedding, Callable[[int], Hit]]:
    """Read vectors, embedder and objects of a run folder.

    Returns:
        Vectors (``object_id`` is the row; every noise row an identity of its own, below -1), the embedder, and what
        describes a row.

    Raises:
        InputError: if it is no run folder, or it holds no object.
    """
    try:
        scenes, _, objects = read_objects(folder)
        record = load_json((folder / "run.json").read_text(encoding="utf-8"))
        embedding = Embedding(
            str(record["settings"]["embedder"]),
            str(record["weights_sha256"].get("embedder", "")),
            record["clustering"].get("threshold"),
        )
        names = {int(number): str(name) for number, name in (record.get("names") or {}).items()}
    except FileNotFoundError as error:
        raise InputError(
            "no run here", file=folder, remedy="Make one: packed-scenes analyze PHOTOS --out DIR."
        ) from error
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"the run folder cannot be read ({error})", file=folder, remedy="Make it again.") from error
    if not len(objects) or objects.cluster is None or objects.embedding is None:
        raise InputError("the run found no object", file=folder, remedy="Choose another run.")
    rows, cluster = np.arange(len(objects)), objects.cluster
    identity = np.where(cluster == NOISE, NOISE - 1 - rows, cluster)

    def hit(row: int) -> Hit:
        x1, y1, x2, y2 = objects.xyxy[row].tolist()
        whose = int(cluster[row])
        return Hit(0, row, str(scenes[row]), (x1, y1, x2, y2), None if whose == NOISE else whose, names.get(whose))

    return Vectors(rows, identity, objects.embedding, 0), embedding, hit
