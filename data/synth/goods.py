"""Procedurally drawn goods in brand families whose variants differ in one thing: a colour, a word, a picture, a size.

    family = sample_family(np.random.default_rng(0), kind="bottle")
    first, second = family.variant(0), family.variant(1)
    rgba = first.render(128)

The same seed gives the same goods at every call and in every process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from data.errors import InputError
from data.synth.goods_design import Design, change_design, sample_design
from data.synth.goods_render import body_of, compose

__all__ = ["Family", "GoodsKind", "Product", "sample_family"]


class GoodsKind(StrEnum):
    """Kinds of packages."""

    BOTTLE = "bottle"
    CAN = "can"
    CARTON = "carton"
    JAR = "jar"
    TUBE = "tube"
    POUCH = "pouch"
    BOX = "box"
    TRAY = "tray"


_KINDS = tuple(GoodsKind)
_SHARE = (0.29, 0.11, 0.08, 0.12, 0.06, 0.11, 0.17, 0.06)


@dataclass(frozen=True)
class Product:
    """One product (an identity). Cheap: pictures are drawn when asked for and cached by the process.

    family_id: hexadecimal seed of its family. variant_id: 0 for the family's first, then 1, 2 … change: what distinguishes
    it from variant 0, such as ``"colour:cap"``, ``"swap:flavour"``, ``"line"``, ``"size"`` (empty for variant 0).
    """

    family_id: str
    variant_id: int
    change: str
    design: Design = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """Kind of package."""
        return self.design.kind

    @property
    def key(self) -> str:
        """Stable identity, equal in every process: ``"<family>:<variant>"``."""
        return f"{self.family_id}:{self.variant_id}"

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.design.shape.aspect

    @property
    def height_cm(self) -> float:
        """Usual physical height, for choosing scale on a shelf."""
        return self.design.shape.height_cm

    def render(self, height: int, rng: np.random.Generator | None = None) -> NDArray[np.uint8]:
        """Draw the product.

        Args:
            height: rows in pixels, 4 or more; the picture is ``max(1, round(height * aspect))`` wide.
            rng: when given, the pose varies: a round package is turned so that its print shifts, and all lean and shear
                slightly. Without it the product stands straight and faces the viewer.

        Returns:
            RGBA uint8 (height, width, 4), straight alpha.

        Raises:
            InputError: height below 4.
        """
        if height < 4:
            raise InputError(f"a product cannot be drawn {height} px high", remedy="use 4 px or more")
        size = (height, max(1, round(height * self.aspect)))
        body = body_of(self.key, self.design, height)
        if rng is None:
            return compose(body, size)
        turn = float(rng.normal(0, 0.4 if rng.random() < 0.2 else 0.1))
        lean = float(rng.normal(0, 1.0)) if rng.random() < 0.5 else 0.0
        shear = float(rng.normal(0, 0.012)) if rng.random() < 0.5 else 0.0
        return compose(body, size, turn=float(np.clip(turn, -0.7, 0.7)), lean=lean, shear=shear)


def _differs(a: Product, b: Product) -> bool:
    """Whether two products can be told apart by eye: aspect, or enough of a small picture, is different."""
    if abs(np.log(a.aspect / b.aspect)) > 0.15:
        return True
    size = (32, 48)
    one, two = (
        np.asarray(cv2.resize(p.render(80)[..., :3], size, interpolation=cv2.INTER_AREA), np.int16) for p in (a, b)
    )
    return float((np.abs(one - two).max(axis=2) > 36).mean()) >= 0.02


class Family:
    """A brand's line of products: one shared design, any number of variants, all fixed by the seed.

    Args:
        seed: fixes everything.
        kind: kind of package; drawn from the seed when not given.
    """

    def __init__(self, seed: int, kind: GoodsKind | str | None = None) -> None:
        rng = np.random.default_rng(seed)
        drawn = _KINDS[int(rng.choice(len(_KINDS), p=_SHARE))]
        try:
            self.kind = drawn if kind is None else GoodsKind(kind)
        except ValueError:
            raise InputError(f"unknown kind of goods {kind!r}", remedy=f"use one of {', '.join(_KINDS)}") from None
        self.seed = seed
        self.family_id = f"{seed:016x}"
        self._variants = [Product(self.family_id, 0, "", sample_design(rng, self.kind))]
        self._rng = rng

    def variant(self, index: int) -> Product:
        """The index-th product: 0 is the family's first, each other differs from it in one thing (sometimes two).

        Every variant is visibly different from all before it. Variants are made in order, so `index` costs index draws once.
        """
        while len(self._variants) <= index:
            candidate = self._variants[0]
            for _ in range(12):
                change, design = change_design(self._variants[0].design, self._rng)
                # A trial key keeps rejected candidates out of the cache of the real variant.
                trial = int(self._rng.integers(1 << 31))
                candidate = Product(f"{self.family_id}t{trial}", len(self._variants), change, design)
                if all(_differs(candidate, other) for other in self._variants):
                    break
            self._variants.append(Product(self.family_id, len(self._variants), candidate.change, candidate.design))
        return self._variants[index]

    def variants(self, n: int, rng: np.random.Generator | None = None) -> list[Product]:
        """n products of the family: the first n, or with `rng` n of the first 2n drawn without replacement."""
        if rng is None:
            return [self.variant(i) for i in range(n)]
        return [self.variant(int(i)) for i in rng.choice(2 * n, size=n, replace=False)]


def sample_family(rng: np.random.Generator, kind: GoodsKind | str | None = None) -> Family:
    """Draw a new family, of a given kind or of any."""
    return Family(int(rng.integers(1 << 62)), kind)
