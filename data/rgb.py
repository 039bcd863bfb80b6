"""The one form of a picture in memory: a uint8 (H, W, 3) RGB array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError


def check_image(image: npt.NDArray[np.uint8], *, what: str = "image", file: str | Path | None = None) -> None:
    """Raise InputError unless the array is a non-empty uint8 (H, W, 3) picture.

    Args:
        image: the array.
        what: it is, and ``file`` where it is, for the message.
    """
    good = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
    if not good or image.shape[2] != 3 or not image.size:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"{what} must be uint8 (H, W, 3), got {found}", file=file)


def as_rgb(picture: Any) -> npt.NDArray[np.uint8]:
    """Return a picture in memory as (H, W, 3) uint8 RGB: an array of that form, or a Pillow image.

    Raises:
        InputError: if it is something else.
    """
    if not isinstance(picture, np.ndarray):
        from PIL import Image

        if isinstance(picture, Image.Image):
            return np.array(picture.convert("RGB"))
        raise InputError(
            f"a picture must be an array or a Pillow image, got {type(picture).__name__}",
            remedy="Read the file with packed_scenes.data.read_image.",
        )
    check_image(picture)
    return picture
