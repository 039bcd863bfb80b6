"""A folder of crops whose number of identities is known: real goods, goods derived from them, and drawn goods.

For measuring a count against the truth. Identities have 1 to 200 crops with a long tail; a third of them are real
products and recoloured ones (each crop another real crop of the class), the rest drawn goods in families whose
variants differ in one thing. Every crop is shown in its own light, box, blur and neighbourhood
(:mod:`packed_scenes.embed.augment`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from packed_scenes.data.errors import InputError
from packed_scenes.data.files import write_csv, write_json
from packed_scenes.data.images import write_image

if TYPE_CHECKING:
    from packed_scenes.data.synth.goods.crops import CropProduct, Recolouring
    from packed_scenes.data.synth.goods.families import Product

MAX_PER_IDENTITY = 200  # crops of one identity
TAIL = 1.35  # exponent of the sizes: 25,000 crops of about 1,300 identities
REAL = 1 / 3  # share of identities from real crops, where there are any
DISTINCT, TRIES = 0.15, 12  # share of the picture by which any two identities of one product differ
TALL = (90, 200)  # height of a crop in pixels

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """One identity: a drawn product, or a real one under a recolouring (None: as it is)."""

    product: Product | CropProduct
    look: Recolouring | None = None

    def draw(self, height: int, rng: np.random.Generator) -> U8:
        """One view, RGBA uint8 (height, width, 4)."""
        from packed_scenes.data.synth.goods.crops import recolour

        picture = self.product.render(height, rng)
        if self.look is None:
            return picture
        return np.dstack([recolour(np.ascontiguousarray(picture[..., :3]), self.look), picture[..., 3]])


def long_tail(crops: int, identities: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return (identities,) sizes from 1 to ``MOST`` that add up to ``crops``.

    Raises:
        InputError: if that cannot be.
    """
    if not 1 <= identities <= crops <= identities * MAX_PER_IDENTITY:
        raise InputError(f"{crops} crops of {identities} identities with 1 to {MAX_PER_IDENTITY} each cannot be")
    # Inverse of the distribution function of x ** -TAIL on [1, MOST + 1).
    power = 1 - TAIL
    drawn = (1 + rng.random(identities) * ((MAX_PER_IDENTITY + 1) ** power - 1)) ** (1 / power)
    sizes: npt.NDArray[np.int64] = np.floor(drawn).astype(np.int64)
    while (gap := crops - int(sizes.sum())) != 0:
        step = 1 if gap > 0 else -1
        free = np.flatnonzero(sizes < MAX_PER_IDENTITY if gap > 0 else sizes > 1)
        # In proportion to size, so that the tail keeps its form.
        weight = sizes[free] / sizes[free].sum()
        chosen = rng.choice(free, size=min(abs(gap), len(free)), replace=False, p=weight)
        sizes[chosen] += step
    return sizes


def cast(count: int, rng: np.random.Generator, *, packed: Path | None) -> list[Shown]:
    """Draw ``count`` different identities, in random order."""
    real = _real(round(count * REAL), rng, packed) if packed is not None else []
    drawn: list[Shown] = []
    from packed_scenes.data.synth.goods.families import sample_family

    while len(real) + len(drawn) < count:
        family = sample_family(rng)
        drawn += [Shown(family.variant(i)) for i in range(int(rng.integers(1, 5)))]
    both = [*real, *drawn][:count]
    return [both[i] for i in rng.permutation(count)]


def _real(count: int, rng: np.random.Generator, packed: Path) -> list[Shown]:
    from packed_scenes.data.synth.goods.crops import CropGoods, sample_recolouring
    from packed_scenes.embed.sources import PACKED_DROPPED, PACKED_SAME

    goods = CropGoods(packed)
    # One folder of each duplicated pair, none of the mixed ones: or the truth would be wrong.
    clean = [p for p in goods.products if p.family_id not in {*PACKED_SAME, *PACKED_DROPPED}]
    shown = [Shown(p) for p in clean][:count]
    known: dict[CropProduct, list[U8]] = {p: [_small(p, None)] for p in clean}
    turn = 0
    while len(shown) < count:
        product = clean[turn % len(clean)]
        turn += 1
        for _ in range(TRIES):
            look = sample_recolouring(rng, [product.render(96, rng)[..., :3]], min_change=DISTINCT)
            picture = _small(product, look)
            if all(_differs(picture, other) for other in known[product]):
                break
        else:
            if turn > TRIES * count:
                raise InputError(f"only {len(shown)} visibly different identities can be made", file=packed)
            continue
        known[product].append(picture)
        shown.append(Shown(product, look))
    return shown


def _small(product: CropProduct, look: Recolouring | None) -> U8:
    """The product's first crop under a look, unmirrored, small: what two identities of one product are compared by."""
    import cv2

    from packed_scenes.data.synth.goods.crops import recolour

    picture = np.asarray(cv2.resize(product.render(96)[..., :3], (32, 48), interpolation=cv2.INTER_AREA), np.uint8)
    return picture if look is None else recolour(picture, replace(look, mirror=False))


def _differs(one: U8, two: U8) -> bool:
    """Whether a person tells two identities of one product apart: enough pixels differ by 36 of 255 and more."""
    return float((np.abs(one.astype(np.int16) - two).max(axis=2) > 36).mean()) >= DISTINCT


def compose(
    out: Path, *, crops: int = 25_000, identities: int = 1_300, packed: Path | None = None, seed: int = 0
) -> Iterator[int]:
    """Write ``out/crops/*.jpg`` and ``out/truth.csv`` (file, identity); gives the number of crops written so far.

    Crops of one identity are written one after the other but named at random, so that names tell nothing. An
    identity that is complete is not drawn again, so an interrupted call goes on.

    Raises:
        InputError: if the numbers cannot be, or ``packed`` holds no crops.
    """
    rng = np.random.default_rng([seed, 0xC0DE])
    sizes = long_tail(crops, identities, rng)
    people = cast(identities, rng, packed=packed)
    names = [f"{n:06d}.jpg" for n in rng.permutation(crops)]
    owner = np.repeat(np.arange(identities), sizes)
    write_csv(out / "truth.csv", [("file", "identity"), *sorted(zip(names, owner.tolist(), strict=True))])
    done = 0
    for who, size in enumerate(sizes.tolist()):
        mine = [out / "crops" / name for name in names[done : done + size]]
        if not all(file.exists() for file in mine):
            _draw(people, who, mine, np.random.default_rng([seed, who]))
        done += size
        yield done
    write_json(
        out / "made.json",
        {"crops": crops, "identities": identities, "seed": seed, "real": packed is not None, "most": int(sizes.max())},
    )


def _draw(people: list[Shown], who: int, files: list[Path], rng: np.random.Generator) -> None:
    from packed_scenes.embed.augment import Augmentation, augment

    # Milder than any training: crops of a folder are seen by a camera, not made to be unrecognisable.
    how = Augmentation(
        low=0.2, low_scale=0.5, gain=0.2, white=0.04, occlude=0.1, contrast=0.15, cut=0.05, noise=5, box_error=0.02,
        overlap=0.1, gradient=0.15, gloss=0.1,
    )  # fmt: skip
    beside: Any = people[int(rng.integers(len(people)))].draw(TALL[1], rng)
    for file in files:
        picture = people[who].draw(int(rng.integers(*TALL)), rng)
        size = (picture.shape[1], picture.shape[0])
        view = augment(
            picture, size, beside, (beside.shape[1], beside.shape[0]), width=size[0], height=size[1], rng=rng, how=how
        )
        write_image(file, view, quality=88)
