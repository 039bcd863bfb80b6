"""Goods at hand: an endless numbered line of families, seen through a window and kept as ready-made textures.

Family ``j`` of a stream depends on the stream's seed and ``j`` alone, so any worker can make any scene in any order.
What was rendered is kept, least recently used out first, under a byte budget. A package of 200 px takes some 10 ms to
draw and a scene shows 20 of them, so scenes re-use the families of a slowly moving window instead of drawing new ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Picture, Sprite, premultiply

# Height at which goods are drawn; smaller ones are shrunk from it, larger ones drawn for themselves.
BASE = 192
TIERS = (24, 48, 96, BASE, 384, 768, 1536)
TAKES = 3  # pictures kept of one identity where its renderings differ
BUDGET = 160 * 2**20  # bytes of textures kept of the main goods
SMALL = 16 * 2**20  # and of people, signs and each kind of small things
STRIDE = 16  # identity = (salt * SALT + family) * STRIDE + variant
SALT = 2**40


class Renderable(Protocol):
    """Something that can draw itself. A ``takes`` attribute, if there is one, says how many pictures of it differ."""

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Return (height, w, 4) uint8 RGBA, straight alpha."""
        ...


class Source(Protocol):
    """Something that makes families of goods."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one family: 1 … ``variants`` products that look alike and are different identities."""
        ...


class Pool:
    """The goods of one stream.

    Args:
        source: makes families.
        seed: of the stream.
        salt: tells pools of one stream apart (goods, people, …).
        variants: largest number of variants per family.
        budget: bytes of textures kept; one texture is kept however large it is.
        base: one of ``TIERS``: the height at which things are drawn when a smaller one is asked for.

    Memory: ``budget``, plus the small descriptions of up to 4096 families.
    """

    def __init__(
        self,
        source: Source,
        seed: int,
        *,
        salt: int = 0,
        variants: int = 5,
        budget: int | None = None,
        base: int = BASE,
    ) -> None:
        self._source = source
        self._seed = [seed, 7, salt]
        self._first = salt * SALT
        self._base = base
        self._variants = min(variants, STRIDE)
        self._families: OrderedDict[int, Sequence[Renderable]] = OrderedDict()
        self._textures: OrderedDict[tuple[int, int, int], Picture] = OrderedDict()
        self._bytes = 0
        self._budget = BUDGET if budget is None else budget

    def family(self, number: int) -> list[int]:
        """Identities of family ``number``; no two pools of a stream share one."""
        first = (self._first + number) * STRIDE
        return [first + k for k in range(len(self._family(number)))]

    def product(self, identity: int) -> Renderable:
        """What an identity is."""
        number, variant = divmod(identity, STRIDE)
        return self._family(number - self._first)[variant]

    def takes(self, identity: int) -> int:
        """How many different pictures of an identity are at hand."""
        return max(1, min(TAKES, getattr(self.product(identity), "takes", 1)))

    def tallness(self, identity: int) -> float | None:
        """Usual height in centimetres, where the product says one."""
        return getattr(self.product(identity), "height_cm", None)

    def texture(self, identity: int, height: float, take: int = 0) -> Picture:
        """Premultiplied RGBA of an identity at the tier at or above ``height`` (or the largest there is)."""
        tier = next((t for t in TIERS if t >= height), TIERS[-1])
        key = (identity, tier, take)
        if key in self._textures:
            self._textures.move_to_end(key)
            return self._textures[key]
        if tier < self._base:
            large = self.texture(identity, TIERS[TIERS.index(tier) + 1], take)
            size = (max(1, round(large.shape[1] * tier / large.shape[0])), tier)
            texture: Picture = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
        else:
            number, variant = divmod(identity - self._first * STRIDE, STRIDE)
            rng = np.random.default_rng([*self._seed, number, 1 + variant, take])
            texture = premultiply(self._family(number)[variant].render(tier, rng if take else None))
        self._textures[key] = texture
        self._bytes += texture.nbytes
        while self._bytes > self._budget and len(self._textures) > 1:
            self._bytes -= self._textures.popitem(last=False)[1].nbytes
        return texture

    def aspect(self, identity: int, take: int = 0) -> float:
        """Width over height."""
        height, width = self.texture(identity, TIERS[0], take).shape[:2]
        return float(width / height)

    def sprite(self, identity: int, width: float, height: float, *, angle: float = 0.0, take: int = 0) -> Sprite:
        """Make a sprite of an identity at a size in pixels, turned by ``angle`` degrees counter-clockwise."""
        size = (max(2, round(width)), max(2, round(height)))
        texture = self.texture(identity, size[1], take)
        shrinks = texture.shape[0] > size[1]
        small = cv2.resize(texture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return Sprite.from_premultiplied(rotate(small, angle) if angle else small)

    def _family(self, number: int) -> Sequence[Renderable]:
        if number in self._families:
            self._families.move_to_end(number)
            return self._families[number]
        rng = np.random.default_rng([*self._seed, number, 0])
        self._families[number] = family = self._source.family(rng, self._variants)
        while len(self._families) > 4096:
            self._families.popitem(last=False)
        return family


def rotate(rgba: Picture, angle: float) -> Picture:
    """Turn a premultiplied picture about its centre and grow the frame to hold it; quarter turns are lossless."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(rgba, round(angle / 90)))
    height, width = rgba.shape[:2]
    matrix: npt.NDArray[np.float64] = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    c, s = abs(matrix[0, 0]), abs(matrix[0, 1])
    w, h = int(np.ceil(height * s + width * c)), int(np.ceil(height * c + width * s))
    matrix[:, 2] += (w - width) / 2, (h - height) / 2
    turned: Picture = cv2.warpAffine(rgba, matrix, (w, h), flags=cv2.INTER_LINEAR)
    return turned
