"""Pairs of crops with maps of what makes them alike: by covering patches, and by the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError

if TYPE_CHECKING:
    from packed_scenes.embed import Embedder

Image = npt.NDArray[np.uint8]

GAP, TEXT = 6, 15


def load_explained(name: str, *, device: str = "cpu") -> tuple[Embedder, bool]:
    """An embedder to be explained, with all its layers where it has any; and whether gradients can be asked.

    Raises:
        InputError: if the embedder is unknown.
    """
    from packed_scenes.embed import Embedder
    from packed_scenes.embed.runners import TorchRunner
    from packed_scenes.refining.network import trainable

    try:
        network, card = trainable(name)
    except InputError:
        return Embedder.load(name, device=device), False
    return Embedder(TorchRunner(network, device=device), card=card), True


def draw_pairs(
    embedder: Embedder, pairs: Sequence[tuple[Image, Image]], *, titles: Sequence[str], gradient: bool = True
) -> tuple[Image, list[float]]:
    """Draw one row per pair: crop, its maps, the other's maps, the other crop.

    Maps by covering (:mod:`packed_scenes.embed.similarity`): red made the two alike, blue made them differ. Maps by the
    gradient (:mod:`packed_scenes.embed.activation`): red raises the cosine.

    Args:
        embedder: of :func:`load_explained`.
        pairs: (h, w, 3) uint8 RGB crops of any size.
        titles: one line per pair; the cosine is written behind it.
        gradient: draw gradient maps, too.

    Returns:
        (H, W, 3) uint8 RGB, and the cosines.

    Raises:
        InputError: if there is no pair.
    """
    from packed_scenes.aggregate.lettering import paste, text_mask
    from packed_scenes.embed.activation import activation_map
    from packed_scenes.embed.similarity import canvases_of, overlay, similarity_map

    if not pairs:
        raise InputError("no pair to explain")
    rows, cosines = [], []
    for pair, title in zip(pairs, titles, strict=True):
        canvases = canvases_of(embedder, pair)
        vectors = embedder.embed_canvases(canvases)
        cosines.append(float(vectors[0] @ vectors[1]))
        covered = [similarity_map(embedder, canvases[i], vectors[1 - i]) for i in (0, 1)]
        max_value = max(float(np.abs(m).max()) for m in covered)
        tiles = [overlay(canvases[i], covered[i], max_value=max_value) for i in (0, 1)]
        if gradient:
            looked = [overlay(canvases[i], activation_map(embedder, canvases[i], vectors[1 - i])) for i in (0, 1)]
            tiles = [tiles[0], looked[0], looked[1], tiles[1]]
        row = [canvases[0], *tiles, canvases[1]]
        high, wide = canvases.shape[1:3]
        sheet = np.full((high + TEXT + 3 * GAP, len(row) * (wide + GAP) + GAP, 3), 255, np.uint8)
        paste(sheet, text_mask(f"{title}  cosine {cosines[-1]:.3f}", TEXT), (GAP, GAP), (20, 20, 20))
        for place, tile in enumerate(row):
            x = GAP + place * (wide + GAP)
            sheet[TEXT + 2 * GAP : TEXT + 2 * GAP + high, x : x + wide] = tile
        rows.append(sheet)
    return np.concatenate(rows), cosines
