"""What surrounds the goods: ceilings with lamps, tiled floors, walls, headers, peg boards."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from data.synth.canvas import Canvas
from data.synth.pool import Pool
from data.synth.signs import Colour, colour


def _grey(rnd: Random, low: int, high: int) -> Colour:
    level = rnd.randint(low, high)
    return level, min(255, level + rnd.randint(-6, 6)), min(255, max(0, level + rnd.randint(-12, 10)))


def ceiling(canvas: Canvas, bottom: float, rnd: Random) -> None:
    """Panels or trusses that run to a vanishing point, with lamps."""
    width, end = canvas.width, int(min(bottom, canvas.height))
    if end < 4:
        return
    base = _grey(rnd, 40, 225)
    canvas.rgb[:end], canvas.ids[:end] = base, 0
    view = canvas.rgb[:end]
    line = tuple(int(c * rnd.uniform(0.6, 0.9)) for c in base)
    vx, vy = width * rnd.uniform(0, 1), end * rnd.uniform(1.0, 2.0)
    spread = rnd.uniform(0.1, 0.5) * width
    thick = rnd.randint(1, max(1, end // 40))
    for k in range(-14, 15):
        x = vx + k * spread
        cv2.line(
            view,
            (round(vx + (x - vx) * 0.15), round(vy)),
            (round(vx + (x - vx) * 3), round(vy - 3 * end)),
            line,
            thick,
            cv2.LINE_AA,
        )
    for k in range(1, 14):
        y = round(vy - vy * (k / 14) ** rnd.uniform(0.8, 1.6))
        cv2.line(view, (0, y), (width, y), line, thick, cv2.LINE_AA)
    for _ in range(rnd.randint(0, 6)):
        x, y = rnd.randrange(width), rnd.randrange(-end // 4, end)
        lamp = (rnd.randint(235, 255),) * 3
        if rnd.random() < 0.5:
            dx, dy = (vx - x) * rnd.uniform(0.1, 0.5), (vy - y) * rnd.uniform(0.1, 0.5)
            cv2.line(
                view, (x, y), (round(x + dx), round(y + dy)), lamp, max(2, end // rnd.randint(12, 40)), cv2.LINE_AA
            )
        else:
            w, h = width // rnd.randint(8, 30), max(2, end // rnd.randint(8, 30))
            cv2.fillPoly(view, [np.array([[x, y], [x + w, y], [x + w + h, y + h], [x - h, y + h]])], lamp, cv2.LINE_AA)


def floor(canvas: Canvas, top: float, rnd: Random) -> None:
    """Tiles in perspective."""
    start = max(0, int(top))
    if start > canvas.height - 4:
        return
    base = _grey(rnd, 70, 225)
    canvas.rgb[start:], canvas.ids[start:] = base, 0
    view = canvas.rgb[start:]
    height, width = view.shape[:2]
    if rnd.random() < 0.8:
        joint = tuple(int(c * rnd.uniform(0.45, 0.9)) for c in base)
        vx, step = width * rnd.uniform(0, 1), width * rnd.uniform(0.06, 0.25)
        lift = height * rnd.uniform(0.3, 2.5)
        thick = max(1, width // 400)
        for k in range(-24, 25):
            far, near = vx + k * step, vx + k * step * (lift + height) / lift
            cv2.line(view, (round(far), 0), (round(near), height), joint, thick, cv2.LINE_AA)
        for k in range(1, 24):
            y = lift * (1 / (1 - k / 25) - 1)
            cv2.line(view, (0, round(y)), (width, round(y)), joint, thick, cv2.LINE_AA)
    view[: max(2, height // 12)] = (view[: max(2, height // 12)] * 0.4).astype(np.uint8)


def header(canvas: Canvas, bottom: float, height: float, rnd: Random, signs: Pool) -> None:
    """The coloured band above a gondola, sometimes with words."""
    base = colour(rnd) if rnd.random() < 0.6 else _grey(rnd, 100, 240)
    canvas.fill(0, bottom - height, canvas.width, bottom, base)
    low, r, g, b = height * 0.12, *base
    canvas.fill(0, bottom - low, canvas.width, bottom, (r // 2, g // 2, b // 2))
    if rnd.random() < 0.5 and height > 12:
        identity = rnd.choice(signs.family(rnd.randrange(40)))
        sign = signs.sprite(identity, height * signs.aspect(identity), height * 0.85)
        canvas.paste(sign, rnd.randrange(canvas.width), round(bottom - height * 0.95))


def perforate(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, hole: Colour, unit: float) -> None:
    """Holes of a peg board or the slots of a back panel."""
    step = max(5, round(unit * 0.09))
    size = max(1, step // 3)
    a, b, c, d = max(0, int(x1)), max(0, int(y1)), max(0, int(x2)), max(0, int(y2))
    view = canvas.rgb[b:d, a:c]
    for k in range(size):
        for j in range(size):
            view[k::step, j::step] = hole


def wall(canvas: Canvas, x1: float, x2: float, rnd: Random, signs: Pool) -> None:
    """The end of an aisle: a plain or tiled wall, a pillar, now and then a poster."""
    base = _grey(rnd, 90, 235) if rnd.random() < 0.8 else colour(rnd)
    canvas.fill(x1, 0, x2, canvas.height, base)
    dark: Colour = (base[0] * 4 // 5, base[1] * 4 // 5, base[2] * 4 // 5)
    if rnd.random() < 0.4:
        step = max(8.0, canvas.height * rnd.uniform(0.03, 0.15))
        for k in range(int(canvas.height / step) + 1):
            canvas.fill(x1, k * step, x2, k * step + max(1, step * 0.03), dark)
    canvas.fill(x1, 0, x1 + (x2 - x1) * 0.06, canvas.height, dark)
    if rnd.random() < 0.5:
        height = canvas.height * rnd.uniform(0.08, 0.3)
        identity = rnd.choice(signs.family(rnd.randrange(40)))
        poster = signs.sprite(identity, height * signs.aspect(identity), height)
        if poster.width < x2 - x1:
            canvas.paste(poster, round(x1 + (x2 - x1 - poster.width) / 2), rnd.randrange(canvas.height))
