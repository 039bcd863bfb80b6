"""What makes a drawn person: body, skin, hair, clothes and bags, and others who differ in one thing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from packed_scenes.data.synth.canvas import Colour
from packed_scenes.data.synth.people.fabric import Fabric, sample_colour, sample_fabric

SKIN: tuple[Colour, ...] = (
    (241, 205, 180), (229, 184, 152), (216, 164, 126), (194, 140, 102), (160, 108, 76), (122, 78, 52), (86, 54, 38),
)  # fmt: skip
HAIR: tuple[Colour, ...] = (
    (22, 19, 20), (34, 26, 24), (62, 42, 30), (96, 66, 42), (150, 112, 66), (205, 172, 112), (165, 163, 160),
    (112, 48, 32),
)  # fmt: skip
_HAIR_SHARE = np.array([0.3, 0.22, 0.16, 0.11, 0.07, 0.05, 0.06, 0.03])
STYLES = ("bald", "short", "full", "bob", "long", "tail", "bun")
HATS = ("none", "cap", "woolly", "hood", "helmet", "scarf")
BAGS = ("none", "backpack", "across", "shoulder", "hand", "paper")


@dataclass(frozen=True, kw_only=True)
class Lower:
    """Below the waist: ``kind`` is trousers, shorts or skirt; ``hem`` the height of its end; ``cut`` its half width."""

    kind: str
    fabric: Fabric
    hem: float
    cut: float


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """One person in the clothes of one day; lengths are shares of the body's height, y from the top of the head.

    Attributes:
        build: width of the body, 1 = usual.
        shape: 0 = straight, 1 = narrow waist and wide hips.
        head: size of the head, 1 = usual.
        skin, hair: colours.
        style: one of ``STYLES``; ``hair_length``: how far hair hangs below the chin.
        beard, glasses, mask: what is on the face.
        hat: one of ``HATS``, with its colours.
        shirt, sleeve, hem: fabric, share of the arm it covers, height of its end.
        print_at: (angle in degrees, row share, half size in texture pixels) of a print, or None.
        print_seed: what the print shows.
        jacket, opening, jacket_hem, jacket_sleeve: fabric or None, half angle in degrees that it stands open, end.
        trim: colour of bands on sleeves and chest (sports, safety), or None.
        collar: colour, or None.
        lower: trousers, shorts, skirt.
        belt: colour, or None.
        stripe: colour of a stripe down the trousers' sides, or None.
        shoes, sole, shaft: colours, height of a boot's shaft.
        socks: colour.
        bag, bag_fabric, bag_size, bag_side: one of ``BAGS``.
        scarf: colour, or None.
    """

    build: float
    shape: float
    head: float
    skin: Colour
    hair: Colour
    style: str
    hair_length: float
    beard: float
    glasses: bool
    mask: Colour | None
    hat: str
    hat_fabric: Fabric
    shirt: Fabric
    sleeve: float
    hem: float
    print_at: tuple[float, float, float] | None
    print_seed: int
    jacket: Fabric | None
    opening: float
    jacket_hem: float
    jacket_sleeve: float
    trim: Colour | None
    collar: Colour | None
    lower: Lower
    belt: Colour | None
    stripe: Colour | None
    shoes: Colour
    sole: Colour
    shaft: float
    socks: Colour
    bag: str
    bag_fabric: Fabric
    bag_size: float
    bag_side: int
    scarf: Colour | None


def sample_appearance(rng: np.random.Generator) -> Appearance:
    """Draw a person."""
    woman = rng.random() < 0.48
    hair = rng.choice(len(HAIR), p=_HAIR_SHARE / _HAIR_SHARE.sum())
    style = str(
        rng.choice(STYLES, p=[0, 0.1, 0.1, 0.25, 0.33, 0.16, 0.06] if woman else [0.1, 0.6, 0.22, 0.05, 0.02, 0.01, 0])
    )
    body = {
        "build": float(np.clip(rng.normal(0.94 if woman else 1.05, 0.13), 0.7, 1.6)),
        "shape": float(rng.uniform(0.35, 1.0) if woman else rng.uniform(0, 0.35)), "head": float(rng.normal(1, 0.05)),
        "skin": _near(rng, SKIN[rng.integers(len(SKIN))], 10), "hair": _near(rng, HAIR[hair], 8), "style": style,
        "hair_length": float(rng.uniform(0.02, 0.2)), "beard": float(0 if woman else max(0.0, rng.uniform(-1.5, 1))),
        "glasses": bool(rng.random() < 0.2), "mask": sample_colour(rng) if rng.random() < 0.06 else None,
    }  # fmt: skip
    return Appearance(**body, **sample_clothes(rng, woman=woman))  # type: ignore[arg-type]


def sample_clothes(rng: np.random.Generator, *, woman: bool) -> dict[str, object]:
    """Draw everything of a :class:`Appearance` that can be taken off."""
    has_jacket = rng.random() < 0.42
    jacket = sample_fabric(rng, plain=0.55) if has_jacket else None
    closed = rng.random() < 0.4
    sleeve = rng.choice([0.02, 0.3, 0.45, 0.7, 1.0], p=[0.07, 0.28, 0.15, 0.08, 0.42])
    hems = [rng.uniform(0.46, 0.55), rng.uniform(0.55, 0.64), rng.uniform(0.64, 0.82)]
    return {
        "hat": str(rng.choice(HATS, p=[0.78, 0.08, 0.05, 0.04, 0.02, 0.03])),
        "hat_fabric": sample_fabric(rng, plain=0.7),
        "shirt": sample_fabric(rng), "sleeve": float(sleeve),
        "hem": float(rng.uniform(0.49, 0.58)),
        "print_at": _sample_print(rng) if rng.random() < 0.33 else None, "print_seed": int(rng.integers(2**31)),
        "jacket": jacket, "opening": 0.0 if closed else float(rng.uniform(8, 55)),
        "jacket_hem": float(rng.choice(hems, p=[0.5, 0.35, 0.15])),
        "jacket_sleeve": 1.0 if rng.random() < 0.9 else 0.05,
        "trim": sample_colour(rng) if rng.random() < 0.12 else None,
        "collar": sample_colour(rng) if rng.random() < 0.25 else None,
        "lower": sample_lower(rng, woman=woman), "belt": sample_colour(rng) if rng.random() < 0.25 else None,
        "stripe": sample_colour(rng) if rng.random() < 0.07 else None,
        "shoes": sample_colour(rng), "sole": (235, 235, 232) if rng.random() < 0.5 else (30, 28, 28),
        "shaft": float(rng.uniform(0.05, 0.22)) if rng.random() < 0.14 else 0.0, "socks": sample_colour(rng),
        "bag": str(rng.choice(BAGS, p=[0.46, 0.26, 0.09, 0.08, 0.06, 0.05])),
        "bag_fabric": sample_fabric(rng, plain=0.7),
        "bag_size": float(rng.uniform(0.7, 1.35)), "bag_side": int(rng.choice([-1, 1])),
        "scarf": sample_colour(rng) if rng.random() < 0.06 else None,
    }  # fmt: skip


def sample_lower(rng: np.random.Generator, *, woman: bool) -> Lower:
    """Draw trousers, shorts or a skirt."""
    kind = str(rng.choice(["trousers", "shorts", "skirt"], p=[0.66, 0.13, 0.21] if woman else [0.8, 0.2, 0]))
    hem = {
        "trousers": rng.choice([0.955, 0.94, 0.86], p=[0.6, 0.3, 0.1]),
        "shorts": rng.uniform(0.6, 0.77),
        "skirt": rng.uniform(0.62, 0.92),
    }
    fabric = sample_fabric(rng, plain=0.62 if kind != "skirt" else 0.35)
    if kind == "trousers" and rng.random() < 0.28:
        fabric = replace(fabric, pattern="denim", colours=(_denim(rng), fabric.colours[1], fabric.colours[2]))
    return Lower(kind=kind, fabric=fabric, hem=float(hem[kind]), cut=float(rng.uniform(0.8, 1.5)))


def variants(appearance: Appearance, rng: np.random.Generator, count: int) -> list[Appearance]:
    """A person and ``count`` - 1 others who are easily taken for them.

    One has other trousers, another jacket or shirt, another bag; one is a colleague in the same uniform; one is dressed
    in the same dark colours.
    """
    out = [appearance]
    while len(out) < count:
        other, kind = sample_appearance(rng), rng.random()
        if kind < 0.22:
            out.append(replace(appearance, lower=other.lower, shoes=other.shoes))
        elif kind < 0.44:
            out.append(replace(
                appearance, shirt=other.shirt, sleeve=other.sleeve, print_at=other.print_at,
                print_seed=other.print_seed, opening=other.opening,
                jacket=other.jacket if appearance.jacket is not None or rng.random() < 0.3 else None,
            ))  # fmt: skip
        elif kind < 0.58:
            bag = other.bag if other.bag != appearance.bag else ("none" if appearance.bag != "none" else "backpack")
            out.append(
                replace(appearance, bag=bag, bag_fabric=other.bag_fabric, shoes=other.shoes, bag_side=other.bag_side)
            )
        elif kind < 0.8:  # the same uniform
            out.append(replace(
                appearance, build=other.build, shape=other.shape, skin=other.skin, hair=other.hair, style=other.style,
                hair_length=other.hair_length, beard=other.beard, glasses=other.glasses, shoes=other.shoes,
                bag=other.bag, bag_fabric=other.bag_fabric, hat=other.hat if rng.random() < 0.5 else appearance.hat,
            ))  # fmt: skip
        else:  # the same colours on another person
            out.append(replace(
                other, shirt=replace(other.shirt, colours=appearance.shirt.colours),
                lower=replace(other.lower, fabric=appearance.lower.fabric),
                jacket=None if appearance.jacket is None else replace(appearance.jacket, seed=other.print_seed),
            ))  # fmt: skip
    return out


def _sample_print(rng: np.random.Generator) -> tuple[float, float, float]:
    back = 180.0 if rng.random() < 0.35 else 0.0
    small = rng.random() < 0.4
    angle = back + (rng.choice([-28.0, 28.0]) if small and not back else 0.0)
    return float(angle), float(rng.uniform(0.25, 0.55)), float(rng.uniform(3, 6) if small else rng.uniform(8, 16))


def _near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    shift = rng.normal(0, spread) + rng.normal(0, spread / 3, 3)
    r, g, b = np.clip(np.array(colour) + shift, 0, 255).astype(int).tolist()
    return r, g, b


def _denim(rng: np.random.Generator) -> Colour:
    depth = rng.uniform(0.35, 1.7)
    return int(60 * depth), int(80 * depth), int(112 * depth)
