"""What surrounds the goods: ceilings with lamps, tiled floors, walls, headers, peg boards."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Canvas, Colour, Picture
from packed_scenes.data.synth.pool import Pool
from packed_scenes.data.synth.signs import FONTS, WORDS, colour, text


def _grey(rnd: Random, low: int, high: int) -> Colour:
    level = rnd.randint(low, high)
    return level, min(255, level + rnd.randint(-6, 6)), min(255, max(0, level + rnd.randint(-12, 10)))


def ceiling(canvas: Canvas, bottom: float, rnd: Random) -> None:
    """Panels that run to a vanishing point, bare trusses and ducts, or a dark void; lamps in all of them."""
    width, end = canvas.width, int(min(bottom, canvas.height))
    if end < 4:
        return
    kind = rnd.random()
    base = _grey(rnd, 90, 235) if kind < 0.5 else _grey(rnd, 25, 200)
    canvas.rgb[:end], canvas.ids[:end] = base, 0
    view = canvas.rgb[:end]
    vanish = (width * rnd.uniform(0, 1), end * rnd.uniform(1.0, 2.0))
    line = _dim(base, rnd.uniform(0.6, 0.9))
    if kind < 0.5:
        _panels(view, vanish, line, rnd)
    elif kind < 0.85:
        _trusses(view, line, rnd)
    for _ in range(rnd.randint(0, 7)):
        _lamp(view, vanish, rnd)


def _dim(base: Colour, gain: float) -> Colour:
    return int(base[0] * gain), int(base[1] * gain), int(base[2] * gain)


def _panels(view: Picture, vanish: tuple[float, float], line: Colour, rnd: Random) -> None:
    end, width = view.shape[:2]
    vx, vy = vanish
    spread, thick = rnd.uniform(0.1, 0.5) * width, rnd.randint(1, max(1, end // 40))
    for k in range(-14, 15):
        dx = k * spread
        far, near = (round(vx + dx * 0.15), round(vy)), (round(vx + dx * 3), round(vy - 3 * end))
        cv2.line(view, far, near, line, thick, cv2.LINE_AA)
    power = rnd.uniform(0.8, 1.6)
    for k in range(1, 14):
        y = round(vy - vy * (k / 14) ** power)
        cv2.line(view, (0, y), (width, y), line, thick, cv2.LINE_AA)


def _trusses(view: Picture, line: Colour, rnd: Random) -> None:
    end, width = view.shape[:2]
    if rnd.random() < 0.6:  # corrugated sheet
        for x in range(0, width, max(3, width // rnd.randint(40, 160))):
            cv2.line(view, (x, 0), (x + rnd.randint(-3, 3), end), _dim(line, 1.1), 1)
    for _ in range(rnd.randint(1, 3)):
        y, high, step = rnd.randrange(end), end * rnd.uniform(0.08, 0.3), max(8, width // rnd.randint(6, 24))
        thick, slope = max(1, end // rnd.randint(25, 80)), rnd.uniform(-0.15, 0.15)
        ends = [(0, y), (width, round(y + slope * width))]
        for lift in (0.0, high):
            cv2.line(view, (0, round(ends[0][1] - lift)), (width, round(ends[1][1] - lift)), line, thick, cv2.LINE_AA)
        for k, x in enumerate(range(0, width, step)):
            low, top = y + slope * x, y + slope * (x + step) - high
            start, stop = (x, round(low)), (x + step, round(top))
            if k % 2:
                start, stop = (x, round(low - high)), (x + step, round(top + high))
            cv2.line(view, start, stop, line, max(1, thick // 2), cv2.LINE_AA)
    if rnd.random() < 0.4:  # a duct
        y = rnd.randrange(end)
        cv2.line(
            view,
            (0, y),
            (width, y + rnd.randint(-end // 4, end // 4)),
            _grey(rnd, 120, 210),
            max(3, end // 8),
            cv2.LINE_AA,
        )


def _lamp(view: Picture, vanish: tuple[float, float], rnd: Random) -> None:
    end, width = view.shape[:2]
    x, y = rnd.randrange(width), rnd.randrange(-end // 4, end)
    light = (rnd.randint(235, 255),) * 3
    if rnd.random() < 0.5:
        reach = rnd.uniform(0.1, 0.5)
        stop = (round(x + (vanish[0] - x) * reach), round(y + (vanish[1] - y) * reach))
        cv2.line(view, (x, y), stop, light, max(2, end // rnd.randint(12, 40)), cv2.LINE_AA)
    else:
        w, h = width // rnd.randint(8, 30), max(2, end // rnd.randint(8, 30))
        cv2.fillPoly(view, [np.array([[x, y], [x + w, y], [x + w + h, y + h], [x - h, y + h]])], light, cv2.LINE_AA)


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
    if height <= 12:
        return
    kind = rnd.random()
    if kind < 0.35:
        identity = rnd.choice(signs.family(rnd.randrange(40)))
        sign = signs.sprite(identity, height * signs.aspect(identity), height * 0.85)
        canvas.paste(sign, rnd.randrange(canvas.width), round(bottom - height * 0.95))
    elif kind < 0.8:
        ink: Colour = (250, 250, 250) if sum(base) < 420 else (40, 40, 50)
        slots = rnd.randint(1, 4)
        for k in range(slots):
            word, room = rnd.choice(WORDS).upper(), canvas.width / slots
            box = (k * room, bottom - height * 0.85, min(room * 0.9, height * len(word) * 0.55), height * 0.6)
            text(canvas.rgb, word, box, ink, rnd.choice(FONTS))


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
