"""Shrinking by area averaging, fast on photos that are many times too large."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

LARGE = 256  # px; a row left out of fewer would show


def shrink(image: Image, *, width: int, height: int) -> Image:
    """Resize to ``width`` x ``height``, both at most the picture's own, by the mean over each pixel's area.

    While the picture is at least twice too large it is halved first: OpenCV's halving is several times faster than its
    general area filter, and a mean of means is the same but for rounding. An odd last row or column is left out, if
    it is less than 1 / :data:`LARGE` of the picture.

    Returns:
        (height, width, C) uint8; the picture itself if it has that size already.
    """
    import cv2

    while image.shape[1] >= 2 * width and image.shape[0] >= 2 * height:
        odd = image.shape[0] % 2 or image.shape[1] % 2
        if odd and min(image.shape[:2]) < LARGE:
            break
        half = image.shape[1] // 2, image.shape[0] // 2
        image = cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
