"""Pairs of crops with maps of what makes them alike: by covering patches, and by the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.thresholds import calibrated_threshold

if TYPE_CHECKING:
    from packed_scenes.embed import Embedder

Image = npt.NDArray[np.uint8]

GAP, TEXT, SMALL = 6, 15, 11
INK, SOFT = (20, 20, 20), (110, 110, 110)
LEGEND = (
    "covered: red parts made the two alike, blue parts made them differ (seen by covering each part)",
    "gradient: red parts raise the cosine",
)


def load_explained(name: str) -> tuple[Embedder, bool]:
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
        return Embedder.load(name, device="cpu"), False
    return Embedder(TorchRunner(network, device="cpu"), card=card), True


def draw_pairs(
    embedder: Embedder,
    pairs: Sequence[tuple[Image, Image]],
    *,
    titles: Sequence[str],
    gradient: bool = True,
    progress: Callable[[Iterable[Any], str, int], Iterable[Any]] | None = None,
) -> tuple[Image, list[float]]:
    """Draw one row per pair: crop, its maps, the other's maps, the other crop.

    Maps by covering (:mod:`packed_scenes.embed.similarity`): red made the two alike, blue made them differ. Maps by the
    gradient (:mod:`packed_scenes.embed.activation`): red raises the cosine.

    Args:
        embedder: of :func:`load_explained`.
        pairs: (h, w, 3) uint8 RGB crops of any size.
        titles: one line per pair; the verdict is written below it.
        gradient: draw gradient maps, too.
        progress: wraps the loop over pairs, given (pairs, label, total).

    Returns:
        (H, W, 3) uint8 RGB with a legend below the pairs, and the cosines.

    Raises:
        InputError: if there is no pair.
    """
    from packed_scenes.aggregate.lettering import paste, text_mask
    from packed_scenes.embed.activation import activation_map
    from packed_scenes.embed.similarity import canvases_of, overlay, similarity_map

    if not pairs:
        raise InputError("no pair to explain", remedy="Name two crops.")
    heads: tuple[str, ...] = ("first", "covered", "gradient", "gradient", "covered", "second")
    heads, legend = (heads, LEGEND) if gradient else ((heads[0], heads[1], heads[4], heads[5]), LEGEND[:1])
    rows, cosines = [], []
    titled = zip(pairs, titles, strict=True)
    for pair, title in progress(titled, "pairs", len(pairs)) if progress else titled:
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
        lines = [(text_mask(title, TEXT), INK), (text_mask(verdict(embedder, cosines[-1]), SMALL), INK)]
        across = max(len(row) * (wide + GAP), *(mask.shape[1] for mask, _ in lines)) + 2 * GAP
        top = TEXT + 2 * SMALL + 8 * GAP
        sheet = np.full((top + high + 2 * GAP, across, 3), 255, np.uint8)
        paste(sheet, lines[0][0], (GAP, GAP), INK)
        paste(sheet, lines[1][0], (GAP, TEXT + 3 * GAP), INK)
        for place, (tile, head) in enumerate(zip(row, heads, strict=True)):
            x = GAP + place * (wide + GAP)
            paste(sheet, text_mask(head, SMALL), (x, TEXT + SMALL + 5 * GAP), SOFT)
            sheet[top : top + high, x : x + wide] = tile
        rows.append(sheet)
    said = [text_mask(line, SMALL) for line in legend]
    foot = np.full(
        (len(said) * (SMALL + 2 * GAP) + GAP, max(mask.shape[1] for mask in said) + 2 * GAP, 3), 255, np.uint8
    )
    for at, mask in enumerate(said):
        paste(foot, mask, (GAP, at * (SMALL + 2 * GAP)), INK)
    return _below([*rows, foot]), cosines


def verdict(embedder: Embedder, cosine: float) -> str:
    """Say in a line whether two crops of this cosine are one thing by the embedder's limit."""
    limit, calibrated = calibrated_threshold(embedder.card), bool(embedder.card.get("calibration"))
    apart = max(0.0, 1 - cosine)
    which = "calibrated" if calibrated else "usual"
    return (
        f"{'the same' if apart <= limit else 'two different things'}: distance {apart:.3f} is "
        f"{'within' if apart <= limit else 'beyond'} the {which} limit of {limit:.2f}"
    )


def _below(pictures: Sequence[Image]) -> Image:
    """Stack pictures of different widths, white beside the narrower ones."""
    wide = max(p.shape[1] for p in pictures)
    return np.concatenate([np.pad(p, ((0, 0), (0, wide - p.shape[1]), (0, 0)), constant_values=255) for p in pictures])
