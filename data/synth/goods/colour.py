"""Colours as packages wear them: saturated fields, whites, pastels, darks, metals, and contrast between them."""

from __future__ import annotations

import colorsys

import numpy as np

__all__ = ["Colour", "contrast", "contrasting", "far_from", "legibility", "mix", "package_colour"]

Colour = tuple[int, int, int]

MIN_CONTRAST = 0.3  # of letters and their ground
# Hues that print and plastic favour, in degrees; reds, oranges and blues are the most common on shelves.
_HUES = (
    0, 0, 3, 6, 10, 14, 22, 28, 34, 42, 48, 50, 54, 75, 95, 112, 128, 140, 150, 172, 186, 196, 204, 210, 215, 220, 226,
    232, 262, 285, 318, 335, 345, 352,
)  # fmt: skip


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb((hue / 360) % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return round(r * 255), round(g * 255), round(b * 255)


def package_colour(rng: np.random.Generator, mood: str | None = None) -> Colour:
    """Draw a colour; `mood` is vivid, white, pastel, dark, kraft or metal (drawn when not given)."""
    if mood is None:
        moods = ("vivid", "white", "pastel", "dark", "kraft", "metal")
        mood = moods[int(rng.choice(6, p=(0.52, 0.16, 0.12, 0.1, 0.05, 0.05)))]
    hue = _HUES[int(rng.integers(len(_HUES)))] + rng.uniform(-7, 7)
    if mood == "vivid":
        return _rgb(hue, rng.uniform(0.6, 1), rng.uniform(0.45, 0.98))
    if mood == "white":
        return _rgb(hue, rng.uniform(0, 0.08), rng.uniform(0.9, 1))
    if mood == "pastel":
        return _rgb(hue, rng.uniform(0.14, 0.42), rng.uniform(0.82, 1))
    if mood == "dark":
        return _rgb(hue, rng.uniform(0.1, 0.9), rng.uniform(0.07, 0.26))
    if mood == "kraft":
        return _rgb(rng.uniform(18, 42), rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.75))
    return _rgb(rng.choice([45, 210, 30]), rng.uniform(0.05, 0.45), rng.uniform(0.55, 0.85))


def contrast(a: Colour, b: Colour) -> float:
    """Perceived difference, 0 to about 3: weighted channel distance with luminance counted again."""
    d = np.subtract(a, b, dtype=float) / 255
    luminance = d @ (0.3, 0.59, 0.11)
    return float(np.sqrt((d * d).sum() + 2 * luminance * luminance))


def legibility(a: Colour, b: Colour) -> float:
    """Difference in lightness, 0 to 1: what makes letters readable."""
    return abs(float(np.subtract(a, b, dtype=float) @ (0.3, 0.59, 0.11))) / 255


def contrasting(rng: np.random.Generator, ground: Colour, *, mood: str | None = None) -> Colour:
    """Draw a colour for letters on `ground`, ``MIN_CONTRAST`` lighter or darker; falls back to white or black."""
    for _ in range(6):
        c = package_colour(rng, mood)
        if legibility(c, ground) >= MIN_CONTRAST:
            return c
    return (250, 250, 248) if legibility((0, 0, 0), ground) < 0.55 else (22, 24, 34)


def far_from(
    rng: np.random.Generator, taken: list[Colour], *, min_distance: float = 0.5, mood: str | None = None
) -> Colour:
    """Draw the first colour at least `min_distance` from all in `taken`, or the farthest of twelve."""
    best, best_gap = (128, 128, 128), -1.0
    for _ in range(12):
        c = package_colour(rng, mood)
        gap = min((contrast(c, t) for t in taken), default=9.0)
        if gap >= min_distance:
            return c
        if gap > best_gap:
            best, best_gap = c, gap
    return best


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """Blend: 0 gives a, 1 gives b."""
    r, g, bl = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return r, g, bl
