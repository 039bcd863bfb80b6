"""Pictures of more than 8 bits a channel brought to 8, by the depth that they really use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError


def scale_depth(values: npt.NDArray[Any], name: str) -> npt.NDArray[np.uint8]:
    """Scale grey (H, W) or colour (H, W, C) values of more than 8 bits by the bit depth that they use.

    It works in bands of rows, so that the float copies of a large picture stay small.
    """
    height, width = values.shape[:2]
    rows = max(1, (1 << 22) // max(width, 1))
    bands = [slice(top, top + rows) for top in range(0, height, rows)]
    ranges = [_finite_range(values[band]) for band in bands]
    low = min(r[0] for r in ranges)
    high = max(r[1] for r in ranges)
    if low > high:
        raise InputError("holds no finite pixel value", file=name, remedy="Export it as 8-bit PNG.")
    offset = min(low, 0.0)
    high -= offset
    if values.dtype.kind == "f" and high <= 1:
        full = 1.0
    else:
        full = next((2.0**bits - 1 for bits in (8, 10, 12, 14, 16) if high <= 2**bits - 1), high)
    out = np.empty((height, width, 3), np.uint8)
    for band in bands:
        deep = values[band].astype(np.float64) - offset
        np.nan_to_num(deep, copy=False, nan=low - offset, posinf=low - offset, neginf=low - offset)
        scaled = np.rint(deep * (255 / full)).astype(np.uint8)
        out[band] = scaled[..., None] if scaled.ndim == 2 else scaled
    return out


def _finite_range(values: npt.NDArray[Any]) -> tuple[float, float]:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return (float(finite.min()), float(finite.max())) if finite.size else (np.inf, -np.inf)
