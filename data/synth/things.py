"""Small round things for scattered scenes: blood cells, stained or glowing nuclei, coins, fruit, sweets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from packed_scenes.data.synth.canvas import Colour, Picture
from packed_scenes.data.synth.pool import Renderable
from packed_scenes.data.synth.signs import FONTS, colour, text

Plane = npt.NDArray[np.float32]


class Kind(StrEnum):
    """The kinds of scattered things."""

    CELL = "cell"
    NUCLEUS = "nucleus"
    GLOW = "glow"
    COIN = "coin"
    FRUIT = "fruit"
    SWEET = "sweet"


@dataclass(frozen=True)
class Thing:
    """One kind of small thing; its outline wobbles from take to take, its colours do not.

    Attributes:
        kind: what it is.
        base: main colour.
        second: colour of centre, lobes, emblem or stalk.
        aspect: width over height.
        wobble: irregularity of the outline.
        word: what a coin or sweet says.
        alpha: opacity.
        takes: outlines worth keeping.
    """

    kind: Kind
    base: Colour
    second: Colour
    aspect: float
    wobble: float
    word: str
    alpha: int
    takes: int = 5

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        rng = rng or np.random.default_rng(0)
        h, w = height, max(6, round(height * self.aspect))
        y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
        angle, radius = np.arctan2(y, x), np.hypot(x, y)
        edge = np.ones_like(radius)
        for k in range(2, 6):
            edge += self.wobble / k * rng.normal() * np.cos(k * angle + rng.uniform(0, 6.3)).astype(np.float32)
        r = radius * edge.max() / edge
        soft = max(2.5 / h, 0.12 if self.kind is Kind.GLOW else 0.02)
        alpha = np.clip((1 - r) / soft, 0, 1)
        paint = {
            Kind.CELL: _cell,
            Kind.NUCLEUS: _nucleus,
            Kind.GLOW: _nucleus,
            Kind.COIN: _ball,
            Kind.FRUIT: _ball,
            Kind.SWEET: _ball,
        }
        rgb = paint[self.kind](self, r, x, y, rng)
        out = np.dstack([np.clip(rgb, 0, 255), alpha * self.alpha]).astype(np.uint8)
        if self.word:
            if self.kind is Kind.COIN:
                cv2.ellipse(
                    out,
                    (w // 2, h // 2),
                    (int(w * 0.43), int(h * 0.43)),
                    0,
                    0,
                    360,
                    (*self.second, 255),
                    max(1, h // 40),
                    cv2.LINE_AA,
                )
            text(out, self.word, (w * 0.25, h * 0.3, w * 0.5, h * 0.4), self.second, FONTS[len(self.word) % 4])
        return out


def _mottle(shape: tuple[int, ...], rng: np.random.Generator, cells: int) -> Plane:
    """Smooth noise around 0 of about unit strength."""
    small = rng.normal(size=(cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _cell(thing: Thing, r: Plane, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    pale = np.exp(-((r / rng.uniform(0.3, 0.5)) ** 4)) * rng.uniform(0.0, 0.9)
    rim = 1 - 0.25 * np.exp(-(((r - 0.93) / 0.07) ** 2))
    rgb = np.array(thing.base, np.float32) * (rim + 0.03 * _mottle(r.shape, rng, 5))[..., None]
    out: Plane = rgb * (1 - pale[..., None]) + np.array(thing.second, np.float32) * pale[..., None]
    return out


def _nucleus(thing: Thing, r: Plane, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    tone = 1 + 0.16 * _mottle(r.shape, rng, 6) + 0.08 * _mottle(r.shape, rng, 12) - 0.15 * r
    rgb = np.array(thing.base, np.float32) * tone[..., None]
    if thing.word == "":
        for _ in range(rng.integers(0, 5)):
            cx, cy, s = rng.uniform(-0.45, 0.45), rng.uniform(-0.45, 0.45), rng.uniform(0.1, 0.35)
            spot = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / s**2))[..., None] * 0.8
            rgb = rgb * (1 - spot) + np.array(thing.second, np.float32) * spot
    return np.asarray(rgb, np.float32)


def _ball(thing: Thing, r: Plane, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    flat = thing.kind is Kind.COIN
    light = (1.0 if flat else 1.12 - 0.55 * r**2.2) - 0.18 * (x * 0.4 + y) + 0.04 * _mottle(r.shape, rng, 7)
    rgb = np.array(thing.base, np.float32) * light[..., None]
    if flat:
        rgb *= (1 - 0.3 * np.exp(-(((r - 0.95) / 0.04) ** 2)))[..., None]
        return np.asarray(rgb, np.float32)
    if thing.kind is Kind.FRUIT:
        blush = np.clip(0.5 + 0.6 * _mottle(r.shape, rng, 3) + x * rng.uniform(-1, 1), 0, 1)[..., None] * 0.55
        rgb = rgb * (1 - blush) + np.array(thing.second, np.float32) * light[..., None] * blush
        cx, cy = rng.uniform(-0.5, 0.5), rng.uniform(-0.6, 0.5)
        rgb *= (1 - 0.65 * np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / 0.02)))[..., None]
    gloss = np.exp(-(((x + 0.35) ** 2 + (y + 0.4) ** 2) / rng.uniform(0.02, 0.12)))[..., None]
    return np.asarray(rgb + 150 * rng.uniform(0.1, 1) * gloss, np.float32)


def _near(rnd: Random, base: Colour, reach: int) -> Colour:
    r, g, b = (min(255, max(0, c + rnd.randint(-reach, reach))) for c in base)
    return r, g, b


class ThingSource:
    """Families of one kind of thing, its variants apart in colour, form or word."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return some kinds of cells, coins, …; see :class:`packed_scenes.data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        kind = self._kind
        if kind is Kind.CELL:
            base = rnd.choice(((205, 150, 140), (215, 165, 160), (190, 140, 160), (180, 190, 150)))
            first = Thing(
                kind,
                _near(rnd, base, 25),
                (225, 205, 200),
                rnd.uniform(0.85, 1.2),
                rnd.uniform(0.03, 0.18),
                "",
                rnd.randint(180, 240),
            )
            other = Thing(Kind.NUCLEUS, (185, 165, 215), (95, 75, 190), rnd.uniform(0.9, 1.2), 0.12, "", 225)
            return [
                first,
                other,
                replace(first, aspect=0.5, wobble=0.05),
                Thing(Kind.NUCLEUS, (150, 110, 190), (90, 60, 170), 1.0, 0.2, "-", 220),
            ]
        if kind is Kind.NUCLEUS:
            base = rnd.choice(((110, 50, 140), (70, 60, 150), (150, 80, 160), (90, 70, 110)))
            first = Thing(
                kind,
                _near(rnd, base, 30),
                _near(rnd, base, 50),
                rnd.uniform(0.7, 1.3),
                rnd.uniform(0.04, 0.25),
                "",
                235,
            )
            return [first, replace(first, aspect=rnd.uniform(0.4, 0.65)), replace(first, base=_near(rnd, base, 60))][
                :variants
            ]
        if kind is Kind.GLOW:
            level = rnd.randint(50, 220)
            tint = rnd.choice(((1, 1, 1), (1, 1, 1), (0.3, 0.5, 1), (0.3, 1, 0.4)))
            base = (round(level * tint[0]), round(level * tint[1]), round(level * tint[2]))
            first = Thing(
                kind,
                base,
                _near(rnd, base, 30),
                rnd.uniform(0.75, 1.3),
                rnd.uniform(0.02, 0.2),
                rnd.choice(("", "-")),
                255,
            )
            return [first, replace(first, aspect=rnd.uniform(0.5, 0.7))][:variants]
        if kind is Kind.COIN:
            metals = ((205, 170, 80), (190, 120, 80), (190, 190, 195), (160, 165, 170), (220, 190, 110))
            metal = rnd.choice(metals)
            words = rnd.sample(("1", "2", "5", "10", "20", "50", "100"), min(7, variants))
            return [
                Thing(
                    kind,
                    m := rnd.choice((metal, rnd.choice(metals))),
                    (m[0] // 2, m[1] // 2, m[2] // 2),
                    1.0,
                    0.0,
                    word,
                    255,
                    2,
                )
                for word in words
            ]
        base, aspect = colour(rnd), rnd.choice((1.0, 1.0, 1.05, 0.9, 0.7, 1.5))
        first = Thing(
            kind,
            base,
            _near(rnd, base, 90),
            aspect,
            rnd.uniform(0, 0.12),
            rnd.choice("MSXoE8") if kind is Kind.SWEET else "",
            255,
        )
        return [
            replace(first, base=c, second=_near(rnd, c, 90))
            for c in (base, *(colour(rnd) for _ in range(variants - 1)))
        ]
