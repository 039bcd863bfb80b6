"""Scattered scenes: cells and nuclei on a slide, coins and goods on a table, fruit in heaps, trays of cells."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np

from packed_scenes.data.synth.canvas import Canvas, Colour, Sprite
from packed_scenes.data.synth.pool import Pool
from packed_scenes.data.synth.signs import colour
from packed_scenes.data.synth.spec import SceneSpec
from packed_scenes.data.synth.things import Kind

TURNS = 8  # angles per product and picture: rotation is the slow part of a paste


def ground(canvas: Canvas, kind: Kind | None, rnd: Random) -> None:
    """A slide, a dark field, or a table with a grain."""
    if kind is Kind.GLOW:
        base, depth = (rnd.randint(0, 25),) * 3, 6.0
    elif kind in (Kind.CELL, Kind.NUCLEUS):
        base, depth = (rnd.randint(190, 240), rnd.randint(185, 235), rnd.randint(195, 240)), 8.0
    else:
        base, depth = rnd.choice(((rnd.randint(40, 230),) * 3, colour(rnd))), rnd.uniform(4, 30)
    grain = np.random.default_rng(rnd.randrange(2**62))
    rows, cols = (
        (rnd.randint(3, 12), rnd.randint(3, 12)) if rnd.random() < 0.6 else (rnd.choice((4, 120)), rnd.choice((4, 120)))
    )
    small = np.clip(np.array(base) + depth * grain.normal(size=(rows, cols, 1)), 0, 255).astype(np.uint8)
    canvas.rgb[:] = cv2.resize(small, (canvas.width, canvas.height), interpolation=cv2.INTER_CUBIC)


def scatter(
    canvas: Canvas, things: dict[Kind, Pool], goods: Pool, families: range, spec: SceneSpec, rnd: Random, count: int
) -> None:
    """Paint one scattered scene.

    Args:
        canvas: sheet to paint on.
        things: a pool for each kind of small thing.
        goods: pool of shelf goods, some scenes show them lying about.
        families: numbers of the goods families to choose from.
        spec: what is wanted.
        rnd: source of all randomness.
        count: number of objects aimed at.
    """
    kind = rnd.choice((*Kind, None))
    ground(canvas, kind, rnd)
    pool = goods if kind is None else things[kind]
    chosen: list[int] = []
    for _ in range(rnd.choice((1, 1, 2, 4))):
        chosen += pool.family(rnd.choice(families if kind is None else families[:24]))
    rnd.shuffle(chosen)
    chosen = chosen[: max(1, rnd.randint(1, 8))]
    weights = [1 / (k + 1) ** rnd.uniform(0.5, 2) for k in range(len(chosen))]
    if kind is not None and kind not in (Kind.CELL, Kind.NUCLEUS, Kind.GLOW) and rnd.random() < 0.4:
        _tray(canvas, pool, chosen, weights, spec, rnd, count)
    else:
        _spread(canvas, pool, chosen, weights, rnd, count, heap=kind is Kind.FRUIT and rnd.random() < 0.7)


class _Sprites:
    """Sprites of a scene, a few angles each."""

    def __init__(self, pool: Pool, rnd: Random, *, turned: bool) -> None:
        self._pool, self._rnd, self._turned = pool, rnd, turned
        self._kept: dict[tuple[int, int, int, int], Sprite] = {}

    def __call__(self, identity: int, size: float) -> Sprite:
        """Return an identity at about a size (square root of its frame's area), turned at random."""
        rnd = self._rnd
        take, turn = rnd.randrange(self._pool.takes(identity)), rnd.randrange(TURNS) if self._turned else 0
        size *= rnd.choice((0.9, 1.0, 1.1))
        key = (identity, take, turn, round(size))
        if key not in self._kept:
            height = size / self._pool.aspect(identity, take) ** 0.5
            width = height * self._pool.aspect(identity, take)
            self._kept[key] = self._pool.sprite(
                identity, width, height, angle=turn * 360 / TURNS + 0.5 * turn, take=take
            )
        return self._kept[key].lit(rnd.uniform(0.85, 1.1))


def _spread(
    canvas: Canvas, pool: Pool, chosen: list[int], weights: list[float], rnd: Random, count: int, *, heap: bool
) -> None:
    """Throw things on the ground: a jittered grid, loose to overlapping; a heap covers all."""
    fill = rnd.uniform(1.1, 1.8) if heap else rnd.uniform(0.15, 0.8)
    share = 1.0 if heap else rnd.uniform(0.5, 1.0)
    size = (fill * share * canvas.height * canvas.width / count) ** 0.5
    cell = (share * canvas.height * canvas.width / count) ** 0.5
    rows, cols = max(1, round(canvas.height / cell)), max(1, round(canvas.width / cell))
    spots = [(r, c) for r in range(-1, rows + 1) for c in range(-1, cols + 1)]
    rnd.shuffle(spots)
    if not heap:
        spots = spots[: max(1, round(len(spots) * share))]
    wander = rnd.uniform(0.1, 0.6)
    sprites = _Sprites(pool, rnd, turned=True)
    for (r, c), identity in zip(spots, rnd.choices(chosen, weights, k=len(spots)), strict=True):
        sprite = sprites(identity, size)
        x = (c + 0.5 + 0.5 * (r % 2) + rnd.uniform(-wander, wander)) * canvas.width / cols - sprite.width / 2
        y = (r + 0.5 + rnd.uniform(-wander, wander)) * canvas.height / rows - sprite.height / 2
        canvas.paste(sprite, round(x), round(y), identity)


def _tray(
    canvas: Canvas, pool: Pool, chosen: list[int], weights: list[float], spec: SceneSpec, rnd: Random, count: int
) -> None:
    """A tray of cells, one thing in most of them; each row of cells tends to hold one identity."""
    cell = (canvas.height * canvas.width / count) ** 0.5
    rows, cols = max(1, round(canvas.height / cell)), max(1, round(canvas.width / cell))
    dy, dx = canvas.height / rows, canvas.width / cols
    wall, shade = colour(rnd), rnd.uniform(0.4, 0.9)
    inner: Colour = (round(wall[0] * shade), round(wall[1] * shade), round(wall[2] * shade))
    canvas.rgb[:] = wall
    sprites = _Sprites(pool, rnd, turned=rnd.random() < 0.5)
    for r in range(rows):
        identity = rnd.choices(chosen, weights)[0]
        for c in range(cols):
            canvas.fill((c + 0.06) * dx, (r + 0.06) * dy, (c + 0.94) * dx, (r + 0.94) * dy, inner)
            if rnd.random() < 0.3:
                identity = rnd.choices(chosen, weights)[0]
            if rnd.random() < 0.1 + 0.2 * spec.disorder:
                continue
            sprite = sprites(identity, min(dx, dy) * 0.8)
            x, y = (c + 0.5) * dx - sprite.width / 2, (r + 0.5) * dy - sprite.height / 2
            canvas.paste(sprite, round(x + rnd.gauss(0, 0.04 * dx)), round(y + rnd.gauss(0, 0.04 * dy)), identity)
