"""Which pixels make two crops similar: cover a patch, embed again, see how much the cosine falls.

Occlusion needs nothing of the network's inside, so it serves every embedder alike, the colour histogram too.
Sources: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2; for pairs:
Stylianou et al., "Visualizing Deep Similarity Networks" (2019), arXiv:1901.00536.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data import InputError
from packed_scenes.data.files import atomic_write
from packed_scenes.embed.crops import letterbox_crops
from packed_scenes.embed.embedder import Embedder

Map = npt.NDArray[np.float32]


def canvases_of(embedder: Embedder, crops: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Crops as the embedder's network sees them, (N, height, width, 3) uint8."""
    return letterbox_crops(crops, **embedder.cut)


def similarity_map(
    embedder: Embedder, canvas: npt.NDArray[np.uint8], target: npt.NDArray[np.float32], *, cells: int = 12
) -> Map:
    """How much each place of one crop adds to its cosine with a target vector.

    Args:
        embedder: any.
        canvas: (height, width, 3) uint8, of the network's size.
        target: (D,) unit vector, such as the other crop's embedding.
        cells: steps along the longer side; the patch is two steps wide. cells² x width / height embeddings are made.

    Returns:
        (height, width) float32: the fall of the cosine when the place is covered; negative = it made them differ.

    Raises:
        InputError: if cells is below 2.
    """
    if cells < 2:
        raise InputError(f"cells must be 2 or more, got {cells}")
    height, width = canvas.shape[:2]
    step = max(height, width) / cells
    rows, columns = max(2, round(height / step)), max(2, round(width / step))
    y = np.linspace(0, height, rows + 1).round().astype(int)
    x = np.linspace(0, width, columns + 1).round().astype(int)
    fill = cv2.GaussianBlur(canvas, (0, 0), max(height, width) / 8)  # its own blur: no new edges, no new colour
    covered = np.repeat(canvas[None], (rows - 1) * (columns - 1), axis=0)
    places = [(i, j) for i in range(rows - 1) for j in range(columns - 1)]
    for picture, (i, j) in zip(covered, places, strict=True):
        picture[y[i] : y[i + 2], x[j] : x[j + 2]] = fill[y[i] : y[i + 2], x[j] : x[j + 2]]
    whole = float(embedder.embed_canvases(canvas[None])[0] @ target)
    fall = whole - embedder.embed_canvases(covered) @ target
    total, times = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for value, (i, j) in zip(fall, places, strict=True):
        total[y[i] : y[i + 2], x[j] : x[j + 2]] += value
        times[y[i] : y[i + 2], x[j] : x[j + 2]] += 1
    smooth: Map = cv2.GaussianBlur(total / times, (0, 0), step / 2)
    return smooth


def overlay(canvas: npt.NDArray[np.uint8], values: Map, *, max_value: float | None = None) -> npt.NDArray[np.uint8]:
    """Draw a map over its crop: red = made the two similar, blue = made them differ, clear = no part in it."""
    top = max(float(np.abs(values).max()), 1e-6) if max_value is None else max_value
    strength = np.clip(values / top, -1, 1)[..., None]
    colour = np.where(strength > 0, np.array([255.0, 40, 20]), np.array([20.0, 80, 255]))
    alpha = 0.75 * np.abs(strength)
    grey = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    base = 0.6 * canvas + 0.4 * grey
    drawn: npt.NDArray[np.uint8] = np.clip(base * (1 - alpha) + colour * alpha, 0, 255).astype(np.uint8)
    return drawn


def draw_pairs(
    embedder: Embedder,
    pairs: Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]],
    path: str | Path,
    *,
    zoom: int = 2,
) -> list[float]:
    """Write one row per pair: crop, its map, the other's map, the other crop, and their cosine.

    Returns:
        The cosines.
    """
    rows, cosines = [], []
    for pair in pairs:
        canvases = canvases_of(embedder, pair)
        vectors = embedder.embed_canvases(canvases)
        cosine = float(vectors[0] @ vectors[1])
        maps = [similarity_map(embedder, canvases[i], vectors[1 - i]) for i in (0, 1)]
        max_value = max(float(np.abs(m).max()) for m in maps)
        drawn = [overlay(canvas, m, max_value=max_value) for canvas, m in zip(canvases, maps, strict=True)]
        row = np.hstack([canvases[0], drawn[0], drawn[1], canvases[1]])
        row = cv2.resize(row, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
        label = np.full((22, row.shape[1], 3), 255, np.uint8)
        text = f"cosine {cosine:.3f}"
        cv2.putText(label, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        rows.append(np.vstack([label, row]))
        cosines.append(cosine)
    with atomic_write(Path(path)) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    return cosines
