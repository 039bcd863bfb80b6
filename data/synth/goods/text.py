"""Words and lettering for drawn goods: pronounceable invented names and antialiased text masks.

Letters come from the DejaVu faces inside matplotlib's package (found without importing matplotlib), from OpenCV's own
faces and from invented block characters for scripts that no bundled face covers.
"""

from __future__ import annotations

import importlib.util
import zlib
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["FACES", "invent_word", "text_mask"]

_TTF = (
    "DejaVuSans-Bold",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif-Bold",
    "DejaVuSerif-BoldItalic",
    "DejaVuSans",
    "DejaVuSerif",
    "DejaVuSansMono-Bold",
    "DejaVuSans-Oblique",
)
_STROKES = {
    "hershey-complex": cv2.FONT_HERSHEY_COMPLEX,
    "hershey-triplex": cv2.FONT_HERSHEY_TRIPLEX,
    "hershey-script": cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
}
_BLOCK = "block"
#: Every face that `text_mask` can draw.
FACES: tuple[str, ...] = (*_TTF, *_STROKES, _BLOCK)

_ONSET = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "br",
    "cr",
    "dr",
    "fl",
    "gr",
    "pl",
    "pr",
    "sl",
    "st",
    "tr",
    "ch",
    "sh",
]
_NUCLEUS = ["a", "e", "i", "o", "u", "a", "e", "i", "o", "ai", "ea", "io", "oo", "y"]
_CODA = ["", "", "", "", "n", "r", "s", "l", "x", "m", "nd", "va"]
_CYRILLIC = str.maketrans("abcdefghijklmnoprstuvwxyz", "абсдефгхийклмнопрстувшхыз"[:25])
FOREIGN = 0.06  # share of words in Cyrillic letters


def invent_word(rng: np.random.Generator, *, syllables: int | None = None) -> str:
    """Make up a pronounceable word such as a brand or a flavour; now and then (``FOREIGN``) in Cyrillic letters."""
    count = int(rng.integers(1, 4)) if syllables is None else syllables
    word = "".join(
        _ONSET[rng.integers(len(_ONSET))] + _NUCLEUS[rng.integers(len(_NUCLEUS))] + _CODA[rng.integers(len(_CODA))]
        for _ in range(count)
    )[:9]
    case = rng.random()
    if rng.random() < FOREIGN:
        word = word.translate(_CYRILLIC)
    return word.upper() if case < 0.45 else word.capitalize() if case < 0.85 else word


@lru_cache(maxsize=1)
def _font_folder() -> Path:
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:  # without its fonts the same seed would draw other scenes
        raise ModuleNotFoundError("drawing goods needs the fonts of matplotlib", name="matplotlib")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


@lru_cache(maxsize=256)
def _font(face: str, pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    path = _font_folder() / f"{face}.ttf"
    if path.is_file():
        return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)
    return ImageFont.load_default(pixels)


def _block_mask(text: str, height: int) -> NDArray[np.uint8]:
    """Invented square characters: a few crossing strokes in each cell, fixed by the letter."""
    cell = max(height, 4)
    mask = np.zeros((cell, cell * len(text)), np.uint8)
    pen = max(1, round(cell * 0.09))
    for k, letter in enumerate(text.upper()):
        rng = np.random.default_rng(zlib.crc32(letter.encode()))
        cut = sorted(rng.uniform(0.2, 0.8, 2))
        strokes: list[tuple[tuple[float, float], tuple[float, float]]] = [
            ((0.0, y), (1.0, y)) for y in (cut[0], cut[1])[: int(rng.integers(1, 3))]
        ]
        strokes += [((x, 0), (x, 1)) for x in rng.choice([0.0, 0.5, 1.0], size=int(rng.integers(1, 3)), replace=False)]
        if rng.random() < 0.5:
            strokes += [((0.5, cut[0]), (0, 1)), ((0.5, cut[0]), (1, 1))]
        if rng.random() < 0.4:
            strokes += [((0, 0), (1, 0)), ((0, 1), (1, 1))]
        for ends in strokes:
            pts = [(round((k + 0.13 + x * 0.74) * cell * 8), round((0.06 + y * 0.88) * cell * 8)) for x, y in ends]
            cv2.line(mask, pts[0], pts[1], 255, pen, cv2.LINE_AA, 3)
    return mask


def _tight(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, cols = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    if not len(rows):
        return np.full((2, 2), 255, np.uint8)
    return mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]


@lru_cache(maxsize=1024)
def text_mask(text: str, face: str, height: int) -> NDArray[np.uint8]:
    """Coverage (h, w) uint8 of a line of text cropped to its ink, its em about `height` pixels; read-only.

    Cached: at most 1024 masks, together under about 20 MB for heights below 200 px.
    """
    height = max(4, min(height, 400))
    if face == _BLOCK:
        mask = _block_mask(text, height)
    elif face in _STROKES:
        scale = height / 30
        pen = max(1, round(height / 9))
        (w, h), base = cv2.getTextSize(text, _STROKES[face], scale, pen)
        mask = np.zeros((h + 2 * base + 2 * pen + height // 2, w + 2 * pen + height), np.uint8)
        cv2.putText(
            mask, text, (pen + height // 2, h + pen + height // 4), _STROKES[face], scale, 255, pen, cv2.LINE_AA
        )
    else:
        font = _font(face, height)
        x0, y0, x1, y1 = font.getbbox(text)
        picture = Image.new("L", (int(x1 - x0) + 4, int(y1 - y0) + 4))
        ImageDraw.Draw(picture).text((2 - x0, 2 - y0), text, fill=255, font=font)
        mask = np.asarray(picture)
    mask = np.ascontiguousarray(_tight(mask))
    mask.setflags(write=False)
    return mask
