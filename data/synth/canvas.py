"""The sheet on which a scene is composed: a picture and, beside it, which object every pixel belongs to.

The truth is read off the id sheet after the perspective warp, so a box is exact by construction: it spans the pixels on
which its object is the front-most thing. All arithmetic is uint8 in OpenCV; a paste costs some 60 µs for 60 x 120 px.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
SOLID = 128  # a pixel belongs to an object from this alpha on


@dataclass(frozen=True)
class Sprite:
    """One thing ready to paste: colour times alpha, what shows through, and its solid pixels.

    Attributes:
        colour: (h, w, 3) uint8, already multiplied by alpha.
        through: (h, w, 3) uint8, 255 minus alpha, or None where everything is opaque.
        solid: (h, w) bool, alpha >= 128.
        area: number of solid pixels.
    """

    colour: Picture
    through: Picture | None
    solid: npt.NDArray[np.bool_]
    area: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.colour.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.colour.shape[0])

    @classmethod
    def from_premultiplied(cls, rgba: Picture) -> Sprite:
        """Split a premultiplied (h, w, 4) picture."""
        alpha = np.ascontiguousarray(rgba[..., 3])
        colour = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
        solid = alpha >= SOLID
        if alpha.min() >= 250:
            return cls(colour, None, solid, solid.size)
        through = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB)
        return cls(colour, through, solid, int(np.count_nonzero(solid)))

    def lit(self, gain: float) -> Sprite:
        """Brighter or darker by a factor."""
        if abs(gain - 1) < 0.01:
            return self
        return Sprite(cv2.convertScaleAbs(self.colour, alpha=gain), self.through, self.solid, self.area)


def premultiply(rgba: Picture) -> Picture:
    """Multiply colour by alpha, so that resizing and blending do not bleed the colour of empty pixels."""
    out = np.array(rgba, np.uint8, order="C")
    alpha = cv2.cvtColor(np.ascontiguousarray(out[..., 3]), cv2.COLOR_GRAY2RGB)
    out[..., :3] = cv2.multiply(np.ascontiguousarray(out[..., :3]), alpha, scale=1 / 255)
    return out


class Canvas:
    """A picture under composition.

    Attributes:
        rgb: (H, W, 3) uint8.
        ids: (H, W) uint16, 0 = no object, k = object k - 1.
        identity: identity of each object pasted so far.
        area: solid pixels of each object as if nothing hid or cut it.
        fill_share: share of its frame that these are.
        center: its centre on the canvas (x, y).
    """

    def __init__(self, height: int, width: int) -> None:
        self.rgb: Picture = np.zeros((height, width, 3), np.uint8)
        self.ids: npt.NDArray[np.uint16] = np.zeros((height, width), np.uint16)
        self.identity: list[int] = []
        self.area: list[int] = []
        self.fill_share: list[float] = []
        self.center: list[tuple[float, float]] = []

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.rgb.shape[1])

    def paste(self, sprite: Sprite, x: int, y: int, identity: int | None = None) -> None:
        """Put a sprite with its top-left corner at (x, y) in front of all before; without identity it only hides."""
        x1, y1 = max(x, 0), max(y, 0)
        x2, y2 = min(x + sprite.width, self.width), min(y + sprite.height, self.height)
        if x1 >= x2 or y1 >= y2:
            return
        part = np.s_[y1 - y : y2 - y, x1 - x : x2 - x]
        target = self.rgb[y1:y2, x1:x2]
        if sprite.through is None:
            target[:] = sprite.colour[part]
        else:
            cv2.multiply(target, sprite.through[part], dst=target, scale=1 / 255)
            cv2.add(target, sprite.colour[part], dst=target)
        number = 0
        if identity is not None:
            self.identity.append(identity)
            self.area.append(sprite.area)
            self.fill_share.append(sprite.area / (sprite.width * sprite.height))
            self.center.append((x + sprite.width / 2, y + sprite.height / 2))
            number = len(self.identity)
        np.copyto(self.ids[y1:y2, x1:x2], number, where=sprite.solid[part])

    def fill(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        """Paint a rectangle of scenery over everything before it."""
        a, b, c, d = max(round(x1), 0), max(round(y1), 0), max(round(x2), 0), max(round(y2), 0)
        self.rgb[b:d, a:c] = colour
        self.ids[b:d, a:c] = 0

    def ramp(self, x1: float, y1: float, x2: float, y2: float, top: Colour, bottom: Colour) -> None:
        """Paint a rectangle of scenery that goes from one colour at its top to another at its bottom."""
        a, b, c, d = max(round(x1), 0), max(round(y1), 0), max(round(x2), 0), min(max(round(y2), 0), self.height)
        if b >= d:
            return
        share = (np.arange(b, d, dtype=np.float32)[:, None] - y1) / max(y2 - y1, 1e-6)
        colours = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share
        self.rgb[b:d, a:c] = np.clip(colours, 0, 255).astype(np.uint8)[:, None]
        self.ids[b:d, a:c] = 0

    def warp(self, matrix: npt.NDArray[np.float64], height: int, width: int) -> tuple[Picture, npt.NDArray[np.uint16]]:
        """Look at the canvas through a homography (canvas -> picture): linear for colour, nearest for ids."""
        size = (width, height)
        picture = cv2.warpPerspective(self.rgb, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ids = cv2.warpPerspective(self.ids, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        return picture, ids

    def full_area(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(N,) pixels that each object would cover in the warped picture if nothing hid or cut it."""
        if not self.area:
            return np.zeros(0)
        xy1 = np.column_stack([np.array(self.center), np.ones(len(self.center))])
        depth = xy1 @ matrix[2]
        # the Jacobian determinant of a homography is det(M) / w^3
        full: npt.NDArray[np.float64] = np.array(self.area) * np.abs(np.linalg.det(matrix) / depth**3)
        return full


def visible_boxes(ids: npt.NDArray[np.uint16], count: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Read the visible box and pixel count of objects 1 … count off an id sheet in one pass.

    Returns:
        (count, 4) float32 boxes, x2/y2 exclusive, zeros for objects that are nowhere; (count,) int64 pixels.
    """
    boxes = np.zeros((count, 4), np.float32)
    pixels = np.bincount(ids.ravel(), minlength=count + 1)[1 : count + 1].astype(np.int64)
    for row, found in enumerate(ndimage.find_objects(ids, max_label=count) if count else []):
        if found is not None:
            boxes[row] = found[1].start, found[0].start, found[1].stop, found[0].stop
    return boxes, pixels
