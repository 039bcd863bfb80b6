"""Numbered badges: text on a rounded plate, and room for many of them without overlap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import Color, is_light
from packed_scenes.data.errors import one_line
from packed_scenes.data.shipped import ASSETS

Image = npt.NDArray[np.uint8]

FONT = ASSETS / "fonts" / "DejaVuSans-Bold.ttf"
MIN_HEIGHT = 9  # text height in pixels below which digits stop being legible
TEXT_SHARE = 0.2  # text height as a share of the objects' shorter side
WIDEST = 1.0  # a badge wider than this many times its group is left out: the box's colour names it
MIN_LETTERS = 3  # letters of a name that is cut to fit
MEMBERS_TRIED = 6  # of a group, from the top left


def text_height(shape: tuple[int, ...]) -> int:
    """Return the text height in pixels that is legible when a picture of this (H, W) is fitted to a screen."""
    return max(11, round(0.018 * max(shape[:2])))


@lru_cache(maxsize=64)
def _font(height: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT), height)


@lru_cache(maxsize=4096)
def text_mask(text: str, height: int) -> Image:
    """Render a line of text as coverage (h, w), 0 … 255; digits are vertically centred, whatever hangs below.

    Hidden characters are drawn as escapes.
    """
    text = one_line(text)
    font = _font(height)
    left, _, right, _ = font.getbbox(text)
    _, digit_top, _, base = font.getbbox("0")
    below = font.getbbox("_y")[3] - base
    top, bottom = digit_top - below, base + below
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    canvas = PillowImage.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    mask = np.array(canvas)
    mask.setflags(write=False)
    return mask


@lru_cache(maxsize=4096)
def has_letters(text: str) -> bool:
    """Whether the font can write all of a text (Latin, Greek, Cyrillic and more; no Chinese, no emoji)."""
    if not text.isprintable():
        return False
    unknown = _font(MIN_HEIGHT).getmask("\U0010ffff")
    absent = (unknown.size, bytes(unknown))
    masks = (_font(MIN_HEIGHT).getmask(letter) for letter in set(text))
    return all((mask.size, bytes(mask)) != absent for mask in masks)


def truncated(text: str, height: int, width: float) -> str:
    """Cut a text, with "…" at its end, until its badge is at most ``width`` pixels wide.

    Empty if too little would be left, or the font lacks letters of it.
    """
    if not has_letters(text):
        return ""
    if badge_size(text, height)[0] <= width:
        return text
    cuts = (f"{text[:end].rstrip()}…" for end in range(len(text) - 1, MIN_LETTERS - 1, -1))
    return next((cut for cut in cuts if badge_size(cut, height)[0] <= width), "")


def badge_size(text: str, height: int) -> tuple[int, int]:
    """Return (width, height) in pixels of a badge with text of this height."""
    mask = text_mask(text, height)
    pad = max(2, height // 4)
    tall = mask.shape[0] + 2 * _rim(height)
    return max(mask.shape[1] + 2 * pad, tall), tall


def _rim(height: int) -> int:
    return max(1, height // 12)


def draw_badge(image: Image, text: str, corner: tuple[int, int], height: int, color: Color) -> None:
    """Draw a badge in place with its top left at ``corner`` (x, y): plate in the colour, rim and text in contrast."""
    light = is_light(color)
    ink: Color = (0, 0, 0) if light else (255, 255, 255)
    width, tall = badge_size(text, height)
    x, y = corner
    rim = _rim(height)
    radius = max(2, tall // 4)
    halo: Color = (255, 255, 255) if light else (0, 0, 0)
    _plate(image, (x - rim, y - rim, x + width + rim, y + tall + rim), radius + rim, halo)
    _plate(image, (x, y, x + width, y + tall), radius, ink)
    _plate(image, (x + rim, y + rim, x + width - rim, y + tall - rim), max(1, radius - rim), color)
    mask = text_mask(text, height)
    # Raised by the rim's width, so that the underscore of 0_5 does not merge with it.
    paste(image, mask, (x + (width - mask.shape[1]) // 2, y + (tall - mask.shape[0]) // 2 - rim), ink)


def paste(image: Image, mask: Image, corner: tuple[int, int], color: Color) -> None:
    """Blend a colour into the picture in place through a coverage mask with its top left at ``corner`` (x, y)."""
    x, y = corner
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + mask.shape[1], image.shape[1]), min(y + mask.shape[0], image.shape[0])
    if x1 >= x2 or y1 >= y2:
        return
    part = image[y1:y2, x1:x2]
    cover = mask[y1 - y : y2 - y, x1 - x : x2 - x, None].astype(np.uint16)
    part[:] = (part * (255 - cover) + np.array(color, np.uint16) * cover + 127) // 255


def _plate(image: Image, box: tuple[int, int, int, int], radius: int, color: Color) -> None:
    """Fill a rectangle (x1, y1, x2, y2, exclusive) with rounded corners, in place."""
    import cv2

    x1, y1, x2, y2 = box
    cv2.rectangle(image, (x1 + radius, y1), (x2 - radius - 1, y2 - 1), color, -1)
    cv2.rectangle(image, (x1, y1 + radius), (x2 - 1, y2 - radius - 1), color, -1)
    for cx in (x1 + radius, x2 - radius - 1):
        for cy in (y1 + radius, y2 - radius - 1):
            cv2.circle(image, (cx, cy), radius, color, -1, cv2.LINE_AA)


@dataclass(frozen=True)
class Badge:
    """A placed badge: its text, top left corner (x, y), text height in pixels, and colour."""

    text: str
    corner: tuple[int, int]
    height: int
    color: Color

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x1, y1, x2, y2) in pixels."""
        width, tall = badge_size(self.text, self.height)
        return (*self.corner, self.corner[0] + width, self.corner[1] + tall)


