"""A network that sees bright rectangles on a dark ground, and pictures of them."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from packed_scenes.detect.networks import Card

Found = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclasses.dataclass
class Rectangles:
    """Every bright region is an object; the larger, the surer; darker ones are of class 1."""

    card: Card = dataclasses.field(default_factory=lambda: Card(names=("light", "dim"), object_px=40.0))
    sizes: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def __call__(self, images: np.ndarray, floor: float) -> list[Found]:
        self.sizes.append((images.shape[2], images.shape[1]))
        result = []
        for image in images:
            mask = ((image[..., 0] > 140) | ((image[..., 0] > 60) & (image[..., 0] < 100))).astype(np.uint8)
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
            stats = stats[1:][stats[1:, 4] > 20]
            boxes = stats[:, [0, 1, 0, 1]] + np.concatenate([stats[:, :2] * 0, stats[:, 2:4]], 1)
            middle = (boxes[:, :2] + boxes[:, 2:]) // 2
            dim = image[middle[:, 1], middle[:, 0], 0] < 120
            score = 0.5 + 0.4 * stats[:, 4] / stats[:, 4].max(initial=1)
            keep = score >= floor
            result.append((boxes[keep].astype(np.float32), score[keep].astype(np.float32), dim[keep].astype(np.int64)))
        return result


def picture(width: int, height: int, *, size: int, gap: int, value: int = 255) -> tuple[np.ndarray, np.ndarray]:
    """A grid of squares; the picture and its boxes."""
    image = np.full((height, width, 3), 10, np.uint8)
    x, y = np.meshgrid(np.arange(gap, width - size, size + gap), np.arange(gap, height - size, size + gap))
    low = np.stack([x.ravel(), y.ravel()], 1)
    for a, b in low:
        image[b : b + size, a : a + size] = value
    return image, np.concatenate([low, low + size], 1).astype(np.float32)
