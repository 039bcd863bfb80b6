"""From the drawn scene to a photo: light, colour cast, lens, sensor, codec. Nothing here moves a pixel of the truth."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Picture


def develop(picture: Picture, rnd: Random, *, strength: float, jpeg: float) -> Picture:
    """Photograph a drawn scene.

    Args:
        picture: (H, W, 3) uint8 RGB; may be overwritten.
        rnd: source of all randomness.
        strength: 0 leaves it as drawn, 1 makes bad photos common.
        jpeg: share that goes through JPEG.
    """
    if strength > 0:
        picture = _light(picture, rnd, strength)
        if rnd.random() < 0.55 * strength:
            picture = _soften(picture, rnd, strength)
        picture = _tone(picture, rnd, strength)
        if rnd.random() < 1.1 * strength:
            picture = _noise(picture, rnd, strength)
    if rnd.random() < jpeg:
        quality = round(rnd.triangular(30, 97, 88))
        done, code = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            picture = cv2.cvtColor(cv2.imdecode(code, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return picture


def _light(picture: Picture, rnd: Random, strength: float) -> Picture:
    """Uneven light, vignetting, lamp spots and white balance in one multiplication by a small map, enlarged."""
    side = 24
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    gain = 1.03 + strength * (rnd.uniform(-0.3, 0.3) * x + rnd.uniform(-0.35, 0.35) * y)
    gain = gain * (1 - strength * rnd.uniform(0, 0.5) * (x * x + y * y) / 2)
    for _ in range(rnd.choice((0, 0, 1, 2))):
        cx, cy, r = rnd.uniform(-1, 1), rnd.uniform(-1, 1), rnd.uniform(0.15, 0.7)
        gain = gain + strength * rnd.uniform(-0.35, 0.6) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / r**2)
    warm, green = strength * rnd.gauss(0, 0.12), strength * rnd.gauss(0, 0.05)
    cast = np.array([1 + warm, 1 + green, 1 - warm], np.float32)
    small = np.clip(gain[..., None] * cast * 128, 12, 255).astype(np.uint8)
    full = cv2.resize(small, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    out: Picture = cv2.multiply(picture, full, scale=1 / 128)
    return out


def _soften(picture: Picture, rnd: Random, strength: float) -> Picture:
    """Hand-held blur, missed focus, or a picture enlarged from a smaller one."""
    kind = rnd.random()
    height, width = picture.shape[:2]
    out: Picture
    if kind < 0.4:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rnd.uniform(0.4, 0.6 + 1.6 * strength)), np.uint8)
    if kind < 0.7:
        factor = rnd.uniform(1 - 0.75 * strength, 0.95)
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, (width, height), interpolation=rnd.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
        return out
    length = rnd.randint(3, 3 + round(8 * strength))
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rnd.uniform(0, np.pi), (length - 1) / 2
    dx, dy = middle * np.cos(angle), middle * np.sin(angle)
    start, stop = (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy))
    cv2.line(kernel, start, stop, 1.0, 1)
    out = cv2.filter2D(picture, -1, kernel / kernel.sum())
    return out


def _tone(picture: Picture, rnd: Random, strength: float) -> Picture:
    """Exposure, contrast, gamma and haze as one table."""
    level = np.linspace(0, 1, 256, dtype=np.float32)
    level = level ** np.exp(strength * rnd.gauss(-0.05, 0.35))
    level = (level - 0.5) * (1 + strength * rnd.uniform(-0.5, 0.35)) + 0.5
    level = level * np.exp(strength * rnd.gauss(0.02, 0.3)) + strength * rnd.uniform(-0.1, 0.12)
    out: Picture = cv2.LUT(picture, np.clip(level * 255, 0, 255).astype(np.uint8))
    return out


@lru_cache(maxsize=2)
def _grain(height: int, width: int) -> Picture:
    return np.clip(np.random.default_rng(0).normal(128, 32, (height + 61, width + 67, 3)), 0, 255).astype(np.uint8)


def _noise(picture: Picture, rnd: Random, strength: float) -> Picture:
    """Sensor noise: a random cut of a fixed sheet of grain, added at a drawn strength."""
    height, width = picture.shape[:2]
    y, x = rnd.randrange(61), rnd.randrange(67)
    sigma = rnd.uniform(1, 2 + 20 * strength * rnd.random()) / 32
    cut = _grain(height, width)[y : y + height, x : x + width]
    out: Picture = cv2.addWeighted(picture, 1.0, cut, sigma, -128 * sigma)
    return out
