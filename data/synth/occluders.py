"""What is in front of the goods: hanging signs and strips, people, trolleys, the doors of a fridge, pillars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Canvas, Colour, Picture
from packed_scenes.data.synth.pool import Pool, Renderable
from packed_scenes.data.synth.signs import colour, grey, shade
from packed_scenes.data.synth.spec import SceneSpec


@dataclass(frozen=True)
class Trolley:
    """A wire trolley seen from the side: mesh, rim, handle, wheels."""

    metal: Colour
    handle: Colour
    mesh: int
    slant: float

    def render(self, height: int, rng: np.random.Generator | None = None) -> Picture:
        """Draw it; see :class:`packed_scenes.data.synth.pool.Renderable`."""
        h, w = height, round(height * 1.1)
        out = np.zeros((h, w, 4), np.uint8)
        thick = max(1, h // 90)
        a, b = np.array([0.08, 0.18]) * (w, h), np.array([0.97, 0.26]) * (w, h)
        c, d = np.array([0.97 - self.slant, 0.66]) * (w, h), np.array([0.2, 0.66]) * (w, h)

        def line(p: np.ndarray, q: np.ndarray, tone: Colour, wide: int) -> None:
            start, stop = (int(p[0]), int(p[1])), (int(q[0]), int(q[1]))
            cv2.line(out, start, stop, (*tone, 255), wide, cv2.LINE_AA)

        for k in range(self.mesh + 1):
            t = k / self.mesh
            line(a + (b - a) * t, d + (c - d) * t, self.metal, thick)
        for k in range(self.mesh // 2 + 1):
            t = 2 * k / self.mesh
            line(a + (d - a) * t, b + (c - b) * t, self.metal, thick)
        for p, q in ((a, b), (b, c), (c, d), (d, a)):
            line(p, q, self.metal, 3 * thick)
        base = np.array([0.15, 0.86]) * (w, h)
        line(d, base, self.metal, 3 * thick)
        line(base, np.array([0.9, 0.88]) * (w, h), self.metal, 3 * thick)
        line(np.array([0.0, 0.12]) * (w, h), a, self.handle, 5 * thick)
        for x in (0.18, 0.86):
            cv2.circle(out, (int(x * w), int(0.93 * h)), max(2, int(0.05 * h)), (30, 30, 34, 255), -1, cv2.LINE_AA)
        return out


class TrolleySource:
    """Trolleys of several shops."""

    def family(self, rng: np.random.Generator, variants: int) -> Sequence[Renderable]:
        """Return one trolley; see :class:`packed_scenes.data.synth.pool.Source`."""
        rnd = Random(int(rng.integers(2**62)))
        metal = grey(rnd, 120, 210) if rnd.random() < 0.8 else colour(rnd)
        return [Trolley(metal, colour(rnd), rnd.randint(8, 20), rnd.uniform(0.02, 0.2))]


def pass_by(canvas: Canvas, people: Pool, trolleys: Pool, rnd: Random) -> None:
    """One or two people or a trolley, cut by the lower edge, in front of everything."""
    for _ in range(rnd.choice((1, 1, 2))):
        pool, reach = (trolleys, (0.3, 0.7)) if rnd.random() < 0.3 else (people, (0.4, 1.5))
        height = canvas.height * rnd.uniform(*reach)
        identity = rnd.choice(pool.family(rnd.randrange(60)))
        figure = pool.sprite(identity, height * pool.aspect(identity), height)
        y = round(canvas.height - height * rnd.uniform(0.4, 1.0))
        canvas.paste(figure, rnd.randrange(-figure.width // 2, canvas.width), y)


def hang_signs(canvas: Canvas, signs: Pool, unit: float, spec: SceneSpec, rnd: Random) -> None:
    """Large cards, some at an angle, and strips with one card hung below the other."""
    if rnd.random() > 0.8 * spec.clutter:
        return
    for _ in range(rnd.randint(1, 3)):
        height = unit * rnd.uniform(0.25, 0.8)
        identity = rnd.choice(signs.family(rnd.randrange(40)))
        tilt = rnd.choice((0.0, 0.0, rnd.gauss(0, 4)))
        sign = signs.sprite(identity, height * signs.aspect(identity), height, angle=tilt)
        x, y = rnd.randrange(canvas.width), rnd.randrange(canvas.height)
        number = rnd.randint(2, 5) if rnd.random() < 0.2 else 1
        if number > 1:
            band = max(2.0, sign.width * 0.2)
            middle = x + sign.width / 2
            canvas.fill(middle - band / 2, y, middle + band / 2, y + number * 1.3 * sign.height, grey(rnd, 120, 245))
        for k in range(number):
            canvas.paste(sign, x, round(y + k * 1.3 * sign.height))


def doors(canvas: Canvas, rnd: Random) -> None:
    """Fridge doors: frames with gaskets and handles, panes that reflect lamps. Reflections hide nothing."""
    frame = grey(rnd, 20, 220)
    pitch = canvas.width * rnd.uniform(0.25, 0.7)
    thick = pitch * rnd.uniform(0.03, 0.08)
    x = -rnd.random() * pitch
    glow = np.zeros((20, 20), np.float32)
    for _ in range(rnd.randint(1, 4)):
        gx, gy, length = rnd.randrange(20), rnd.randrange(20), rnd.randint(2, 12)
        cv2.line(glow, (gx, gy), (gx + rnd.randint(-3, 3), gy + length), rnd.uniform(20, 120), rnd.randint(1, 3))
    haze = cv2.resize(glow, (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC) + rnd.uniform(0, 25)
    layer = np.clip(haze, 0, 160).astype(np.uint8)
    canvas.rgb[:] = cv2.add(canvas.rgb, cv2.merge([layer] * 3))
    while x < canvas.width:
        canvas.fill(x - thick, 0, x + thick, canvas.height, frame)
        canvas.fill(x - thick * 0.15, 0, x + thick * 0.15, canvas.height, shade(frame, 0.4))
        if rnd.random() < 0.7:
            y = canvas.height * rnd.uniform(0.2, 0.5)
            handle = shade(frame, rnd.choice((0.5, 1.4)))
            canvas.fill(x + thick * 0.4, y, x + thick * 0.8, y + canvas.height * rnd.uniform(0.15, 0.4), handle)
        x += pitch
