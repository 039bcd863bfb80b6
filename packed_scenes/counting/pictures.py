"""Two crops side by side, as the person who answers sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data.images import read_image

SIDE = 420
GAP = 16


def pair_picture(first: Path, second: Path) -> npt.NDArray[np.uint8]:
    """Both crops at one height on white, (SIDE, 2 SIDE + GAP, 3) uint8 RGB.

    Raises:
        InputError: if a crop cannot be read.
    """
    return np.hstack([one_picture(first, side=SIDE), np.full((SIDE, GAP, 3), 255, np.uint8),
                      one_picture(second, side=SIDE)])  # fmt: skip


def one_picture(file: Path, *, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """A crop as large as fits into a white square, (side, side, 3) uint8 RGB."""
    from packed_scenes.data.letterbox import letterbox

    return letterbox(read_image(file), width=side, height=side, background=255)
