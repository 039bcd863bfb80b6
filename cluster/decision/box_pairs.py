"""What the places and sizes of two boxes say: do they stand side by side, on one another, in one row; are they of one
size?

Equal goods stand together on shelves: 40-54 % of side-by-side pairs are one product, 23-32 % of stacked ones, 6 % of
the other pairs of a row, 3 % of the rest. In a crowd it means nothing. Which it is, the judge reads off the set: it
sees whether what stands together also looks alike. All figures are in units of the boxes themselves and change
smoothly, so that a box error of a pixel changes no answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.cluster.decision.lists import Floats, Ints

COUNT = 9  # figures per pair


def of_pairs(
    index: Ints, xyxy: npt.NDArray[np.float64] | None, scene: Ints | None, *, rows: slice = slice(None)
) -> Floats:
    """Return the (n, k, ``COUNT``) float32 figures of the pairs of the lists of some rows.

    All are 0 where there are no boxes and for pairs of different scenes, but the last one, which says that the scenes
    differ.

    Args:
        index: (N, k) lists.
        xyxy: (N, 4) boxes in pixels of their scenes, x2 and y2 exclusive, or None.
        scene: (N,) scene numbers; None = one scene.
        rows: the n rows; default all.

    Memory: some 250 bytes a pair.
    """
    others = index[rows]
    out = np.zeros((*others.shape, COUNT), np.float32)
    other = np.zeros(others.shape, bool) if scene is None else scene[others] != scene[rows][:, None]
    out[..., -1] = other
    if xyxy is None:
        return out
    (own_size, own_middle), (size, middle) = _measured(xyxy[rows][:, None]), _measured(xyxy[others])
    scale = np.sqrt(own_size * size)
    dx, dy = np.moveaxis(np.abs(own_middle - middle) / scale, -1, 0)
    width, height = np.moveaxis(np.abs(np.log(own_size / size)), -1, 0)
    row, stack = falling(dy, 0.35, 0.1), falling(dx, 0.35, 0.1)
    figures = (
        np.ones_like(dx),
        row * falling(dx, 1.45, 0.12) * falling(height, 0.2, 0.05),
        stack * falling(dy, 1.4, 0.12) * falling(width, 0.2, 0.05),
        row,
        np.minimum(dx, 8) / 4,
        np.minimum(dy, 8) / 4,
        np.minimum(width, 2),
        np.minimum(height, 2),
    )
    out[..., :-1] = np.stack(figures, axis=-1) * ~other[..., None]
    return out


def _measured(xyxy: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Width and height, and the middle, of (..., 4) boxes: (..., 2) each."""
    return np.maximum(xyxy[..., 2:] - xyxy[..., :2], 1e-6), (xyxy[..., :2] + xyxy[..., 2:]) / 2


def falling(value: npt.NDArray[np.float64], middle: float, width: float) -> npt.NDArray[np.float64]:
    """A smooth step from 1 below ``middle`` to 0 above it."""
    return np.asarray(1 / (1 + np.exp(np.clip((value - middle) / width, -30, 30))), np.float64)
