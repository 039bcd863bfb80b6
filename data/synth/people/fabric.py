"""Fabrics: what cloth is coloured with, as textures that wrap once around a body part."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Colour

ROWS, COLUMNS = 64, 128  # of every texture of a garment
Texture = npt.NDArray[np.uint8]
PATTERNS = (
    "plain", "melange", "denim", "across", "down", "check", "dots", "camouflage", "flowers", "blocks", "fade", "wild",
)  # fmt: skip
# as clothes are worn: most are plain
_SHARE = np.array([0.46, 0.09, 0.05, 0.08, 0.03, 0.08, 0.03, 0.025, 0.03, 0.07, 0.03, 0.025])


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """A fabric.

    Attributes:
        pattern: one of ``PATTERNS``.
        colours: ground, second and third colour.
        period: length of the pattern in texture rows.
        seed: of what is irregular in it.
    """

    pattern: str
    colours: tuple[Colour, Colour, Colour]
    period: float
    seed: int


def sample_colour(rng: np.random.Generator) -> Colour:
    """A colour that clothes have: dark and grey ones are common, strong ones less."""
    kind = rng.random()
    if kind < 0.19:  # black
        hue, saturation, value = rng.uniform(0, 180), rng.uniform(0, 60), rng.uniform(14, 48)
    elif kind < 0.33:  # grey
        hue, saturation, value = rng.uniform(90, 130), rng.uniform(0, 40), rng.uniform(48, 190)
    elif kind < 0.45:  # white
        hue, saturation, value = rng.uniform(0, 180), rng.uniform(0, 28), rng.uniform(195, 252)
    elif kind < 0.62:  # navy to light blue
        hue, saturation, value = rng.uniform(98, 122), rng.uniform(50, 200), rng.uniform(35, 210)
    elif kind < 0.74:  # beige, khaki, brown
        hue, saturation, value = rng.uniform(7, 28), rng.uniform(40, 160), rng.uniform(50, 215)
    else:
        hue, saturation, value = rng.uniform(0, 180), rng.uniform(70, 240), rng.uniform(60, 245)
    pixel = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


def sample_fabric(rng: np.random.Generator, *, plain: float = 0.0) -> Fabric:
    """Draw a fabric; ``plain`` is the share that is plain whatever else is drawn."""
    pattern = "plain" if rng.random() < plain else str(rng.choice(PATTERNS, p=_SHARE / _SHARE.sum()))
    first = sample_colour(rng)
    if pattern == "denim":
        depth = rng.uniform(0.4, 1.5)
        first = (int(62 * depth), int(84 * depth), int(118 * depth))
    return Fabric(
        pattern=pattern, colours=(first, sample_colour(rng), sample_colour(rng)),
        period=float(rng.choice([4, 6, 8, 11, 15, 20])), seed=int(rng.integers(2**31)),
    )  # fmt: skip


def weave(fabric: Fabric) -> Texture:
    """Draw a fabric as (64, 128, 4) uint8 RGBA, opaque."""
    rng = np.random.default_rng(fabric.seed)
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    a, b, c = (np.array(colour, np.float32) for colour in fabric.colours)
    period = fabric.period
    out = np.empty((ROWS, COLUMNS, 3), np.float32)
    out[:] = a
    match fabric.pattern:
        case "melange" | "denim":
            out += rng.normal(0, 14, (ROWS, COLUMNS, 1)) + _cloud(rng, 6)[..., None] * 12
        case "across":
            width = rng.uniform(0.25, 0.6)
            out[(y % period) < width * period] = b
            if rng.random() < 0.3:
                out[(y % (2 * period)) < width * period / 2] = c
        case "down":
            out[(x % period) < rng.uniform(0.15, 0.5) * period] = b
        case "check":
            weight = 0.5 * ((y % period) < period * 0.45) + 0.5 * ((x % period) < period * 0.45)
            out += (b - a) * weight[..., None]
            if rng.random() < 0.5:
                out[(y % period < 1.2) | (x % period < 1.2)] = c
        case "dots":
            shift = (y // period % 2) * period / 2
            gap = np.hypot(y % period - period / 2, (x + shift) % period - period / 2)
            out[gap < period * rng.uniform(0.2, 0.35)] = b
        case "camouflage":
            out[_cloud(rng, 9) > 0.2] = b
            out[_cloud(rng, 9) > 0.6] = c
        case "flowers":
            for _ in range(int(600 / period)):
                centre = int(rng.integers(COLUMNS)), int(rng.integers(ROWS))
                tint = b if rng.random() < 0.6 else c
                cv2.circle(out, centre, int(rng.integers(1, max(2, int(period / 2)))), tint.tolist(), -1, cv2.LINE_AA)
        case "blocks":
            _blocks(out, rng, b, c)
        case "fade":
            out += (b - a) * (y / ROWS)[..., None]
        case "wild":
            out += (b - a) * np.clip(_cloud(rng, 12), 0, 1)[..., None] + (c - a) * np.clip(_cloud(rng, 5), 0, 1)[
                ..., None
            ]
    out += rng.normal(0, 2.5, (ROWS, COLUMNS, 1))
    return np.dstack([np.clip(out, 0, 255).astype(np.uint8), np.full((ROWS, COLUMNS), 255, np.uint8)])


def _blocks(
    out: npt.NDArray[np.float32], rng: np.random.Generator, b: npt.NDArray[np.float32], c: npt.NDArray[np.float32]
) -> None:
    """Paint large areas: a yoke, a band across the chest, other sides, or a lower half in two."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    cut, kind = rng.uniform(0.2, 0.75) * ROWS, rng.integers(4)
    if kind == 0:
        out[y < cut] = b
    elif kind == 1:
        out[np.abs(y - cut) < rng.uniform(3, 12)] = b
    elif kind == 2:
        out[np.abs(np.abs(x - COLUMNS / 2) - COLUMNS / 4) < rng.uniform(6, 16)] = b
    else:
        out[y > cut] = b
        out[y > cut + (ROWS - cut) * 0.5] = c


