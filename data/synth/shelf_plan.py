"""What stands where on a shelf: which identities beside each other, how many facings, how high, what is missing or fallen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from data.synth.pool import STRIDE, Pool
from data.synth.spec import SceneSpec


@dataclass(frozen=True)
class Facing:
    """One column of one product.

    Attributes:
        identity: what it is.
        take: which of its pictures.
        x: left edge on the canvas.
        width: of one piece as it stands.
        height: of one piece as it stands.
        stack: pieces on top of each other.
        first: nearest layer that is filled: 0 = the front, larger = a gap with goods further back, 9 = empty.
        last: furthest layer that is filled.
        angle: lean in degrees counter-clockwise; 90 lies on its side, 180 stands on its head.
        begins: True where a run of one identity begins (a price tag belongs there).
    """

    identity: int
    take: int
    x: float
    width: float
    height: float
    stack: int
    first: int
    last: int
    angle: float
    begins: bool


class Planner:
    """Plans the rows of one scene: families in a loose order, their variants beside each other, a long tail of copies.

    Args:
        goods: pool of goods.
        families: numbers of the families to choose from.
        spec: the wishes.
        rnd: source of all randomness.
        kinds: how many families the scene shows.
        clearance: typical height between two boards in pixels.
    """

    def __init__(
        self, goods: Pool, families: range, spec: SceneSpec, rnd: Random, *, kinds: int, clearance: float
    ) -> None:
        self._goods, self._spec, self._rnd, self._clearance = goods, spec, rnd, clearance
        self._families = rnd.sample(families, max(1, min(len(families), kinds)))
        self._next = self._member = 0
        self._scale: dict[int, float] = {}
        self._room_cm = rnd.uniform(14, 32)
        # chance that one more facing of the same identity follows: .2 gives mostly single ones, .7 long runs
        self._repeat = rnd.triangular(0.1, 0.78, 0.35)
        self._tight = rnd.random() ** 0.5
        self._empty = rnd.choice((0.0, 0.01, 0.04, 0.12)) * 2 * spec.disorder
        self.depth = rnd.choice((0, 1, 1, 2, 2, 3))

    def row(self, x: float, stop: float, room: float) -> list[Facing]:
        """Plan one row from ``x`` to ``stop`` under a clearance of ``room`` pixels."""
        rnd, spec = self._rnd, self._spec
        facings: list[Facing] = []
        snug, stretch = rnd.random() < 0.7, 1.0
        x += rnd.random() * 0.15 * self._clearance
        while x < stop:
            identity = self._pick()
            take = rnd.randrange(self._goods.takes(identity))
            relative = self._height(identity)
            if snug and not facings:
                stretch = rnd.uniform(0.85, 0.97) / relative
            height = room * min(0.97, relative * stretch)
            width = height * self._goods.aspect(identity, take)
            if width > 1.5 * room:
                width, height = 1.5 * room, height * 1.5 * room / width
            stack = int(0.98 * room / height) if height < 0.48 * room and rnd.random() < 0.85 else 1
            gap = (
                rnd.choice((-0.06, -0.02, 0, 0, 0, 0.01, 0.03))
                if rnd.random() < self._tight
                else rnd.uniform(0.02, 0.2)
            )
            sloppy = rnd.random() < 0.4 * spec.disorder
            head = 180.0 if stack > 1 and rnd.random() < 0.06 * spec.disorder else 0.0
            begins = True
            for _ in range(self._copies()):
                if x + 0.6 * width > stop:
                    break
                takes = self._goods.takes(identity)
                one = Facing(identity, rnd.randrange(takes), x, width, height, stack, 0, self.depth, head, begins)
                facings.append(self._disturb(one, room, sloppy=sloppy))
                begins = False
                x += facings[-1].width * (1 + gap + (rnd.uniform(0, 0.12) if sloppy else 0))
            if rnd.random() < 0.1:
                x += rnd.uniform(0.05, 0.6) * self._clearance * (0.3 + spec.disorder)
        return facings

    def again(self, row: list[Facing], room: float, was: float) -> list[Facing]:
        """Repeat a row above itself: the same identities at the same places, other gaps (a block over several boards)."""
        if not 0.85 < room / was < 1.2:
            return []
        fit = min(1.0, room / was)
        plain = [replace(f, first=0, angle=0.0, last=self.depth, height=f.height * fit) for f in row if f.angle != 90]
        return [self._disturb(f, room, sloppy=False) for f in plain]

    def _pick(self) -> int:
        """Next identity along the shelf: the variants of a family one after the other, then the next family."""
        rnd = self._rnd
        family = self._goods.family(self._families[self._next % len(self._families)])
        if self._member >= len(family) or rnd.random() < 0.15:
            self._next += 1 if rnd.random() < 0.8 else rnd.randrange(len(self._families))
            self._member = 0
            family = self._goods.family(self._families[self._next % len(self._families)])
        identity = family[self._member % len(family)]
        self._member += 1
        return identity

    def _height(self, identity: int) -> float:
        """Height in units of the clearance, half way (as a ratio) between any and the true one; fixed per family."""
        usual = self._goods.tallness(identity)
        anyhow = self._scale.setdefault(identity // STRIDE, self._rnd.triangular(0.35, 1.0, 0.85))
        relative = anyhow if usual is None else (anyhow * usual / self._room_cm) ** 0.5
        return min(0.97, max(0.22, relative))

    def _copies(self) -> int:
        """Facings of one identity: geometric, now and then a long block."""
        rnd = self._rnd
        number = 1
        while number < 12 and rnd.random() < self._repeat:
            number += 1
        return number * rnd.randint(2, 5) if rnd.random() < 0.04 else number

    def _disturb(self, facing: Facing, room: float, *, sloppy: bool) -> Facing:
        """Take goods away, lay one down, lean or turn it."""
        rnd, disorder = self._rnd, self._spec.disorder
        one = replace(facing, last=min(self.depth, rnd.choice((0, 1, 2, 3, 3))))
        if rnd.random() < self._empty:
            one = replace(one, first=rnd.choice((1, 1, 2, 9)), last=max(1, one.last))
        if one.stack > 1 and rnd.random() < 0.15:
            one = replace(one, stack=rnd.randint(1, one.stack))
        if one.stack == 1 and rnd.random() < 0.02 * disorder and one.height < 1.6 * room and one.width < 0.95 * room:
            return replace(one, width=one.height, height=one.width, angle=90.0)
        if sloppy and not one.angle and rnd.random() < 0.4:
            one = replace(one, angle=rnd.gauss(0, 2.5))
        if rnd.random() < 0.06 * disorder:
            one = replace(one, width=one.width * rnd.uniform(0.5, 0.9))
        return one
