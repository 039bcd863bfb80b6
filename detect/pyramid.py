"""One picture at every size: halves made once, and any part of it resized from the nearest of them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]

FLAT = 12  # grey levels: a part that varies by less over its means of 4 x 4 pixels shows nothing; noise varies less
PAD = 114  # grey of the padding, as in training


class Pyramid:
    """A picture and its halves by 2 x 2 means, each made when first needed (together at most a third of its memory).

    A mean of means is the mean over the larger area but for rounding, and OpenCV's halving is several times faster than
    its general area filter. An odd last row or column of a level is left out of the next one.
    """

    def __init__(self, image: Image) -> None:
        self._levels = [image]
        self.height, self.width = image.shape[:2]

    def part(self, rectangle: Rectangle, *, width: int, height: int) -> tuple[Image, Rectangle]:
        """Resize a part of the picture.

        Args:
            rectangle: x1, y1, x2, y2 in pixels of the picture.
            width, height: wanted size.

        Returns:
            (height, width, 3) uint8, and the rectangle that it shows exactly: the wanted one on the pixels of the
            level that it was cut from, so at most half a pixel of the result away.
        """
        x1, y1, x2, y2 = rectangle
        level = 0
        while 2 ** (level + 1) * max(width / (x2 - x1), height / (y2 - y1)) <= 1 and min(self._size(level + 1)) > 0:
            level += 1
        source, step = self._level(level), 2**level
        left, top = (int(v / step + 0.5) for v in (x1, y1))
        right = max(left + 1, min(int(x2 / step + 0.5), source.shape[1]))
        bottom = max(top + 1, min(int(y2 / step + 0.5), source.shape[0]))
        cut = source[top:bottom, left:right]
        if cut.shape[:2] != (height, width):
            smaller = cut.shape[1] > width
            filter_ = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            cut = np.asarray(cv2.resize(cut, (width, height), interpolation=filter_), np.uint8)
        return cut, (left * step, top * step, right * step, bottom * step)

    def detail(self, rectangle: Rectangle, *, longest: int) -> float:
        """How much a part shows when it is at most ``longest`` pixels wide and high: 0 = nothing at all."""
        x1, y1, x2, y2 = rectangle
        scale = min(1.0, longest / max(x2 - x1, y2 - y1))
        width, height = scaled(rectangle, scale)
        cut, _ = self.part(rectangle, width=width, height=height)
        return 0.0 if is_flat(cut) else detail(cut)

    def _size(self, level: int) -> tuple[int, int]:
        return self.width >> level, self.height >> level

    def _level(self, level: int) -> Image:
        while len(self._levels) <= level:
            above = self._levels[-1]
            half = above.shape[1] // 2, above.shape[0] // 2
            cut = above[: 2 * half[1], : 2 * half[0]]
            self._levels.append(np.asarray(cv2.resize(cut, half, interpolation=cv2.INTER_AREA), np.uint8))
        return self._levels[level]


def scaled(part: Rectangle, scale: float) -> tuple[int, int]:
    """(width, height) of a part at a scale, in whole pixels."""
    return max(1, round((part[2] - part[0]) * scale)), max(1, round((part[3] - part[1]) * scale))


def is_flat(image: Image) -> bool:
    """Whether a part shows nothing at all: one colour, but for noise."""
    size = max(1, image.shape[1] // 4), max(1, image.shape[0] // 4)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return bool((np.ptp(small.reshape(-1, image.shape[2]), axis=0) < FLAT).all())


def detail(image: Image) -> float:
    """How much a part shows: the mean absolute Laplacian of its brightness, in grey levels."""
    return float(np.abs(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_16S)).mean())


def padded(piece: Image, stride: int, fixed: tuple[int, int] | None) -> Image:
    """A (1, H, W, 3) batch of one piece, padded with grey to multiples of the stride, or to a fixed (height, width)."""
    height, width = piece.shape[:2]
    tall, wide = fixed or (-(-height // stride) * stride, -(-width // stride) * stride)
    batch = np.full((1, tall, wide, 3), PAD, np.uint8)
    batch[0, :height, :width] = piece
    return batch
