"""Virtual identities: one real product recoloured or relabelled is another product.

Real photographs have textures, reflections and print that drawn goods lack, but there are few identities among them.
A fixed change of colour, of one part's colour, or a pasted word makes a new identity that differs from the original in
exactly one thing, as variants on a shelf do.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

RGBA = npt.NDArray[np.uint8]
_LETTERS = "ABCDEFGHIKLMNOPRSTUVXYZaeiou"


@lru_cache(maxsize=4096)
def _recipe(
    seed: int,
) -> tuple[npt.NDArray[np.float32], tuple[float, float], tuple[str, float, float, float, tuple[int, ...]] | None]:
    rng = np.random.default_rng([seed, 0xC0105])
    angle = rng.uniform(0.6, 2 * np.pi - 0.6)  # a hue rotation below 0.6 rad could pass for white balance
    axis = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    hue = np.eye(3) * np.cos(angle) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)
    matrix = (hue * rng.uniform(0.75, 1.15)).astype(np.float32)
    kind = rng.random()
    band = (
        (0.0, 1.0)
        if kind < 0.5
        else sorted(rng.uniform(0, 1, 2))
        if rng.random() < 0.5
        else (0.0, rng.uniform(0.2, 0.5))
    )
    low, high = float(band[0]), float(max(band[1], band[0] + 0.15))
    word = None
    if kind > 0.75 or rng.random() < 0.25:
        text = "".join(rng.choice(list(_LETTERS), rng.integers(3, 8)))
        word = (
            text,
            rng.uniform(0.05, 0.3),
            rng.uniform(0.15, 0.85),
            rng.uniform(0.4, 0.9),
            tuple(map(int, rng.integers(0, 256, 3))),
        )
    if kind > 0.75:
        low, high = 0.0, 0.0
    return matrix, (low, high), word


def transform(crop: RGBA, size: tuple[int, int], seed: int) -> RGBA:
    """Apply virtual identity ``seed`` to a stored crop; seed 0 is the original, returned as it is.

    Args:
        crop: (H, W, 4) uint8, goods in the top-left ``size``.
        size: (width, height) of the goods.
        seed: number of the change; the same seed changes every crop of a class alike.
    """
    if seed == 0:
        return crop
    matrix, (low, high), word = _recipe(seed)
    out = crop.copy()
    w, h = size
    rows = slice(int(low * h), int(high * h))
    if high > low:
        part = np.ascontiguousarray(out[rows, :w, :3])
        out[rows, :w, :3] = cv2.transform(part, matrix)
    if word is not None:
        text, x, y, share, colour = word
        (text_w, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1, 2)
        scale = share * w / max(text_w, 1)
        patch = np.ascontiguousarray(out[..., :3])
        cv2.putText(
            patch,
            text,
            (int(x * w), int(y * h)),
            cv2.FONT_HERSHEY_DUPLEX,
            scale,
            colour,
            max(1, round(2 * scale)),
            cv2.LINE_AA,
        )
        out[:h, :w, :3] = patch[:h, :w]
    return out
