"""Contact sheets of crops."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.labels import Labels
from packed_scenes.data.errors import InputError
from packed_scenes.data.images import read_image

RGB = npt.NDArray[np.uint8]

GAP = 6


def cluster_sheet(
    paths: Sequence[Path],
    labels: Labels,
    probability: npt.NDArray[np.floating] | None = None,
    *,
    rows: int = 60,
    columns: int = 12,
    cell: tuple[int, int] = (128, 96),
) -> RGB:
    """Draw one row of crops per cluster, the largest first and noise last, from the most to the least typical crop.

    Args:
        paths: (N,) crop files; one that vanished stays grey.
        labels: (N,) clusters, -1 = noise.
        probability: (N,) in [0, 1], how typical each crop is of its cluster.
        rows, columns: most clusters, and most crops of each.
        cell: (height, width) of a crop in pixels.
    """
    from packed_scenes.aggregate import ContactSheet, colors_of
    from packed_scenes.data.objects import Objects

    unit = np.tile(np.array([0, 0, 1, 1], np.float32), (len(paths), 1))
    objects = Objects.from_boxes(unit, cluster=labels, probability=probability)
    sheet = ContactSheet([("crops", objects)], colors=colors_of(labels), rows=rows, columns=columns, cell=cell)
    for key in sheet.shown:
        with suppress(InputError):
            sheet.add_crop(key, read_image(paths[key[1]]))
    return sheet.draw()


def crop_grid(paths: Sequence[Path], *, columns: int = 12, cell: tuple[int, int] = (96, 96)) -> RGB:
    """Draw crops side by side, letterboxed on white."""
    from packed_scenes.aggregate.legend import letterbox

    tall, wide = cell
    lines = -(-len(paths) // columns)
    sheet = np.full((GAP + lines * (tall + GAP), GAP + min(columns, len(paths)) * (wide + GAP), 3), 255, np.uint8)
    for at, path in enumerate(paths):
        y, x = GAP + at // columns * (tall + GAP), GAP + at % columns * (wide + GAP)
        sheet[y : y + tall, x : x + wide] = letterbox(read_image(path), cell)
    return sheet
