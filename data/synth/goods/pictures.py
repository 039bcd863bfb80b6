"""Pictures printed on packages: fruit, flowers, leaves, splashes, bowls, cups, landscapes, animals, heaps of food.

Every picture is drawn in unit coordinates from its seed, so it looks the same at any size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from packed_scenes.data.synth.goods.colour import Colour, contrasting, mix, package_colour
from packed_scenes.data.synth.goods.pen import Pen, noise

__all__ = ["PICTURES", "draw_picture"]

U8 = NDArray[np.uint8]


_GREENS: tuple[Colour, ...] = ((62, 140, 40), (110, 170, 50), (30, 100, 50), (150, 190, 60))
_FRUIT: tuple[Colour, ...] = (
    (214, 30, 40), (240, 130, 20), (250, 200, 40), (120, 40, 120), (150, 190, 50), (60, 60, 140), (240, 150, 120),
    (130, 20, 40), (120, 70, 35), (235, 215, 170),
)  # fmt: skip


def _pick(rng: np.random.Generator, options: tuple[Colour, ...]) -> Colour:
    return mix(options[int(rng.integers(len(options)))], (int(rng.integers(256)), 128, int(rng.integers(256))), 0.08)


def _fruit(pen: Pen, rng: np.random.Generator) -> None:
    colour, green = _pick(rng, _FRUIT), _pick(rng, _GREENS)
    count = int(rng.integers(1, 6))
    stretch = rng.uniform(0.75, 1.35)
    for _ in range(int(rng.integers(1, 4))):
        pen.leaf(
            0.5 + rng.uniform(-0.2, 0.2),
            0.4 + rng.uniform(-0.1, 0.3),
            rng.uniform(0.3, 0.5),
            rng.uniform(0, 6.3),
            green,
        )
    r = 0.34 / np.sqrt(count) + 0.06
    for k in range(count):
        a = k * 2.4 + rng.uniform(0, 0.6)
        d = 0.0 if count == 1 else 0.24
        pen.ball(0.5 + d * np.cos(a), 0.56 + d * np.sin(a) * 0.7, r, r * stretch, colour, float(rng.uniform(-20, 20)))


def _slice(pen: Pen, rng: np.random.Generator) -> None:
    rind, flesh = _pick(rng, _FRUIT), _pick(rng, _FRUIT)
    flesh = mix(flesh, (255, 240, 200), 0.3)
    segments = int(rng.integers(6, 11))
    for x, y, r in ((0.62, 0.42, 0.3), (0.4, 0.6, 0.36))[int(rng.integers(2)) :]:
        pen.ellipse(x, y, r, r, rind)
        pen.ellipse(x, y, r * 0.9, r * 0.9, mix(rind, (255, 255, 240), 0.8), fade=True)
        for k in range(segments):
            a0, a1 = 2 * np.pi * (k + 0.08) / segments, 2 * np.pi * (k + 0.92) / segments
            t = np.linspace(a0, a1, 5)
            outer = np.c_[x + r * 0.8 * np.cos(t), y + r * 0.8 * np.sin(t)]
            pen.polygon(
                np.r_[outer, [[x + r * 0.1 * np.cos((a0 + a1) / 2), y + r * 0.1 * np.sin((a0 + a1) / 2)]]],
                flesh,
                fade=True,
            )
    pen.leaf(0.3, 0.3, 0.36, float(rng.uniform(3.4, 5.5)), _pick(rng, _GREENS))


def _flower(pen: Pen, rng: np.random.Generator) -> None:
    petals, colour = int(rng.integers(5, 13)), package_colour(rng, str(rng.choice(["vivid", "white", "pastel"])))
    heart = contrasting(rng, colour, mood="vivid")
    for _ in range(int(rng.integers(1, 4))):
        pen.leaf(0.5, 0.55, rng.uniform(0.35, 0.5), float(rng.uniform(0, 6.3)), _pick(rng, _GREENS))
    blooms = ((0.5, 0.5, 0.44),) if rng.random() < 0.5 else ((0.34, 0.6, 0.3), (0.68, 0.42, 0.28), (0.68, 0.78, 0.18))
    slim = rng.uniform(0.7, 1.4)
    for x, y, size in blooms:
        for k in range(petals):
            a = 2 * np.pi * k / petals
            tone = mix(colour, (90, 30, 90), 0.18 * (k % 2))
            pen.ellipse(
                x + size * 0.55 * np.cos(a),
                y + size * 0.55 * np.sin(a),
                size * 0.42,
                size * slim * 1.5 / petals,
                tone,
                float(np.degrees(a)),
            )
        pen.ball(x, y, size * 0.22, size * 0.22, heart)


def _leaves(pen: Pen, rng: np.random.Generator) -> None:
    green, count = _pick(rng, _GREENS), int(rng.integers(3, 9))
    lean = rng.uniform(-0.3, 0.3)
    for k in range(count):
        side = -1 if k % 2 else 1
        y = 0.9 - 0.7 * k / count
        pen.leaf(
            0.5 + lean * (0.9 - y),
            y,
            rng.uniform(0.3, 0.45),
            -np.pi / 2 + side * rng.uniform(0.6, 1.2),
            mix(green, (255, 255, 160), 0.1 * (k % 3)),
        )
    pen.line(0.5, 0.95, 0.5 + lean * 0.8, 0.15, 0.02, mix(green, (60, 30, 0), 0.4))


def _splash(pen: Pen, rng: np.random.Generator) -> None:
    colour = package_colour(rng, str(rng.choice(["vivid", "white", "pastel"])))
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    r = 0.3 + sum(rng.uniform(0, 0.13) / k * np.sin(k * t + rng.uniform(0, 6.3)) for k in (2, 3, 5, 7))
    shape = np.c_[0.5 + r * np.cos(t) * 1.25, 0.58 + r * np.sin(t) * 0.8]
    pen.polygon(shape, mix(colour, (20, 20, 60), 0.25))
    pen.polygon((shape - (0.5, 0.58)) * 0.86 + (0.48, 0.55), colour, fade=True)
    pen.polygon((shape - (0.5, 0.58)) * 0.45 + (0.45, 0.5), mix(colour, (255, 255, 255), 0.5), fade=True)
    for _ in range(int(rng.integers(3, 8))):
        a, d, s = rng.uniform(3.3, 6.1), rng.uniform(0.36, 0.46), rng.uniform(0.02, 0.06)
        pen.ball(0.5 + d * np.cos(a), 0.6 + d * np.sin(a), s, s, colour)


def _bowl(pen: Pen, rng: np.random.Generator) -> None:
    dish, food = package_colour(rng, str(rng.choice(["white", "vivid", "dark"]))), _pick(rng, _FRUIT)
    t = np.linspace(0, np.pi, 20)
    pen.polygon(np.c_[0.5 + 0.46 * np.cos(t), 0.5 + 0.42 * np.sin(t)], dish)
    pen.polygon(np.c_[0.6 + 0.28 * np.cos(t), 0.52 + 0.36 * np.sin(t)], mix(dish, (0, 0, 20), 0.2), fade=True)
    pen.ellipse(0.5, 0.5, 0.46, 0.14, mix(dish, (255, 255, 255), 0.4))
    pen.ellipse(0.5, 0.5, 0.4, 0.11, mix(food, (0, 0, 0), 0.25), fade=True)
    size = rng.uniform(0.05, 0.11)
    for _ in range(int(rng.integers(6, 16))):
        a, d = rng.uniform(0, 6.3), rng.uniform(0, 0.3)
        pen.ball(
            0.5 + d * np.cos(a),
            0.47 + d * 0.25 * np.sin(a) - size * 0.3,
            size,
            size * 0.9,
            mix(food, (255, 230, 150), float(rng.uniform(0, 0.35))),
        )
    if rng.random() < 0.4:
        pen.leaf(0.55, 0.42, 0.25, -1.0, _pick(rng, _GREENS))


def _cup(pen: Pen, rng: np.random.Generator) -> None:
    cup, drink = (
        package_colour(rng, str(rng.choice(["white", "vivid"]))),
        _pick(rng, ((90, 50, 25), (170, 90, 30), (230, 190, 120), (200, 60, 50))),
    )
    pen.ellipse(0.82, 0.55, 0.12, 0.14, cup)
    pen.ellipse(0.82, 0.55, 0.07, 0.09, mix(cup, (0, 0, 0), 0.4), fade=True)
    pen.polygon(np.array([[0.2, 0.4], [0.8, 0.4], [0.7, 0.85], [0.3, 0.85]]), cup)
    pen.polygon(np.array([[0.6, 0.4], [0.8, 0.4], [0.7, 0.85], [0.58, 0.85]]), mix(cup, (0, 0, 30), 0.25), fade=True)
    pen.ellipse(0.5, 0.4, 0.3, 0.09, mix(cup, (255, 255, 255), 0.5))
    pen.ellipse(0.5, 0.405, 0.26, 0.07, drink, fade=True)
    pen.ellipse(0.5, 0.9, 0.36, 0.06, mix(cup, (0, 0, 0), 0.15))


def _view(pen: Pen, rng: np.random.Generator) -> None:
    sky, land = package_colour(rng, str(rng.choice(["vivid", "pastel"]))), _pick(rng, (*_GREENS, (190, 120, 50)))
    pen.ellipse(0.5, 0.5, 0.48, 0.48, sky)
    inside = pen.alpha.copy()
    pen.ellipse(rng.uniform(0.35, 0.65), rng.uniform(0.35, 0.5), 0.14, 0.14, (255, 230, 120), fade=True)
    for k in range(3):
        x = np.linspace(0, 1, 16)
        y = 0.55 + 0.13 * k + 0.1 * np.sin(x * rng.uniform(4, 12) + rng.uniform(0, 6.3)) * (1 - 0.25 * k)
        pen.polygon(np.r_[np.c_[x, y], [[1.0, 1.1], [0.0, 1.1]]], mix(land, (20, 30, 60), 0.3 - 0.15 * k), fade=True)
    pen.alpha = inside


def _beast(pen: Pen, rng: np.random.Generator) -> None:
    coat = package_colour(rng, str(rng.choice(["kraft", "dark", "white", "vivid"])))
    belly = mix(coat, (255, 245, 230), 0.6)
    ear = rng.uniform(0.08, 0.2)
    pen.ellipse(0.5, 0.72, 0.28, 0.26, coat)
    pen.ellipse(0.5, 0.76, 0.16, 0.2, belly, fade=True)
    for side in (-1, 1):
        pen.ellipse(0.5 + side * 0.2, 0.2, ear * 0.7, ear, coat, side * 20)
        pen.ellipse(0.5 + side * 0.2, 0.94, 0.1, 0.05, mix(coat, (0, 0, 0), 0.2))
    pen.ball(0.5, 0.38, 0.27, 0.24, coat)
    pen.ellipse(0.5, 0.47, 0.14, 0.1, belly, fade=True)
    for side in (-1, 1):
        pen.ellipse(0.5 + side * 0.1, 0.34, 0.05, 0.06, (255, 255, 255), fade=True)
        pen.ellipse(0.5 + side * 0.09, 0.35, 0.028, 0.035, (10, 10, 20), fade=True)
    pen.ellipse(0.5, 0.43, 0.045, 0.03, (30, 15, 20), fade=True)


def _biscuits(pen: Pen, rng: np.random.Generator) -> None:
    dough = _pick(rng, ((205, 150, 80), (120, 70, 35), (235, 205, 140), (180, 110, 50)))
    chip = contrasting(rng, dough)
    square = rng.random() < 0.4
    for x, y in ((0.34, 0.36), (0.66, 0.42), (0.46, 0.68))[: int(rng.integers(1, 4))]:
        if square:
            box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.25
            turn = rng.uniform(0, 1.5)
            box = box @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            pen.polygon(np.add(box, (x + 0.02, y + 0.03)), mix(dough, (40, 20, 0), 0.5))
            pen.polygon(np.add(box, (x, y)), dough)
        else:
            pen.ellipse(x + 0.02, y + 0.03, 0.28, 0.28, mix(dough, (40, 20, 0), 0.5))
            pen.ellipse(x, y, 0.28, 0.28, dough)
        for _ in range(9):
            a, d = rng.uniform(0, 6.3), rng.uniform(0, 0.19)
            pen.ellipse(x + d * np.cos(a), y + d * np.sin(a), 0.03, 0.025, chip, fade=True)


def _heap(pen: Pen, rng: np.random.Generator) -> None:
    """Many small things close together: berries, nuts, pasta, beans."""
    colour, other = _pick(rng, _FRUIT), _pick(rng, _FRUIT)
    r, stretch = rng.uniform(0.07, 0.15), rng.uniform(0.45, 1.0)
    mixed = rng.random() < 0.4
    spots = rng.uniform(-1, 1, (int(min(46, 0.55 / r**2)), 3))
    for x, y, tone in spots[np.argsort(spots[:, 1])]:
        wide = 0.42 * np.sqrt(max(0.0, 1 - (y * 0.9) ** 2))
        base = other if mixed and tone > 0.4 else colour
        shade: Colour = (255, 240, 200) if tone > 0 else (20, 10, 30)
        pen.ball(
            0.5 + x * wide, 0.55 + y * 0.34, r, r * stretch, mix(base, shade, 0.2 * abs(float(tone))), float(tone * 180)
        )
    if rng.random() < 0.4:
        pen.leaf(0.5, 0.3, 0.35, float(rng.uniform(3.4, 6)), _pick(rng, _GREENS))


def _bouquet(pen: Pen, rng: np.random.Generator) -> None:
    """Scattered small blossoms and leaves."""
    colour, heart = package_colour(rng, str(rng.choice(["vivid", "pastel", "white"]))), package_colour(rng, "vivid")
    green = _pick(rng, _GREENS)
    spots = rng.uniform(0.14, 0.86, (int(rng.integers(5, 12)), 2))
    for x, y in spots:
        pen.leaf(float(x), float(y), 0.2, float(rng.uniform(0, 6.3)), green)
    for x, y in spots:
        size = float(rng.uniform(0.06, 0.13))
        for k in range(5):
            a = 2 * np.pi * k / 5
            pen.ellipse(
                x + size * 0.6 * np.cos(a),
                y + size * 0.6 * np.sin(a),
                size * 0.5,
                size * 0.4,
                mix(colour, (255, 255, 255), 0.1 * k),
                float(np.degrees(a)),
            )
        pen.ellipse(x, y, size * 0.28, size * 0.28, heart, fade=True)


def _photo(pen: Pen, rng: np.random.Generator) -> None:
    """A full-bleed photograph of something: layered, lit, unsharp patches in a few related colours."""
    seed = int(rng.integers(1 << 31))
    first, second = _pick(rng, _FRUIT), _pick(rng, (*_FRUIT, *_GREENS))
    third = mix(second, (255, 250, 230), 0.55)
    coarse = noise(seed, pen.height, pen.width, cells=rng.uniform(1.5, 4), octaves=3)[..., None]
    fine = noise(seed + 1, pen.height, pen.width, cells=rng.uniform(5, 14), octaves=2)[..., None]
    # Lit from above left: what rises towards the light is bright, so that blobs look like things.
    step = max(1, min(pen.height, pen.width) // 24)
    slope = coarse - np.roll(coarse, step, axis=(0, 1)) + 0.6 * (fine - np.roll(fine, step, axis=(0, 1)))
    edge = np.clip((coarse - 0.5) * rng.uniform(3, 12) + 0.5, 0, 1)
    spots = np.clip((fine - 0.68) * 8, 0, 1)
    ground = np.array(first) * (1 - edge) + np.array(second) * edge
    ground = ground * (1 - spots) + np.array(third) * spots
    pen.rgb[:] = np.clip(ground * np.clip(0.8 + 0.3 * coarse + 1.6 * slope, 0.3, 1.5), 0, 255).astype(np.uint8)
    pen.alpha[:] = 255


_PICTURES: dict[str, Callable[[Pen, np.random.Generator], None]] = {
    "fruit": _fruit, "slice": _slice, "flower": _flower, "leaves": _leaves, "splash": _splash, "bowl": _bowl,
    "cup": _cup, "view": _view, "beast": _beast, "biscuits": _biscuits, "heap": _heap,
    "bouquet": _bouquet, "photo": _photo,
}  # fmt: skip
#: Names that `draw_picture` knows.
PICTURES: tuple[str, ...] = tuple(_PICTURES)


def draw_picture(name: str, seed: int, height: int, width: int) -> tuple[U8, U8]:
    """Draw a picture: RGB (h, w, 3) and its coverage (h, w), both uint8."""
    pen = Pen(height, width)
    _PICTURES[name](pen, np.random.default_rng(seed))
    return pen.rgb, pen.alpha
