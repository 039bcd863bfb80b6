"""What hangs and sticks on shelves and is no product: price tags, promotion cards, shelf talkers, hanging strips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Colour, Picture
from packed_scenes.data.synth.pool import Renderable

WHITE: Colour = (246, 246, 242)
INK: Colour = (24, 24, 30)
PAPER: tuple[Colour, ...] = (
    WHITE,
    WHITE,
    WHITE,
    (252, 224, 60),
    (250, 205, 30),
    (222, 40, 45),
    (240, 240, 215),
    (60, 90, 200),
)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
WORDS = (
    "SALE",
    "NEW",
    "2 for 3",
    "-20%",
    "-30%",
    "OFFER",
    "PROMO",
    "1+1",
    "SAVE",
    "ONLY",
    "DEAL",
    "BEST",
    "HOT",
    "Bio",
    "Club",
)


def text(picture: Picture, words: str, box: tuple[float, float, float, float], colour: Colour, font: int) -> None:
    """Write words as large as fit into a box (x, y, w, h)."""
    x, y, w, h = box
    (tw, th), base = cv2.getTextSize(words, font, 1.0, 2)
    scale = min(w / max(tw, 1), h / max(th + base // 2, 1))
    if scale * th < 3:
        return
    thickness = max(1, round(scale * 2.4))
    origin = (round(x + (w - tw * scale) / 2), round(y + (h + th * scale) / 2))
    cv2.putText(picture, words, origin, font, scale, (*colour, 255), thickness, cv2.LINE_AA)


@dataclass(frozen=True)
class Tag:
    """A price tag for the rail: digits, a bar code, a line of small print."""

    aspect: float
    paper: Colour
    price: str
    font: int
    bars: bool
    seed: int

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        rnd = Random(self.seed)
        h, w = height, max(2, round(height * self.aspect))
        out = np.full((h, w, 4), (*self.paper, 255), np.uint8)
        ink = WHITE if sum(self.paper) < 330 else rnd.choice((INK, INK, (190, 20, 30), (30, 40, 140)))
        big = rnd.uniform(0.45, 0.8)
        text(out, self.price, (w * (1 - big) - w * 0.04, h * 0.22, w * big, h * 0.68), ink, self.font)
        for k in range(rnd.randint(1, 3)):
            y = round(h * (0.1 + 0.08 * k))
            cv2.line(out, (round(w * 0.06), y), (round(w * rnd.uniform(0.3, 0.9)), y), (*ink, 255), max(1, h // 40))
        if self.bars:
            for x in range(round(w * 0.05), round(w * (1 - big) - w * 0.06), max(2, w // 40)):
                cv2.line(out, (x, round(h * 0.55)), (x, round(h * 0.9)), (*INK, 255), rnd.randint(1, max(1, w // 90)))
        cv2.rectangle(out, (0, 0), (w - 1, h - 1), (*(max(0, c - 60) for c in self.paper), 255), max(1, h // 60))
        return out


@dataclass(frozen=True)
class Sign:
    """A promotion card: one or two blocks of colour, a word, a number; sometimes round, sometimes tall."""

    aspect: float
    paper: Colour
    second: Colour
    words: tuple[str, str]
    font: int
    round: bool
    seed: int

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        rnd = Random(self.seed)
        h, w = height, max(2, round(height * self.aspect))
        out = np.full((h, w, 4), (*self.paper, 255), np.uint8)
        split = rnd.uniform(0.3, 0.7)
        if rnd.random() < 0.7:
            out[: round(h * split)] = (*self.second, 255)
        top = WHITE if sum(self.second) < 400 else INK
        low = WHITE if sum(self.paper) < 400 else rnd.choice((INK, (200, 20, 30)))
        text(out, self.words[0], (w * 0.08, h * split * 0.15, w * 0.84, h * split * 0.7), top, self.font)
        text(out, self.words[1], (w * 0.08, h * (split + 0.08), w * 0.84, h * (1 - split) * 0.75), low, self.font)
        if self.round:
            mask = np.zeros((h, w), np.uint8)
            cv2.ellipse(mask, (w // 2, h // 2), (w // 2, h // 2), 0, 0, 360, 255, -1, cv2.LINE_AA)
            out[..., 3] = mask
        else:
            cv2.rectangle(out, (0, 0), (w - 1, h - 1), (*(max(0, c - 50) for c in self.paper), 255), max(1, h // 80))
        return out


def colour(rnd: Random) -> Colour:
    """Return any colour, vivid more often than not."""
    import colorsys

    r, g, b = colorsys.hsv_to_rgb(rnd.random(), rnd.random() ** 0.6, rnd.uniform(0.25, 1.0))
    return round(255 * r), round(255 * g), round(255 * b)


def grey(rnd: Random, low: int, high: int, tint: int = 8) -> Colour:
    """Return a nearly neutral grey."""
    level = rnd.randint(low, high)
    r, g, b = (min(255, max(0, level + rnd.randint(-tint, tint))) for _ in range(3))
    return r, g, b


def shade(base: Colour, gain: float) -> Colour:
    """Scale a colour."""
    r, g, b = (min(255, max(0, round(c * gain))) for c in base)
    return r, g, b


class TagSource:
    """Families of tags: one paper and form, many prices."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return tags of one shop; see :class:`packed_scenes.data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        aspect, font, bars = rnd.uniform(1.1, 2.6), rnd.choice(FONTS), rnd.random() < 0.5
        papers = [rnd.choice(PAPER), rnd.choice(PAPER)]
        prices = [
            f"{rnd.randint(0, 29)}{rnd.choice('.,')}{rnd.choice(('99', '49', '79', '29', '95', '50'))}"
            for _ in range(variants)
        ]
        return [
            Tag(aspect, papers[k % 5 == 4], price, font, bars, rnd.randrange(2**31)) for k, price in enumerate(prices)
        ]


class SignSource:
    """Families of promotion cards of one style."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return cards of one promotion; see :class:`packed_scenes.data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        aspect, font = rnd.choice((0.6, 0.75, 1.0, 1.0, 1.4, 2.0)), rnd.choice(FONTS)
        paper = rnd.choice((*PAPER, colour(rnd), colour(rnd)))
        second, disc = colour(rnd), rnd.random() < 0.2
        return [
            Sign(
                aspect,
                paper,
                second,
                (rnd.choice(WORDS), f"{rnd.randint(0, 19)}.{rnd.randint(10, 99)}"),
                font,
                disc,
                rnd.randrange(2**31),
            )
            for _ in range(variants)
        ]
