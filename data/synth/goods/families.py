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

from packed_scenes.data.errors import InputError
from packed_scenes.data.synth.goods.design import Design, sample_design
from packed_scenes.data.synth.goods.render import body_of, compose
from packed_scenes.data.synth.goods.variants import change_design
from packed_scenes.data.synth.goods.vehicles import VehicleDesign, change_vehicle, draw_vehicle, sample_vehicle

__all__ = ["Family", "GoodsKind", "Product", "sample_family"]


class GoodsKind(StrEnum):
    """Kinds of goods: packages, which alone are drawn when no kind is asked for, and vehicles."""

    BOTTLE = "bottle"
    CAN = "can"
    CARTON = "carton"
    JAR = "jar"
    TUBE = "tube"
    POUCH = "pouch"
    BOX = "box"
    TRAY = "tray"
    VEHICLE = "vehicle"


_SHARE = {
    GoodsKind.BOTTLE: 0.3, GoodsKind.CAN: 0.12, GoodsKind.CARTON: 0.07, GoodsKind.JAR: 0.12, GoodsKind.TUBE: 0.06,
    GoodsKind.POUCH: 0.11, GoodsKind.BOX: 0.18, GoodsKind.TRAY: 0.04,
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """One product (an identity). Cheap: pictures are drawn when asked for and cached by the process.

    family_id: hexadecimal seed of its family. variant_id: 0 for the family's first, then 1, 2 … change: what
    distinguishes it from variant 0, such as ``"colour:cap"``, ``"swap:flavour"``, ``"line"``, ``"size"`` ("" for 0).
    """

    family_id: str
    variant_id: int
    change: str
    design: Design | VehicleDesign = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """Kind of goods."""
        return self.design.kind

    @property
    def key(self) -> str:
        """Stable identity, equal in every process: ``"<family>:<variant>"``."""
        return f"{self.family_id}:{self.variant_id}"

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.design.aspect

    @property
    def height_cm(self) -> float:
        """Usual physical height, for choosing scale on a shelf."""
        return self.design.height_cm

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
        if isinstance(self.design, VehicleDesign):
            turn, seed = (float(rng.uniform(-1, 1)), int(rng.integers(1 << 16))) if rng is not None else (0.0, 0)
            return draw_vehicle(self.design, size, turn=turn, seed=seed)
        body = body_of(self.key, self.design, height)
        if rng is None:
            return compose(body, size)
        turn = float(rng.normal(0, 0.4 if rng.random() < 0.2 else 0.1))
        lean = float(rng.normal(0, 1.0)) if rng.random() < 0.5 else 0.0
        shear = float(rng.normal(0, 0.012)) if rng.random() < 0.5 else 0.0
        return compose(body, size, turn=float(np.clip(turn, -0.7, 0.7)), lean=lean, shear=shear)


def _change(design: Design | VehicleDesign, rng: np.random.Generator) -> tuple[str, Design] | tuple[str, VehicleDesign]:
    return change_vehicle(design, rng) if isinstance(design, VehicleDesign) else change_design(design, rng)


def _thumbnail(design: Design | VehicleDesign, family_id: str) -> NDArray[np.int16]:
    """Small picture (64, 48, 3) by which two products of a family are compared; transparent parts are black."""
    if isinstance(design, VehicleDesign):
        rgba = draw_vehicle(design, (64, 64))
    else:
        rgba = compose(body_of(family_id, design, 64, keep=False), (64, 64))
    flat = rgba[..., :3].astype(np.float32) * (rgba[..., 3:] / 255)
    return np.asarray(cv2.resize(flat, (48, 64), interpolation=cv2.INTER_AREA), np.int16)


def _same_look(aspects: tuple[float, float], one: NDArray[np.int16], two: NDArray[np.int16]) -> bool:
    """Whether two products could not be distinguished by eye: neither aspect nor enough of the picture differs."""
    if abs(np.log(aspects[0] / aspects[1])) > 0.15:
        return False
    return float((np.abs(one - two).max(axis=2) > 36).mean()) < 0.008


class Family:
    """A brand's line of products: one shared design, any number of variants, all fixed by the seed.

    Args:
        seed: fixes everything.
        kind: kind of package; drawn from the seed when not given.
    """

    def __init__(self, seed: int, kind: GoodsKind | str | None = None) -> None:
        rng = np.random.default_rng(seed)
        drawn = list(_SHARE)[int(rng.choice(len(_SHARE), p=list(_SHARE.values())))]
        try:
            self.kind = drawn if kind is None else GoodsKind(kind)
        except ValueError:
            raise InputError(f"unknown kind of goods {kind!r}", remedy=f"use one of {', '.join(GoodsKind)}") from None
        self.seed = seed
        self.family_id = f"{seed:016x}"
        vehicle = self.kind == GoodsKind.VEHICLE
        design = sample_vehicle(rng) if vehicle else sample_design(rng, self.kind)
        self._variants = [Product(self.family_id, 0, "", design)]
        self._thumbnails: list[NDArray[np.int16]] = []
        self._rng = rng

    def variant(self, index: int) -> Product:
        """The index-th product: 0 is the family's first, each other differs from it in one thing (sometimes two).

        Every variant is visibly different from all before it (as far as twelve tries find one that is). Variants are
        made in order: the first call for `index` makes all up to it.
        """
        first = self._variants[0].design
        while len(self._variants) <= index:
            if not self._thumbnails:
                self._thumbnails.append(_thumbnail(first, self.family_id))
            for _ in range(12):
                change, design = _change(first, self._rng)
                thumbnail = _thumbnail(design, self.family_id)
                known = zip(self._variants, self._thumbnails, strict=True)
                if not any(_same_look((p.aspect, design.aspect), t, thumbnail) for p, t in known):
                    break
            self._variants.append(Product(self.family_id, len(self._variants), change, design))
            self._thumbnails.append(thumbnail)
        return self._variants[index]

    def variants(self, n: int, rng: np.random.Generator | None = None) -> list[Product]:
        """n products of the family: the first n, or with `rng` n of the first 2n drawn without replacement."""
        if rng is None:
            return [self.variant(i) for i in range(n)]
        return [self.variant(int(i)) for i in rng.choice(2 * n, size=n, replace=False)]


def sample_family(rng: np.random.Generator, kind: GoodsKind | str | None = None) -> Family:
    """Draw a new family, of a given kind or of any."""
    return Family(int(rng.integers(1 << 62)), kind)
