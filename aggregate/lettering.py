"""Numbered badges: text on a rounded plate, and room for many of them without overlap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from packed_scenes.aggregate.colors import Color, is_light
from packed_scenes.data.shipped import ASSETS

Image = npt.NDArray[np.uint8]

FONT = ASSETS / "fonts" / "DejaVuSans-Bold.ttf"
SMALLEST = 9  # text height in pixels below which digits stop being legible
CRACK = 0.1  # the middle between members this close (share of their width) is still on them
SIZES = (1.0, 0.8, 0.65, 0.5)  # tried in this order where there is no room


def text_height(shape: tuple[int, ...]) -> int:
    """Return the text height in pixels that is legible when a picture of this (H, W) is fitted to a screen."""
    return max(11, round(0.018 * max(shape[:2])))


@lru_cache(maxsize=64)
def _font(height: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT), height)


@lru_cache(maxsize=4096)
def text_mask(text: str, height: int) -> Image:
    """Render a line of text as coverage (h, w), 0 … 255; digits are vertically centred, whatever hangs below."""
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
    paste(image, mask, (x + (width - mask.shape[1]) // 2, y + (tall - mask.shape[0]) // 2), ink)


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
        boxes: (M, 4) its members; the badge goes on one of them.
    """

    text: str
    color: Color
    boxes: npt.NDArray[np.float64]


def place_badges(spots: list[Spot], shape: tuple[int, ...]) -> list[Badge]:
    """Find room for badges: on a member nearest to the middle, inside the picture, none over another.

    Small ones choose first. Where there is no room the text shrinks to half, never below the legible size, and then
    the badge is left out.
    """
    base = text_height(shape)
    taken = np.zeros((len(spots), 4))
    placed: list[Badge] = []
    area = [float(np.prod(np.ptp(spot.boxes.reshape(-1, 2), axis=0))) for spot in spots]
    for at in np.argsort(area, kind="stable").tolist():
        badge = _place(spots[at], base, shape, taken[: len(placed)])
        if badge is not None:
            taken[len(placed)] = badge.box
            placed.append(badge)
    return placed


def _place(spot: Spot, base: int, shape: tuple[int, ...], taken: npt.NDArray[np.float64]) -> Badge | None:
    boxes = np.clip(spot.boxes, 0, [shape[1], shape[0]] * 2)
    boxes = boxes[((boxes[:, 2:] - boxes[:, :2]) > 1).all(axis=1)]
    if not len(boxes):
        return None
    size = boxes[:, 2:] - boxes[:, :2]
    centers = boxes[:, :2] + size / 2
    middle = (boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2
    nearest = np.argsort(np.linalg.norm(centers - middle, axis=1), kind="stable")[:8]
    away = np.maximum(np.maximum(boxes[:, :2] - middle, middle - boxes[:, 2:]), 0).max(axis=1)
    first = middle[None] if (away <= CRACK * size.min(axis=1)).any() else np.zeros((0, 2))
    steps = np.array([0.5, 0.25, 0.75, 0.12, 0.88])
    for share in SIZES:
        height = max(SMALLEST, round(base * share))
        wide = np.array(badge_size(spot.text, height))
        if (wide > size[nearest].max(axis=0)).any() and share != SIZES[-1] and height > SMALLEST:
            continue  # a smaller one stays on its object
        anchors = boxes[nearest, None, :2] + size[nearest, None] * np.stack([np.full(5, 0.5), steps], axis=1)
        corner = np.clip(
            np.concatenate([first, anchors.reshape(-1, 2)]) - wide / 2,
            2,
            np.maximum(np.array(shape[1::-1]) - wide - 2, 2),
        ).round()
        low, high = corner[:, None] - 2, (corner + wide)[:, None] + 2
        free = ~((low < taken[None, :, 2:]) & (high > taken[None, :, :2])).all(axis=2).any(axis=1)
        fits = free & ((corner + wide) <= np.array(shape[1::-1])).all(axis=1)
        if fits.any():
            x, y = corner[int(fits.argmax())].astype(int).tolist()
            return Badge(spot.text, (x, y), height, spot.color)
        if height == SMALLEST:
            break
    return None
