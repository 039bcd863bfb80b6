"""Shelves: bays of boards with rows of facings, back rows, rails, tags and signs.

The gondola is drawn front on, far things first; depth is a vanishing point that back rows and board tops shrink towards. The
oblique view comes from the homography through which the whole canvas is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


from data.synth import backdrop
from data.synth.canvas import Canvas, Sprite
from data.synth.pool import STRIDE, Pool
from data.synth.signs import Colour, colour
from data.synth.spec import SceneSpec

DEPTH = 0.11  # how much further away each row behind is, in units of the distance to the front row


@dataclass
class Style:
    """What all shelves of a scene share."""

    rail: Colour
    board: Colour
    panel: Colour
    upright: Colour
    thickness: float
    tightness: float
    rows: int
    tag_share: float
    empty: float
    dark: float
    repeat: float
    eye: tuple[float, float]


@dataclass
class Facing:
    """One column of one product: where its foot stands, its size, how many on top of each other and behind."""

    identity: int
    x: float
    width: float
    height: float
    stack: int
    depth: int
    first: int
    angle: float
    lying: bool
    take: int


@dataclass
class Pools:
    """Everything that can be pasted."""

    goods: Pool
    people: Pool
    tags: Pool
    signs: Pool


def grey(rnd: Random, low: int, high: int, tint: int = 8) -> Colour:
    """Return a nearly neutral grey."""
    level = rnd.randint(low, high)
    r, g, b = (min(255, max(0, level + rnd.randint(-tint, tint))) for _ in range(3))
    return r, g, b


def shade(base: Colour, gain: float) -> Colour:
    """Scale a colour."""
    r, g, b = (min(255, max(0, round(c * gain))) for c in base)
    return r, g, b


class ShelfPainter:
    """Paints shelves onto a canvas.

    Args:
        canvas: sheet to paint on.
        pools: what to paste.
        families: numbers of the goods families to choose from.
        spec: the wishes.
        rnd: source of all randomness.
        count: number of objects aimed at in the part that is seen.
    """

    def __init__(self, canvas: Canvas, pools: Pools, families: range, spec: SceneSpec, rnd: Random, count: int) -> None:
        self.canvas, self.pools, self.spec, self.rnd = canvas, pools, spec, rnd
        kinds = max(1, min(len(families), round(count / rnd.uniform(3, 12)) + 1))
        self.families = rnd.sample(families, kinds)
        self.room_cm = rnd.uniform(16, 34)
        self._next = 0
        self._member = 0
        self._relative: dict[int, float] = {}
        seen = spec.size[0] * spec.size[1]
        self.clearance = min((seen / (0.5 * count)) ** 0.5, 1.5 * min(spec.size))
        self.style = Style(
            rail=rnd.choice((grey(rnd, 150, 245), grey(rnd, 150, 245), grey(rnd, 30, 140), colour(rnd))),
            board=grey(rnd, 120, 235, 14),
            panel=rnd.choice((grey(rnd, 15, 60), grey(rnd, 60, 150), grey(rnd, 150, 225), shade(colour(rnd), 0.5))),
            upright=grey(rnd, 60, 220),
            thickness=rnd.uniform(0.04, 0.16),
            tightness=rnd.random(),
            rows=rnd.choice((0, 1, 1, 2, 2, 3)),
            tag_share=rnd.choice((0.0, 0.3, 0.8, 1.0)),
            empty=rnd.choice((0.0, 0.02, 0.06, 0.15)) * 2 * spec.disorder,
            dark=rnd.uniform(0.6, 0.9),
            repeat=rnd.uniform(0.15, 0.75),
            eye=(canvas.width * rnd.uniform(0.2, 0.8), canvas.height * rnd.uniform(0.1, 0.8)),
        )

    def paint(self) -> None:
        """Fill the canvas."""
        rnd, canvas, c = self.rnd, self.canvas, self.clearance
        top, bottom = -rnd.uniform(0.0, 1.0) * c, canvas.height + c
        if rnd.random() < self.spec.surround:
            which = rnd.random()
            if which < 0.7:
                top = canvas.height * rnd.uniform(0.08, 0.4)
            if which > 0.4:
                bottom = canvas.height * rnd.uniform(0.7, 0.95)
        if top > 0:
            backdrop.ceiling(canvas, top, rnd)
        if bottom < canvas.height:
            backdrop.floor(canvas, bottom, rnd)
        x = -rnd.uniform(0, 6) * c
        heights = self._levels(top, bottom)
        while x < canvas.width:
            width = rnd.uniform(5, 14) * c
            if rnd.random() < 0.3:
                heights = self._levels(top, bottom)
            self._bay(x, min(x + width, canvas.width + c), heights)
            x += width
        if top > 0 and rnd.random() < 0.6:
            backdrop.header(canvas, top, c * rnd.uniform(0.25, 0.8), rnd, self.pools.signs)
        self._hang_signs()

    def _levels(self, top: float, bottom: float) -> list[tuple[float, float]]:
        """Upper end and foot of each row."""
        rnd, rows, y = self.rnd, [], top
        while y < bottom - 0.3 * self.clearance:
            height = self.clearance * rnd.uniform(0.75, 1.25)
            foot = min(y + height, bottom - self.style.thickness * self.clearance)
            rows.append((y, foot))
            y = foot + self.style.thickness * self.clearance
        return rows

    def _bay(self, x1: float, x2: float, rows: list[tuple[float, float]]) -> None:
        canvas, rnd, style, c = self.canvas, self.rnd, self.style, self.clearance
        post = max(2.0, 0.06 * c)
        for y1, y2 in rows:
            if y1 > canvas.height or y2 < -0.2 * c:
                continue
            self._space(x1, y1, x2, y2)
            blank = rnd.random() < 0.05 * self.spec.surround * 2
            facings = [] if blank else self._plan(x1 + post, x2 - post * 0.3, y2 - y1)
            self._goods(facings, y2, y2 - y1)
            self._rail(x1, x2, y2, facings)
        if rnd.random() < 0.7:
            canvas.fill(
                x1 - post / 2, rows[0][0] if rows else 0, x1 + post / 2, rows[-1][1] if rows else 0, style.upright
            )

    def _space(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """The room between two boards: back panel, darker at the top, and the board's upper or lower face."""
        canvas, style, rnd = self.canvas, self.style, self.rnd
        bands = 6
        for k in range(bands):
            tone = shade(style.panel, style.dark * (0.45 + 0.55 * k / bands))
            canvas.fill(x1, y1 + (y2 - y1) * k / bands, x2, y1 + (y2 - y1) * (k + 1) / bands, tone)
        if rnd.random() < 0.25:
            backdrop.perforate(canvas, x1, y1, x2, y2, shade(style.panel, 0.4), self.clearance)
        lean = (style.eye[1] - y2) * (1 - 1 / (1 + 3 * DEPTH))
        if lean < 0:
            canvas.fill(x1, y2 + max(lean, -(y2 - y1) * 0.4), x2, y2, shade(style.board, style.dark))
        else:
            canvas.fill(x1, y1, x2, y1 + min(lean * 0.6, (y2 - y1) * 0.25), shade(style.board, 0.35))

    def _pick(self) -> int:
        """Next identity along the shelf: the variants of a family one after the other, then the next family."""
        rnd = self.rnd
        family = self.pools.goods.family(self.families[self._next % len(self.families)])
        if self._member >= len(family) or rnd.random() < 0.15:
            self._next += 1 if rnd.random() < 0.8 else rnd.randrange(len(self.families))
            self._member = 0
            family = self.pools.goods.family(self.families[self._next % len(self.families)])
        identity = family[self._member % len(family)]
        self._member += 1
        return identity

    def _height(self, identity: int) -> float:
        """Height in units of the clearance; a family keeps its scale through the scene, variants may differ in size."""
        rnd, usual = self.rnd, self.pools.goods.tallness(identity)
        scale = self._relative.setdefault(identity // STRIDE, rnd.triangular(0.35, 1.0, 0.85) / (usual or 1.0))
        if usual is None:
            return scale
        # half way between any scale and the true one
        scale = (scale * 1.0 / self.room_cm) ** 0.5
        return min(0.97, max(0.2, scale * usual))

    def _copies(self) -> int:
        """Facings of one identity: geometric, with a rare long block."""
        rnd = self.rnd
        n = 1
        while rnd.random() < self.style.repeat and n < 12:
            n += 1
        return n * rnd.randint(2, 5) if rnd.random() < 0.04 else n

    def _plan(self, x: float, stop: float, room: float) -> list[Facing]:
        rnd, style, spec = self.rnd, self.style, self.spec
        facings: list[Facing] = []
        snug, stretch = rnd.random() < 0.5, 1.0
        x += rnd.random() * 0.3 * self.clearance
        while x < stop:
            identity = self._pick()
            takes = self.pools.goods.takes(identity)
            relative = self._height(identity)
            if snug and not facings:
                stretch = 0.92 / relative
            relative = min(0.97, relative * stretch)
            height = room * relative
            width = height * self.pools.goods.aspect(identity)
            if width > 1.7 * room:
                width, height = 1.7 * room, height * 1.7 * room / width
            stack = 1
            if height < 0.48 * room and rnd.random() < 0.75:
                stack = int(0.98 * room / height)
            gap = rnd.choice((-0.03, 0, 0, 0, 0.02, 0.06)) if rnd.random() < style.tightness else rnd.uniform(0.03, 0.3)
            sloppy = rnd.random() < 0.4 * spec.disorder
            for _ in range(self._copies()):
                if x + 0.6 * width > stop:
                    break
                facing = Facing(identity, x, width, height, stack, style.rows, 0, 0.0, False, 0)
                facing.take = rnd.randrange(takes)
                facing.depth = min(style.rows, rnd.choice((0, 1, 2, 3, 3)))
                if rnd.random() < style.empty:
                    facing.first = rnd.choice((1, 1, 2, 9))
                if stack > 1 and rnd.random() < 0.2:
                    facing.stack = rnd.randint(1, stack)
                if rnd.random() < 0.03 * spec.disorder and stack == 1 and height < 1.6 * room:
                    facing.lying, facing.width, facing.height = True, height, width
                elif sloppy and rnd.random() < 0.4:
                    facing.angle = rnd.gauss(0, 2.5)
                if rnd.random() < 0.08 * spec.disorder:
                    facing.width *= rnd.uniform(0.5, 0.9)
                facings.append(facing)
                x += facing.width * (1 + gap + (rnd.uniform(0, 0.15) if sloppy else 0))
            if rnd.random() < 0.12:
                x += rnd.uniform(0.05, 0.8) * self.clearance * (0.3 + spec.disorder)
        return facings

    def _goods(self, facings: list[Facing], foot: float, room: float) -> None:
        """Paste back rows, then front rows."""
        rnd, style = self.rnd, self.style
        cache: dict[tuple[int, int, int, int, int, float, bool], Sprite] = {}
        eye_x, eye_y = style.eye
        for layer in range(style.rows, -1, -1):
            scale = 1 / (1 + DEPTH * layer)
            gain = style.dark**layer
            for facing in facings:
                if layer > facing.depth or layer < facing.first:
                    continue
                width, height = facing.width * scale, facing.height * scale
                x = facing.x + min(max((eye_x - facing.x) * (1 - scale), -0.25 * layer * width), 0.25 * layer * width)
                y = foot + min(max((eye_y - foot) * (1 - scale), -0.13 * layer * room), 0.05 * layer * room)
                if layer:
                    x += rnd.uniform(-0.06, 0.06) * width
                key = (facing.identity, facing.take, round(width), round(height), layer, facing.angle, facing.lying)
                if key not in cache:
                    cache[key] = self._sprite(facing, width, height, gain)
                sprite = cache[key]
                for level in range(facing.stack if layer < 2 else 1):
                    lit = sprite.lit(rnd.uniform(0.88, 1.08))
                    dx = rnd.uniform(-0.05, 0.05) * width * (level > 0)
                    self.canvas.paste(lit, round(x + dx), round(y - level * height) - sprite.height, facing.identity)

    def _sprite(self, facing: Facing, width: float, height: float, gain: float) -> Sprite:
        if facing.lying:
            return self.pools.goods.sprite(facing.identity, height, width, angle=90, take=facing.take).lit(gain)
        return self.pools.goods.sprite(facing.identity, width, height, angle=facing.angle, take=facing.take).lit(gain)

    def _rail(self, x1: float, x2: float, y: float, facings: list[Facing]) -> None:
        """The board's front with its price rail, a tag at the start of each product."""
        canvas, rnd, style = self.canvas, self.rnd, self.style
        thick = max(2.0, style.thickness * self.clearance)
        canvas.fill(x1, y, x2, y + thick, style.rail)
        canvas.fill(x1, y, x2, y + max(1, thick * 0.12), shade(style.rail, 1.25))
        canvas.fill(x1, y + thick * 0.85, x2, y + thick, shade(style.rail, 0.55))
        if self.spec.clutter == 0:
            return
        family = self.pools.tags.family(rnd.randrange(40))
        last = None
        for facing in facings:
            if facing.identity == last or rnd.random() > style.tag_share:
                continue
            last = facing.identity
            height = thick * rnd.choice((0.8, 0.9, 0.95, 1.3))
            identity = rnd.choice(family)
            if height < 3:
                continue
            tag = self.pools.tags.sprite(identity, height * self.pools.tags.aspect(identity), height)
            canvas.paste(tag, round(facing.x + rnd.uniform(0, 0.5) * facing.width), round(y + thick * 0.05))
        if rnd.random() < 0.5 * self.spec.clutter and facings:
            for facing in rnd.sample(facings, min(len(facings), rnd.randint(1, 3))):
                height = self.clearance * rnd.uniform(0.12, 0.3)
                identity = rnd.choice(self.pools.signs.family(rnd.randrange(40)))
                card = self.pools.signs.sprite(identity, height * self.pools.signs.aspect(identity), height)
                canvas.paste(card, round(facing.x), round(y + thick * rnd.uniform(-0.2, 0.6)))

    def _hang_signs(self) -> None:
        """Signs in front of everything: large cards, and strips of packages that hang from a rail."""
        rnd, canvas = self.rnd, self.canvas
        if rnd.random() > self.spec.clutter:
            return
        for _ in range(rnd.randint(1, 3)):
            height = self.clearance * rnd.uniform(0.3, 0.9)
            identity = rnd.choice(self.pools.signs.family(rnd.randrange(40)))
            sign = self.pools.signs.sprite(
                identity,
                height * self.pools.signs.aspect(identity),
                height,
                angle=rnd.choice((0.0, 0.0, rnd.gauss(0, 4))),
            )
            canvas.paste(sign, rnd.randrange(canvas.width), rnd.randrange(canvas.height))


def standing(canvas: Canvas, pools: Pools, families: range, spec: SceneSpec, rnd: Random, count: int) -> None:
    """Paint one shelf scene."""
    ShelfPainter(canvas, pools, families, spec, rnd, count).paint()
    if rnd.random() < 0.25 * spec.clutter:
        backdrop.passers_by(canvas, pools.people, rnd)
