"""What a user searches for: a crop, boxes in a scene, or a folder of crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.catalogue.records import Embedding
from packed_scenes.data.errors import InputError
from packed_scenes.data.folders import list_images
from packed_scenes.data.images import read_image

if TYPE_CHECKING:
    from packed_scenes.embed import Embedder

Box = tuple[float, float, float, float]
BATCH = 64  # crops decoded at once


@dataclass(frozen=True)
class Query:
    """One thing to find: a picture file, or a box in it (pixels, origin top-left, x2 and y2 exclusive)."""

    path: Path
    box: Box | None = None


def parse_box(text: str) -> Box:
    """Read ``x1,y1,x2,y2``.

    Raises:
        InputError: if it is no box.
    """
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{text!r} is no box", remedy="Write x1,y1,x2,y2 in pixels, such as 120,40,260,310."
        ) from error
    if not (np.isfinite([x1, y1, x2, y2]).all() and x1 < x2 and y1 < y2):
        raise InputError(f"box {text!r} is empty", remedy="Give left, top, right, bottom.")
    return x1, y1, x2, y2


def read_queries(path: str | Path, boxes: Sequence[Box] = ()) -> list[Query]:
    """List the queries of a picture, of boxes in a picture, or of a folder (each picture a crop).

    Raises:
        InputError: if there is no such file, no picture in the folder, or boxes for a folder.
    """
    path = Path(path)
    if boxes and path.is_dir():
        raise InputError("boxes need one picture, this is a folder", file=path, remedy="Name the picture.")
    files = list_images([path])
    return [Query(files[0], box) for box in boxes] if boxes else [Query(file) for file in files]


def load_embedder(embedding: Embedding, *, device: str = "auto") -> Embedder:
    """Load the embedder whose vectors are to be searched.

    Raises:
        InputError: if it is not there, or its weights have changed since: vectors could not be compared.
    """
    from packed_scenes.embed import Embedder

    embedder = Embedder.load(embedding.name, device=device)
    if embedder.weights_hash != embedding.weights:
        raise InputError(
            f"embedder {embedding.name!r} has other weights ({embedder.weights_hash[:12]}) than the vectors to be "
            f"searched ({embedding.weights[:12]})",
            remedy="Give it the same weights file again, or analyse the photos anew.",
        )
    return embedder


def embed_queries(
    queries: Sequence[Query], embedder: Embedder
) -> tuple[list[Query], npt.NDArray[np.float32], list[tuple[str, str]]]:
    """Embed the queries.

    Args:
        queries: of :func:`read_queries`.
        embedder: the same as of the vectors to be searched.

    Returns:
        The queries that could be read, their (M, D) unit rows, and (file, reason) of those that could not.

    Raises:
        InputError: if the only query cannot be read, or a box lies outside its picture.
    """
    if queries and queries[0].box is not None:
        image = read_image(queries[0].path)
        return list(queries), embedder.embed(image, np.array([q.box for q in queries], np.float64)), []
    good: list[Query] = []
    errors: list[tuple[str, str]] = []
    parts = [np.zeros((0, embedder.dimension), np.float32)]
    for low in range(0, len(queries), BATCH):
        crops = []
        for query in queries[low : low + BATCH]:
            try:
                crops.append(read_image(query.path))
                good.append(query)
            except InputError as error:  # one bad picture never stops a folder
                if len(queries) == 1:
                    raise
                errors.append((str(query.path), str(error)))
        parts.append(embedder.embed_crops(crops))
    return good, np.concatenate(parts), errors
