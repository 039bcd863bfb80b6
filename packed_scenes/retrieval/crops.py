"""The crops of a count as something to search."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from packed_scenes.catalogue.records import Embedding, Vectors
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import read_image
from packed_scenes.data.tables import read_table
from packed_scenes.data.text import load_json
from packed_scenes.retrieval.hits import Hit

NO_WEIGHTS = hashlib.sha256().hexdigest()  # what a count records of an embedder that has none


def load_count(folder: Path, *, device: str = "auto") -> tuple[Vectors, Embedding, Callable[[int], Hit]]:
    """Read the run folder of ``count``; crops that its cache does not hold are described again.

    Returns:
        As :func:`packed_scenes.retrieval.run.load_run`: rows are crops in the order of ``cluster_labels.csv``.

    Raises:
        InputError: if a file of it cannot be read, or none of its crops is there any more.
    """
    from packed_scenes.embed.descriptors import extract

    table = read_table(folder / "cluster_labels.csv", "file", "cluster", what="run folder of a count")
    try:
        record = load_json((folder / "run.json").read_text("utf-8"))
        root, name = Path(record["folder"]), str(record["options"]["embedder"])
        weights = str(record["embedder"]["weights"])
        weights = "" if weights == NO_WEIGHTS else weights
        embedding = Embedding(name, weights, float(record["labels_threshold"]))
        whose = {root / row["file"]: int(row["cluster"]) for _, row in table.records()}
    except FileNotFoundError as error:
        raise InputError("a count that did not end", file=folder, remedy="Run the same command again.") from error
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"the run folder cannot be read ({error})", file=folder, remedy="Count again.") from error
    found = extract(list(whose), name, cache=folder / "cache", device=device)
    identity = np.array([whose[path] for path in found.paths], np.int64)

    def hit(row: int) -> Hit:
        path = found.paths[row]
        height, width = read_image(path).shape[:2]
        return Hit(
            0, row, path.relative_to(root).as_posix(), (0.0, 0.0, float(width), float(height)), int(identity[row])
        )

    return Vectors(np.arange(len(identity)), identity, np.asarray(found.matrix, np.float32), 0), embedding, hit
