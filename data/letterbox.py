"""Fitting a crop into a canvas of another shape: the aspect ratio is kept, the rest is plain background."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from packed_scenes.data.resize import shrink

GREY = 114  # the background that detectors and embedders are trained with

Image = npt.NDArray[np.uint8]


def letterbox(
    crop: Image,
    *,
    width: int,
    height: int,
    stretch: bool = False,
    background: int = GREY,
    smooth: bool = False,
    out: Image | None = None,
) -> Image:
    """Resize one crop into the middle of a plain canvas, keeping its aspect ratio.

    Shrinking averages areas (no aliasing of print and barcodes); enlarging interpolates linearly.

    Args:
        crop: (h, w, 3) uint8.
        width, height: canvas size in pixels.
        stretch: fill the canvas and give up the aspect ratio.
        background: grey level of the canvas.
        smooth: for people: enlarge by cubic interpolation, and halve large crops before averaging, which is faster.
        out: (height, width, 3) uint8 canvas to write into.

    Returns:
        (height, width, 3) uint8.
    """
    import cv2

    canvas = np.empty((height, width, 3), np.uint8) if out is None else out
    h, w = crop.shape[:2]
    scale = min(width / w, height / h)
    new_w, new_h = min(width, max(1, round(w * scale))), min(height, max(1, round(h * scale)))
    if stretch:
        new_w, new_h = width, height
    x, y = (width - new_w) // 2, (height - new_h) // 2
    if smooth and scale < 1 and not stretch:
        resized = shrink(crop, width=new_w, height=new_h)
    else:
        larger = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        resized = np.asarray(
            cv2.resize(crop, (new_w, new_h), interpolation=cv2.INTER_AREA if scale < 1 else larger), np.uint8
        )
    canvas[:] = background
    canvas[y : y + new_h, x : x + new_w] = resized
    return canvas
