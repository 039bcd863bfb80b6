"""Shelves: bays of boards with rows of facings, back rows, rails, tags and signs.

The gondola is drawn front on, far things first; back rows shrink towards the eye's height. The oblique view comes from
the homography through which the whole canvas is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from packed_scenes.data.synth import backdrop, occluders
from packed_scenes.data.synth.canvas import Canvas, Colour, Sprite
from packed_scenes.data.synth.pool import Pool
from packed_scenes.data.synth.shelf_plan import Facing, Planner
from packed_scenes.data.synth.signs import colour, grey, shade
from packed_scenes.data.synth.spec import SceneSpec

DEPTH = 0.11  # how much further away each row behind is, in units of the distance to the front row
FILL = 1.65  # goods per square clearance of shelf front, measured over 100 scenes of drawn goods


@dataclass(frozen=True)
class Style:
    """What all shelves of a scene share: colours, thickness of boards, darkness of what lies deeper, the eye (x, y).

    ``hung`` goods hang from hooks with a little air between them instead of standing.
    """

    rail: Colour
    board: Colour
    panel: Colour
    upright: Colour
    thickness: float
    tag_share: float
    dark: float
    holes: bool
    hung: bool
    eye: tuple[float, float]


@dataclass(frozen=True)
class Pools:
    """Everything that can be pasted on shelf scenes."""

    goods: Pool
    people: Pool
    tags: Pool
    signs: Pool
    trolleys: Pool


class ShelfPainter:
    """Paints shelves onto a canvas.

    Args:
        canvas: sheet to paint on.
        pools: what to paste.
        families: numbers of the goods families to choose from.
        spec: what is wanted.
        rnd: source of all randomness.
        count: number of objects aimed at in the part that is seen.
    """

    def __init__(self, canvas: Canvas, pools: Pools, families: range, spec: SceneSpec, rnd: Random, count: int) -> None:
        self.canvas, self.pools, self.spec, self.rnd = canvas, pools, spec, rnd
        height, width = canvas.height, canvas.width
        self.top, self.bottom, self.left, self.right = -1.0, height + 1.0, 0.0, float(width)
        if rnd.random() < spec.surround:
            which = rnd.random()
            if which < 0.65:
                self.top = height * rnd.uniform(0.06, 0.4)
            if which > 0.4:
                self.bottom = height * rnd.uniform(0.7, 0.95)
            if rnd.random() < 0.2:
                edge = width * rnd.uniform(0.05, 0.3)
                self.left, self.right = (edge, self.right) if rnd.random() < 0.5 else (self.left, width - edge)
        seen = spec.size[0] * spec.size[1] / (height * width)
        front = (self.right - self.left) * (min(self.bottom, height) - max(self.top, 0.0)) * seen
        self.clearance = min((front * FILL / count) ** 0.5, 1.5 * min(spec.size))
        self.style = Style(
            rail=rnd.choice((grey(rnd, 150, 245), grey(rnd, 150, 245), grey(rnd, 30, 140), colour(rnd))),
            board=grey(rnd, 120, 240, 14),
            panel=rnd.choice((grey(rnd, 25, 80), grey(rnd, 80, 170), grey(rnd, 170, 240), shade(colour(rnd), 0.6))),
            upright=grey(rnd, 60, 220),
            thickness=rnd.uniform(0.04, 0.16),
            tag_share=rnd.choice((0.0, 0.3, 0.8, 1.0)) * (spec.clutter > 0),
            dark=rnd.uniform(0.62, 0.9),
            holes=rnd.random() < 0.25,
            hung=rnd.random() < 0.08,
            eye=(width * rnd.uniform(0.2, 0.8), height * rnd.uniform(0.1, 0.8)),
        )
        kinds = round(count / rnd.uniform(3, 12)) + 1
        self.planner = Planner(pools.goods, families, spec, rnd, kinds=kinds, clearance=self.clearance)
        self._bare = rnd.random() < spec.bare
        self._cards: list[tuple[Sprite, int, int]] = []

    def paint(self) -> None:
        """Fill the canvas."""
        rnd, canvas, c = self.rnd, self.canvas, self.clearance
        if self.top > 0:
            backdrop.ceiling(canvas, self.top, rnd)
        top = self.top if self.top > 0 else -rnd.uniform(0.0, 1.0) * c
        bottom = self.bottom if self.bottom < canvas.height else canvas.height + c
        x = self.left - (rnd.uniform(0, 6) * c if self.left == 0 else 0)
        levels = self._levels(top, bottom)
        while x < self.right:
            stop = min(x + rnd.uniform(5, 14) * c, self.right + (c if self.right == canvas.width else 0))
            if rnd.random() < 0.3:
                levels = self._levels(top, bottom)
            self._bay(x, stop, levels)
            x = stop
        if bottom < canvas.height:
            backdrop.floor(canvas, bottom, rnd)
        if self.top > 0 and rnd.random() < 0.6:
            backdrop.header(canvas, self.top, c * rnd.uniform(0.25, 0.8), rnd, self.pools.signs)
        for x1, x2 in ((0.0, self.left), (self.right, float(canvas.width))):
            if x2 - x1 > 2:
                backdrop.wall(canvas, x1, x2, rnd, self.pools.signs)
        for sprite, cx, cy in self._cards:
            canvas.paste(sprite, cx, cy)
        occluders.hang_signs(canvas, self.pools.signs, c, self.spec, rnd)

    def _levels(self, top: float, bottom: float) -> list[tuple[float, float]]:
        """Upper end and foot of each row."""
        rows, y = [], top
        thick = self.style.thickness * self.clearance
        while y < bottom - 0.4 * self.clearance:
            foot = min(y + self.planner.room(), bottom - thick)
            rows.append((y, foot))
            y = foot + thick
            if self.rnd.random() < 0.4 and y + (foot - rows[-1][0]) < bottom:  # boards often come at equal distances
                rows.append((y, y + foot - rows[-1][0]))
                y = rows[-1][1] + thick
        return rows

    def _bay(self, x1: float, x2: float, levels: list[tuple[float, float]]) -> None:
        """One bay: its rows from the top, some of them repeating the row above."""
        canvas, rnd, c = self.canvas, self.rnd, self.clearance
        post, in_front = max(2.0, 0.05 * c), rnd.random() < 0.3
        row: list[Facing] = []
        was = 0.0
        for y1, y2 in levels:
            if y1 > canvas.height or y2 < -0.2 * c:
                continue
            room = y2 - y1
            self._space(x1, y1, x2, y2)
            if not in_front:
                canvas.fill(x1 - post / 2, y1, x1 + post / 2, y2, shade(self.style.upright, self.style.dark))
            row = self.planner.again(row, room, was) if row and rnd.random() < 0.3 else []
            if not row and not self._bare and rnd.random() >= 0.06 * 2 * self.spec.surround:
                row = self.planner.row(x1 + post * in_front, x2 - post * in_front, room)
            was = room
            hung = self.style.hung and rnd.random() < 0.8
            self._goods(row, y2 - 0.12 * room * hung, room, air=0.08 * hung)
            if not hung and rnd.random() < 0.25 * self.spec.clutter:
                self._lip(row, y2)
            self._rail(x1, x2, y2, row)
        if in_front and levels:
            canvas.fill(x1 - post, levels[0][0], x1 + post, levels[-1][1], self.style.upright)
            canvas.fill(x1 + post * 0.6, levels[0][0], x1 + post, levels[-1][1], shade(self.style.upright, 0.7))

    def _space(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """The room between two boards: back panel, darker at the top, and the board's upper or lower face."""
        canvas, style = self.canvas, self.style
        deep, low = shade(style.panel, style.dark * 0.45), shade(style.panel, style.dark)
        canvas.ramp(x1, y1, x2, y2, deep, low)
        if style.holes:
            backdrop.perforate(canvas, x1, y1, x2, y2, shade(style.panel, 0.4), self.clearance)
        lean = (style.eye[1] - y2) * (1 - 1 / (1 + 3 * DEPTH))
        if lean < 0:
            depth = min(-lean, (y2 - y1) * 0.3)
            canvas.fill(x1, y2 - depth, x2, y2, shade(style.board, style.dark * 0.75))
            canvas.fill(x1, y2 - depth * 0.4, x2, y2, shade(style.board, style.dark))
        else:
            canvas.fill(x1, y1, x2, y1 + min(lean * 0.6, (y2 - y1) * 0.2), shade(style.board, 0.35))

    def _goods(self, facings: list[Facing], foot: float, room: float, *, air: float) -> None:
        """Paste back rows, then front rows; pieces of a stack are ``air`` of their height apart."""
        rnd, style = self.rnd, self.style
        cache: dict[tuple[int, int, int, int, int, float], Sprite] = {}
        eye_x, eye_y = style.eye
        for layer in range(self.planner.depth, -1, -1):
            scale, gain = 1 / (1 + DEPTH * layer), style.dark**layer
            drop = min(max((eye_y - foot) * (1 - scale), -0.13 * layer * room), 0.05 * layer * room)
            for facing in facings:
                if layer > facing.last or layer < facing.first:
                    continue
                width, height = facing.width * scale, facing.height * scale
                slide = min(max((eye_x - facing.x) * (1 - scale), -0.25 * layer * width), 0.25 * layer * width)
                x = facing.x + slide + (rnd.uniform(-0.06, 0.06) * width if layer else 0)
                take = 0 if layer else facing.take  # what stands behind shows little: one picture will do
                key = (facing.identity, take, round(width), round(height), layer, facing.angle)
                sprite = cache.get(key)
                if sprite is None:
                    size = (height, width) if facing.angle == 90 else (width, height)
                    made = self.pools.goods.sprite(facing.identity, *size, angle=facing.angle, take=take)
                    sprite = cache[key] = made.lit(gain)
                for level in range(facing.stack if layer < 2 else 1):
                    dx = rnd.uniform(-0.03, 0.03) * width * (level > 0)
                    y = round(foot + drop - level * height * (1 + air)) - sprite.height
                    self.canvas.paste(sprite.lit(rnd.uniform(0.9, 1.06)), round(x + dx), y, facing.identity)

    def _lip(self, facings: list[Facing], foot: float) -> None:
        """Open cartons: a printed lip in front of the feet of a few neighbours."""
        rnd = self.rnd
        if not facings:
            return
        start = rnd.randrange(len(facings))
        held = facings[start : start + rnd.randint(2, 6)]
        height = min(f.height for f in held) * rnd.uniform(0.08, 0.28)
        x1, x2 = held[0].x, held[-1].x + held[-1].width
        base = colour(rnd)
        self.canvas.fill(x1, foot - height, x2, foot, base)
        self.canvas.fill(x1, foot - height, x2, foot - height * 0.9, shade(base, 1.25))
        band = sorted((rnd.random(), rnd.random()))
        self.canvas.fill(
            x1, foot - height * (0.1 + 0.8 * band[1]), x2, foot - height * (0.1 + 0.8 * band[0]), colour(rnd)
        )

    def _rail(self, x1: float, x2: float, y: float, facings: list[Facing]) -> None:
        """The board's front with its price rail, tags where runs begin, cards that hang into the row below."""
        canvas, rnd, style, tags, signs = self.canvas, self.rnd, self.style, self.pools.tags, self.pools.signs
        thick = max(2.0, style.thickness * self.clearance)
        canvas.fill(x1, y, x2, y + thick, style.rail)
        canvas.fill(x1, y, x2, y + max(1, thick * 0.12), shade(style.rail, 1.2))
        canvas.fill(x1, y + thick * 0.85, x2, y + thick, shade(style.rail, 0.55))
        paper = tags.family(rnd.randrange(40))
        promotion = signs.family(rnd.randrange(40)) if rnd.random() < 0.4 * self.spec.clutter else []
        for facing in facings:
            if not facing.begins:
                continue
            x = round(facing.x + rnd.uniform(-0.1, 0.5) * facing.width)
            high = max(thick, 0.07 * self.clearance) * rnd.choice((0.8, 0.9, 0.95, 1.4))
            if rnd.random() < style.tag_share and high >= 3:
                tag = rnd.choice(paper)
                self._cards.append((tags.sprite(tag, high * tags.aspect(tag), high), x, round(y + thick * 0.05)))
            if promotion and rnd.random() < 0.3:
                card, tall = rnd.choice(promotion), self.clearance * rnd.uniform(0.12, 0.3)
                sprite = signs.sprite(card, tall * signs.aspect(card), tall)
                self._cards.append((sprite, x, round(y + thick * rnd.uniform(-0.2, 0.6))))


def shelves(canvas: Canvas, pools: Pools, families: range, spec: SceneSpec, rnd: Random, count: int) -> None:
    """Paint one shelf scene, with what stands in front of it."""
    ShelfPainter(canvas, pools, families, spec, rnd, count).paint()
    if rnd.random() < 0.3 * spec.clutter:
        occluders.pass_by(canvas, pools.people, pools.trolleys, rnd)
    if rnd.random() < 0.2 * spec.clutter:
        occluders.doors(canvas, rnd)
