"""Two-colour marks printed on packages: stars, shields, drops, leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour
from packed_scenes.data.synth.goods.pen import Pen

__all__ = ["EMBLEMS", "draw_emblem"]

U8 = NDArray[np.uint8]

#: Names that `draw_emblem` knows.
EMBLEMS: tuple[str, ...] = (
    "disc",
    "star",
    "sun",
    "shield",
    "drop",
    "heart",
    "crown",
    "ring",
    "twin-leaf",
    "bolt",
    "diamond",
    "bars",
)


def draw_emblem(name: str, seed: int, height: int, width: int, ink: Colour, second: Colour) -> tuple[U8, U8]:
    """Draw a two-colour mark: RGB (h, w, 3) and its coverage (h, w), both uint8."""
    pen, rng = Pen(height, width), np.random.default_rng(seed)
    if name in ("disc", "ring"):
        pen.ellipse(0.5, 0.5, 0.47, 0.47, ink)
        inner = rng.uniform(0.28, 0.4)
        if name == "ring":
            pen.ellipse(0.5, 0.5, inner, inner, second, fade=True)
            pen.ellipse(0.5, 0.5, inner * 0.6, inner * 0.6, ink, fade=True)
        else:
            pen.polygon(
                np.array([[0.5, 0.2], [0.75, 0.7], [0.25, 0.7]])
                if rng.random() < 0.5
                else np.array([[0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7]]),
                second,
                fade=True,
            )
    elif name in ("star", "sun"):
        n, deep = int(rng.integers(5, 9)), rng.uniform(0.4, 0.6)
        if name == "sun":
            n, deep = int(rng.integers(10, 18)), rng.uniform(0.65, 0.8)
        a = np.arange(2 * n) * np.pi / n - np.pi / 2
        r = np.where(np.arange(2 * n) % 2, 0.48 * deep, 0.48)
        pen.polygon(np.c_[0.5 + r * np.cos(a), 0.5 + r * np.sin(a)], ink)
        pen.ellipse(0.5, 0.5, 0.2, 0.2, second, fade=True)
    elif name == "shield":
        x = np.linspace(0, np.pi, 13)
        low = np.c_[0.5 + 0.4 * np.cos(x), 0.45 + 0.5 * np.sin(x) ** 1.2]
        pen.polygon(np.r_[[[0.9, 0.08], [0.9, 0.45]], low, [[0.1, 0.08]]], ink)
        pen.polygon((np.r_[[[0.9, 0.08], [0.9, 0.45]], low, [[0.1, 0.08]]] - 0.5) * 0.6 + 0.5, second, fade=True)
    elif name == "drop":
        pen.polygon(np.array([[0.5, 0.03], [0.74, 0.5], [0.26, 0.5]]), ink)
        pen.ellipse(0.5, 0.65, 0.29, 0.29, ink)
        pen.ellipse(0.42, 0.66, 0.09, 0.14, second, 15, fade=True)
    elif name == "heart":
        for side in (-1, 1):
            pen.ellipse(0.5 + side * 0.2, 0.34, 0.235, 0.22, ink, side * 25)
        pen.polygon(np.array([[0.08, 0.42], [0.92, 0.42], [0.5, 0.94]]), ink)
        pen.ellipse(0.34, 0.32, 0.08, 0.06, second, fade=True)
    elif name == "crown":
        pen.polygon(
            np.array([[0.08, 0.25], [0.3, 0.5], [0.5, 0.15], [0.7, 0.5], [0.92, 0.25], [0.82, 0.8], [0.18, 0.8]]), ink
        )
        pen.line(0.2, 0.72, 0.8, 0.72, 0.07, second, fade=True)
    elif name == "twin-leaf":
        pen.leaf(0.5, 0.85, 0.75, -2.2, ink)
        pen.leaf(0.5, 0.85, 0.75, -0.9, second)
    elif name == "bolt":
        pen.ellipse(0.5, 0.5, 0.47, 0.47, second)
        pen.polygon(np.array([[0.6, 0.05], [0.25, 0.56], [0.47, 0.56], [0.38, 0.95], [0.76, 0.4], [0.53, 0.4]]), ink)
    elif name == "diamond":
        pen.polygon(np.array([[0.5, 0.02], [0.98, 0.5], [0.5, 0.98], [0.02, 0.5]]), ink)
        pen.polygon(np.array([[0.5, 0.24], [0.76, 0.5], [0.5, 0.76], [0.24, 0.5]]), second, fade=True)
    else:
        n = int(rng.integers(3, 5))
        for k in range(n):
            y = 0.15 + 0.7 * k / (n - 1)
            pen.line(0.15 + 0.08 * k, y, 0.85 - 0.05 * k, y - 0.08, 0.13, ink if k % 2 else second)
    return pen.rgb, pen.alpha
