"""People as flat figures: head, hair, torso, arms, legs, a bag; families wear the same clothes in other colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Colour, Picture
from packed_scenes.data.synth.pool import Renderable
from packed_scenes.data.synth.signs import colour

SKIN: tuple[Colour, ...] = ((241, 205, 175), (224, 172, 132), (198, 134, 92), (141, 85, 54), (92, 56, 38))
HAIR: tuple[Colour, ...] = ((28, 22, 20), (70, 45, 28), (120, 82, 45), (200, 165, 95), (150, 150, 150), (90, 25, 20))


@dataclass(frozen=True)
class Person:
    """One standing figure; units are body heights, drawn by ``seed`` where it does not matter for identity."""

    top: Colour
    legs: Colour
    skin: Colour
    hair: Colour
    build: float
    long_hair: bool
    skirt: bool
    stride: float
    swing: float
    bag: Colour | None
    back: bool

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        h, w = height, max(4, round(height * (0.34 + 0.3 * self.stride + 0.06 * self.build)))
        colours = np.zeros((h, w, 3), np.uint8)
        alpha = np.zeros((h, w), np.uint8)
        cx, b = w / 2, self.build

        def blob(points: list[tuple[float, float]], fill: Colour) -> None:
            outline = np.array([[(cx + x * h) * 16, y * h * 16] for x, y in points]).round().astype(np.int32)
            cv2.fillPoly(colours, [outline], fill, cv2.LINE_AA, 4)
            cv2.fillPoly(alpha, [outline], 255, cv2.LINE_AA, 4)

        def limb(points: list[tuple[float, float]], thick: float, fill: Colour) -> None:
            path = np.array([[cx + x * h, y * h] for x, y in points]).round().astype(np.int32)
            cv2.polylines(colours, [path], False, fill, max(1, round(thick * h)), cv2.LINE_AA)
            cv2.polylines(alpha, [path], False, 255, max(1, round(thick * h)), cv2.LINE_AA)

        def disc(x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
            centre, axes = (round(cx + x * h), round(y * h)), (max(1, round(rx * h)), max(1, round(ry * h)))
            cv2.ellipse(colours, centre, axes, 0, 0, 360, fill, -1, cv2.LINE_AA)
            cv2.ellipse(alpha, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)

        dark: Colour = (self.top[0] * 3 // 4, self.top[1] * 3 // 4, self.top[2] * 3 // 4)
        s = self.stride * 0.16
        for side in (-1, 1):
            limb(
                [(side * 0.035, 0.5), (side * (0.04 + s * 0.6), 0.74), (side * (0.04 + s), 0.95)],
                0.06 * b + 0.02,
                self.legs,
            )
            blob(
                [
                    (side * (0.04 + s) - 0.035, 0.94),
                    (side * (0.04 + s) + 0.035, 0.94),
                    (side * (0.04 + s) + 0.045, 0.99),
                    (side * (0.04 + s) - 0.04, 0.99),
                ],
                (35, 30, 30),
            )
        if self.skirt:
            blob([(-0.06 * b, 0.46), (0.06 * b, 0.46), (0.11 * b, 0.72), (-0.11 * b, 0.72)], self.legs)
        for side in (-1, 1):
            a = side * self.swing * 0.08
            limb(
                [(side * 0.095 * b, 0.21), (side * 0.125 * b + a, 0.36), (side * 0.12 * b + 2 * a, 0.49)],
                0.045 * b + 0.008,
                dark,
            )
            disc(side * 0.12 * b + 2 * a, 0.505, 0.02, 0.022, self.skin)
        blob(
            [
                (-0.05, 0.155),
                (0.05, 0.155),
                (0.115 * b, 0.2),
                (0.085 * b, 0.36),
                (0.09 * b, 0.53),
                (-0.09 * b, 0.53),
                (-0.085 * b, 0.36),
                (-0.115 * b, 0.2),
            ],
            self.top,
        )
        limb([(0, 0.13), (0, 0.16)], 0.045, self.skin)
        disc(0, 0.075, 0.047, 0.063, self.hair if self.back else self.skin)
        if not self.back:
            blob(
                [(-0.05, 0.075), (-0.04, 0.02), (0, 0.004), (0.04, 0.02), (0.05, 0.075), (0.03, 0.045), (-0.03, 0.045)],
                self.hair,
            )
        if self.long_hair:
            for side in (-1, 1):
                limb([(side * 0.042, 0.05), (side * 0.05, 0.15)], 0.025, self.hair)
        if self.bag is not None:
            blob([(0.06, 0.4), (0.15, 0.4), (0.16, 0.55), (0.05, 0.55)], self.bag)
            limb([(-0.06, 0.18), (0.1, 0.42)], 0.012, self.bag)
        light = (
            np.linspace(1.12, 0.72, w, dtype=np.float32)[None, :, None]
            * np.linspace(1.05, 0.85, h, dtype=np.float32)[:, None, None]
        )
        return np.dstack([np.clip(colours * light, 0, 255).astype(np.uint8), alpha])


class PeopleSource:
    """Families of people dressed alike: each variant differs in one colour, hair or bag."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return some people; see :class:`packed_scenes.data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        muted = rnd.choice(((40, 45, 60), (30, 30, 32), (60, 75, 110), (110, 95, 80)))
        base = Person(
            top=colour(rnd),
            legs=muted if rnd.random() < 0.75 else colour(rnd),
            skin=rnd.choice(SKIN),
            hair=rnd.choice(HAIR),
            build=rnd.uniform(0.85, 1.35),
            long_hair=rnd.random() < 0.4,
            skirt=rnd.random() < 0.15,
            stride=rnd.random() ** 2,
            swing=rnd.uniform(-0.5, 1),
            bag=colour(rnd) if rnd.random() < 0.3 else None,
            back=rnd.random() < 0.4,
        )
        people = [base]
        for _ in range(variants - 1):
            change = rnd.randrange(3)
            if change == 0:
                people.append(replace(base, top=colour(rnd)))
            elif change == 1:
                people.append(replace(base, legs=colour(rnd)))
            else:
                people.append(replace(base, bag=colour(rnd), hair=rnd.choice(HAIR)))
        return people
