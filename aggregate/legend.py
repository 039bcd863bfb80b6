"""The legend strip beside an overlay: a crop, the label and the count of every cluster."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import NOISE_COLOR, Color
from packed_scenes.aggregate.lettering import (
    MIN_HEIGHT,
    badge_size,
    draw_badge,
    paste,
    text_height,
    text_mask,
    truncated,
)
from packed_scenes.data.objects import NOISE, Objects

Image = npt.NDArray[np.uint8]

PAPER = 250  # background of legend and contact sheet, nearly white
INK: Color = (40, 40, 40)
MAX_COLUMNS = 3
TEXT_SCALES = (1.0, 0.85, 0.7, 0.6)  # of the text, tried in this order until all clusters have room


def letterbox(crop: Image, size: tuple[int, int], background: int = PAPER) -> Image:
    """Fit a crop into (height, width) pixels for people to look at, aspect ratio kept, centred on plain background."""
    from packed_scenes.data.letterbox import letterbox as fit

    return fit(crop, width=size[1], height=size[0], background=background, smooth=True)


def cut(image: Image, box: npt.NDArray[np.float32]) -> Image:
    """Cut a box (x1, y1, x2, y2) out of the picture; the part outside is left out, and one pixel remains at least."""
    height, width = image.shape[:2]
    x1, y1 = (int(np.clip(np.floor(v), 0, m - 1)) for v, m in zip(box[:2], (width, height), strict=True))
    x2, y2 = (
        int(np.clip(np.ceil(v), low + 1, m)) for v, low, m in zip(box[2:], (x1, y1), (width, height), strict=True)
    )
    return image[y1:y2, x1:x2]


def title(cluster: int, names: Mapping[int, str], height: int, width: float) -> str:
    """Return what a badge of this text height and at most this width says: the cluster's name if it can be, or its
    number.
    """
    name = " ".join(names.get(cluster, "").split())
    return truncated(name, height, width) or str(cluster)


def draw_legend(
    image: Image, objects: Objects, colors: Mapping[int, Color], names: Mapping[int, str] | None = None
) -> Image:
    """Draw the strip as high as the picture: largest clusters first, noise last, "+n more" where room ends."""
    assert objects.cluster is not None
    tall = image.shape[0]
    clusters, first, count = np.unique(objects.cluster, return_index=True, return_counts=True)
    order = np.lexsort((clusters, -count, clusters == NOISE))
    for share in TEXT_SCALES:
        text = max(MIN_HEIGHT, round(text_height(image.shape) * share))
        row = round(3.4 * text)
        per_column = max(1, (tall - text // 2) // row)
        if per_column * MAX_COLUMNS >= len(order):
            break
    columns = min(MAX_COLUMNS, -(-len(order) // per_column))
    wide = round(8.2 * text)
    strip = np.full((tall, max(1, columns) * wide, 3), PAPER, np.uint8)
    room = per_column * max(1, columns)
    shown = order if len(order) <= room else order[: room - 1]
    for at, place in enumerate(shown.tolist()):
        x, y = (at // per_column) * wide + text // 2, (at % per_column) * row + text // 2
        cluster = int(clusters[place])
        best = typical_member(objects, cluster) if cluster != NOISE else int(first[place])
        thumb = letterbox(cut(image, objects.xyxy[best]), (row - text // 3, row - text // 3))
        visible = strip[y : y + thumb.shape[0], x : x + thumb.shape[1]]
        visible[:] = thumb[: visible.shape[0], : visible.shape[1]]
        room_here = wide - row - text
        known = title(cluster, names or {}, text, room_here)
        name, color = (known, colors[cluster]) if cluster != NOISE else ("?", NOISE_COLOR)
        draw_badge(strip, name, (x + row, y), text, color)
        amount = text_mask(f"x {count[place]}", round(text * 0.85))
        paste(strip, amount, (x + row, y + badge_size(name, text)[1] + text // 2), INK)
    if len(shown) < len(order):
        at = len(shown)
        x, y = (at // per_column) * wide + text // 2, (at % per_column) * row + text
        paste(strip, text_mask(f"+{len(order) - len(shown)} more", text), (x, y), INK)
    return strip


def typical_member(objects: Objects, cluster: int) -> int:
    """Return the row of the cluster's most probable member; of equals the largest."""
    assert objects.cluster is not None
    rows = np.flatnonzero(objects.cluster == cluster)
    sure = np.ones(len(rows)) if objects.probability is None else objects.probability[rows]
    return int(rows[np.lexsort((-np.prod(objects.size[rows], axis=1), -sure))[0]])
