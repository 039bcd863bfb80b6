"""Crowds: people on a street or square seen from the front or above, nearer ones larger and in front."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Canvas, Colour, Sprite
from packed_scenes.data.synth.pool import Pool
from packed_scenes.data.synth.signs import colour
from packed_scenes.data.synth.spec import SceneSpec


def place(canvas: Canvas, horizon: float, rnd: Random) -> None:
    """Sky, buildings with windows, ground with some lines, posts."""
    height, width = canvas.height, canvas.width
    line = int(max(0, horizon))
    ground: Colour = rnd.choice(((rnd.randint(70, 200),) * 3, (95, 120, 60), (170, 160, 140), colour(rnd)))
    rng = np.random.default_rng(rnd.randrange(2**62))
    small = np.clip(np.array(ground) + rng.normal(0, 8, (9, 7, 1)), 0, 255).astype(np.uint8)
    canvas.rgb[:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    if line:
        canvas.rgb[:line] = np.linspace((120, 160, 215), (215, 225, 235), line)[:, None].astype(np.uint8)
    x = 0
    while x < width and line:
        w, h = rnd.randint(width // 12, width // 3), rnd.uniform(0.2, 1.2) * line
        canvas.fill(
            x, line - h, x + w, line, wall := colour(rnd) if rnd.random() < 0.3 else (rnd.randint(80, 200),) * 3
        )
        step = max(6, w // rnd.randint(3, 8))
        glass: Colour = (wall[0] // 2, wall[1] // 2, min(255, wall[2] // 2 + 20))
        for wx in range(x + step // 3, x + w - step // 2, step):
            for wy in range(int(line - h) + step // 3, line - step // 2, step):
                canvas.fill(wx, wy, wx + step // 2, wy + step * 0.6, glass)
        x += w
    for _ in range(rnd.randint(0, 6)):
        a, b = (rnd.randrange(width), line), (rnd.randrange(-width, 2 * width), height)
        cv2.line(canvas.rgb, a, b, (rnd.randint(60, 240),) * 3, rnd.randint(1, max(1, width // 120)), cv2.LINE_AA)


def crowd(canvas: Canvas, people: Pool, window: range, spec: SceneSpec, rnd: Random, count: int) -> None:
    """Paint one crowd.

    Args:
        canvas: sheet to paint on.
        people: pool of figures.
        window: numbers of the families to choose from.
        spec: what is wanted.
        rnd: source of all randomness.
        count: number of people aimed at.
    """
    horizon = canvas.height * rnd.uniform(-0.3, 0.45)
    place(canvas, horizon, rnd)
    density = rnd.uniform(0.15, 1.6)
    typical = (density * canvas.height * canvas.width / count / 0.4) ** 0.5
    spread = rnd.uniform(0.2, 0.85)  # 0: as from far away, all of one size
    at_hand = window[: min(len(window), 100)]
    families = [rnd.choice(at_hand) for _ in range(max(2, round(count / rnd.uniform(1, 6))))]
    feet = sorted(rnd.uniform(max(0.0, horizon) + 0.1 * typical, canvas.height + 0.5 * typical) for _ in range(count))
    if rnd.random() < 0.3:
        rows = max(2, round(canvas.height / typical * 2.2))
        feet = sorted(round(f / canvas.height * rows) / rows * canvas.height for f in feet)
    groups = rnd.random() < 0.5
    x, last = rnd.randrange(canvas.width), rnd.choice(people.family(rnd.choice(families)))
    kept: dict[tuple[int, int], Sprite] = {}
    for foot in feet:
        near = (foot - horizon) / (canvas.height - horizon)
        height = typical * (1 - spread + spread * 1.6 * near) * rnd.choice((0.92, 0.96, 1.0, 1.04))
        if not (groups and rnd.random() < 0.4):
            last, x = rnd.choice(people.family(rnd.choice(families))), rnd.randrange(-10, canvas.width)
        else:
            x += round(height * rnd.uniform(0.15, 0.4) * rnd.choice((-1, 1)))
        key = (last, round(height / 2) * 2)
        if key not in kept:
            kept[key] = people.sprite(last, height * people.aspect(last), height)
        sprite = kept[key]
        canvas.paste(sprite.lit(rnd.uniform(0.8, 1.1)), x - sprite.width // 2, round(foot) - sprite.height, last)
        if rnd.random() < 0.02 * spec.clutter:
            tone = (rnd.randint(30, 200),) * 3
            canvas.fill(px := rnd.randrange(canvas.width), foot - height * 2.5, px + height * 0.05, foot, tone)