def _cloud(rng: np.random.Generator, cells: int) -> npt.NDArray[np.float32]:
    """Smooth noise about -1 … 1 that closes around the body."""
    small = rng.normal(0, 0.6, (cells, cells * 2)).astype(np.float32)
    small[:, -1] = small[:, 0]
    return np.asarray(cv2.resize(small, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC), np.float32)


def column(angle: float) -> int:
    """Texture column of an angle in degrees; 0 = front, positive to the picture's right when seen from the front."""
    return round(angle / 360 * COLUMNS) % COLUMNS


def angles() -> npt.NDArray[np.float32]:
    """(128,) angle of each texture column in degrees, -180 … 180, 0 = front."""
    turn = np.arange(COLUMNS, dtype=np.float32) * (360 / COLUMNS)
    return np.where(turn > 180, turn - 360, turn).astype(np.float32)


def put(texture: Texture, patch: npt.NDArray[np.uint8], *, angle: float, row: float) -> None:
    """Lay an RGB patch on a texture, centred at an angle in degrees and a share of the rows; it wraps around."""
    h, w = patch.shape[:2]
    top = int(np.clip(row * ROWS - h / 2, 0, ROWS - h))
    where = (column(angle) - w // 2 + np.arange(w)) % COLUMNS
    texture[top : top + h, where, :3] = patch


def plain(colour: Colour, *, rows: int = 8, columns: int = 16) -> Texture:
    """A texture of one colour."""
    return np.tile(np.array([*colour, 255], np.uint8), (rows, columns, 1))


@lru_cache(maxsize=1)
def folds_sheet(size: int) -> npt.NDArray[np.float32]:
    """A sheet of soft light and dark, as folds of cloth; figures look at random cuts of it."""
    rng = np.random.default_rng(7)
    out = np.ones((size, size), np.float32)
    for cells, depth in ((size // 5, 0.05), (size // 12, 0.06), (size // 30, 0.05)):
        small = rng.normal(0, depth, (cells, cells)).astype(np.float32)
        out += cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return out


@lru_cache(maxsize=512)
def solid(colour: Colour) -> Texture:
    """A texture of one colour, made once."""
    return plain(colour)
