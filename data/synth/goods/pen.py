"""Drawing aids in unit coordinates, and smooth noise: what they draw looks the same at any size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour, mix

__all__ = ["Pen", "noise"]

U8 = NDArray[np.uint8]


class Pen:
    """Draws unit-coordinate shapes into an RGB patch and its coverage together."""

    def __init__(self, height: int, width: int) -> None:
        self.rgb = np.zeros((height, width, 3), np.uint8)
        self.alpha = np.zeros((height, width), np.uint8)
        self.height, self.width, self.unit = height, width, min(height, width)

    def _at(self, x: float, y: float) -> tuple[int, int]:
        """Unit square centred in the patch -> fixed-point pixels (3 fractional bits)."""
        return (
            round(((x - 0.5) * self.unit + self.width / 2) * 8),
            round(((y - 0.5) * self.unit + self.height / 2) * 8),
        )

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, angle: float = 0, fade: bool = False
    ) -> None:
        """Fill an ellipse; with `fade` only where something is already."""
        axes = (max(4, round(rx * self.unit * 8)), max(4, round(ry * self.unit * 8)))
        centre = self._at(x, y)
        cv2.ellipse(self.rgb, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_AA, 3)
        if not fade:
            cv2.ellipse(self.alpha, centre, axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 3)

    def polygon(self, points: NDArray[np.float64], colour: Colour, fade: bool = False) -> None:
        """Fill a polygon of (n, 2) points; with `fade` only where something is already."""
        pts = np.array([self._at(float(x), float(y)) for x, y in points], np.int32)
        cv2.fillPoly(self.rgb, [pts], colour, cv2.LINE_AA, 3)
        if not fade:
            cv2.fillPoly(self.alpha, [pts], 255, cv2.LINE_AA, 3)

    def line(
        self, x0: float, y0: float, x1: float, y1: float, thick: float, colour: Colour, fade: bool = False
    ) -> None:
        """Draw a thick line; with `fade` only where something is already."""
        pen = max(1, round(thick * self.unit))
        cv2.line(self.rgb, self._at(x0, y0), self._at(x1, y1), colour, pen, cv2.LINE_AA, 3)
        if not fade:
            cv2.line(self.alpha, self._at(x0, y0), self._at(x1, y1), 255, pen, cv2.LINE_AA, 3)

    def ball(self, x: float, y: float, rx: float, ry: float, colour: Colour, angle: float = 0) -> None:
        """A shaded round thing: dark rim, lit body, highlight."""
        self.ellipse(x, y, rx, ry, mix(colour, (20, 10, 20), 0.35), angle)
        self.ellipse(x - rx * 0.06, y - ry * 0.08, rx * 0.86, ry * 0.86, colour, angle, fade=True)
        self.ellipse(
            x - rx * 0.22, y - ry * 0.26, rx * 0.5, ry * 0.5, mix(colour, (255, 255, 255), 0.25), angle, fade=True
        )
        self.ellipse(
            x - rx * 0.34, y - ry * 0.4, rx * 0.16, ry * 0.16, mix(colour, (255, 255, 255), 0.75), angle, fade=True
        )

    def leaf(self, x: float, y: float, size: float, angle: float, colour: Colour) -> None:
        """A pointed leaf from its stem at (x, y), `angle` in radians."""
        t = np.linspace(0, 1, 9)
        half = 0.28 * np.sin(np.pi * t) * size
        along = t * size
        c, s = np.cos(angle), np.sin(angle)
        up = np.c_[x + along * c - half * s, y + along * s + half * c]
        down = np.c_[x + along * c + half * s, y + along * s - half * c]
        self.polygon(np.r_[up, down[::-1]], colour)
        self.polygon(np.r_[up, np.array([[x, y]])], mix(colour, (0, 40, 0), 0.3), fade=True)


def noise(seed: int, height: int, width: int, *, cells: float = 8.0, octaves: int = 3) -> NDArray[np.float32]:
    """Smooth noise (h, w) in 0…1; `cells` is the number of blobs across the shorter side, whatever its pixels."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    short = min(height, width)
    weight, scale = 1.0, cells
    for _ in range(octaves):
        gh, gw = max(2, round(scale * height / short)), max(2, round(scale * width / short))
        grid = rng.random((min(gh, 256), min(gw, 256)), dtype=np.float32)
        total += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
        weight, scale = weight * 0.55, scale * 2.1
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)