@dataclass(frozen=True)
class Spot:
    """What wants a badge.

    Attributes:
        text: the label.
        color: of the plate.
        boxes: (M, 4) its members; the badge goes beside or on one of them.
        name: written instead of ``text`` where the font has its letters and there is room for it, or for its start.
    """

    text: str
    color: Color
    boxes: npt.NDArray[np.float64]
    name: str = ""


def place_badges(
    spots: list[Spot], shape: tuple[int, ...], *, obstacles: npt.NDArray[np.floating[Any]] | None = None
) -> list[Badge]:
    """Find room for badges: outside their objects where nothing else stands, else on a corner of them.

    The text is in proportion to the objects, within the legible size and the picture's text height. Badges lie inside
    the picture and never over each other. Of the places that are free, the one that hides least of the objects is
    taken, the object's own counted half. Large groups choose first; where there is no room the badge is left out.

    Args:
        spots: what wants a badge.
        shape: (H, W) of the picture.
        obstacles: (N, 4) boxes that badges should not hide; None = those of the spots.

    Memory: spots x obstacles booleans of one spot at a time.
    """
    most = 0.75 * text_height(shape)
    boxes = [np.clip(spot.boxes.astype(np.float64), 0, [shape[1], shape[0]] * 2) for spot in spots]
    others = np.concatenate([np.zeros((0, 4)), *boxes]) if obstacles is None else obstacles.astype(np.float64)
    taken = np.zeros((len(spots), 4))
    placed: list[Badge] = []
    for at in sorted(range(len(spots)), key=lambda n: -len(boxes[n])):
        badge = _place(spots[at], boxes[at], most, shape, taken[: len(placed)], others)
        if badge is not None:
            taken[len(placed)] = badge.box
            placed.append(badge)
    return placed


def _place(
    spot: Spot, boxes: npt.NDArray[np.float64], most: float, shape: tuple[int, ...],
    taken: npt.NDArray[np.float64], others: npt.NDArray[np.float64],
) -> Badge | None:  # fmt: skip
    boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) > 1).all(axis=1)]
    if not len(boxes):
        return None
    side = float(np.median((boxes[:, 2:] - boxes[:, :2]).min(axis=1)))
    height = round(np.clip(TEXT_SHARE * side, MIN_HEIGHT, max(most, MIN_HEIGHT)))
    most_wide = float(WIDEST * np.ptp(boxes[:, [0, 2]]))
    text = truncated(spot.name, height, most_wide) or spot.text
    wide, tall = badge_size(text, height)
    if wide > most_wide:
        return None  # it would name more than its own objects
    gap = _rim(height) + 1
    first = boxes[np.argsort(boxes[:, 0] + boxes[:, 1], kind="stable")[:MEMBERS_TRIED]]
    x1, y1, x2, y2 = first.T
    corners = np.concatenate(
        [
            np.stack([x1, y1 - tall - gap], axis=1),  # above
            np.stack([x1 + gap, y1 + gap], axis=1),  # its corners, from inside
            np.stack([x2 - wide - gap, y1 + gap], axis=1),
            np.stack([x1 + gap, y2 - tall - gap], axis=1),
            np.stack([x1, y2 + gap], axis=1),  # below
        ]
    ).round()
    low, high = corners, corners + np.array([wide, tall])
    inside = (low >= 1).all(axis=1) & (high <= np.array(shape[1::-1]) - 1).all(axis=1)
    free = ~((low[:, None] - 2 < taken[None, :, 2:]) & (high[:, None] + 2 > taken[None, :, :2])).all(axis=2).any(axis=1)
    usable = np.flatnonzero(inside & free)
    if not len(usable):
        return None
    hidden = _overlap(low[usable], high[usable], others) - 0.5 * _overlap(low[usable], high[usable], boxes)
    x, y = corners[usable[int(np.argmin(hidden))]].astype(int).tolist()
    return Badge(text, (x, y), height, spot.color)


def _overlap(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], boxes: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return (M,) areas that M rectangles share with all boxes together."""
    sides = np.minimum(high[:, None], boxes[None, :, 2:]) - np.maximum(low[:, None], boxes[None, :, :2])
    return np.asarray(np.prod(np.maximum(sides, 0), axis=2).sum(axis=1))
