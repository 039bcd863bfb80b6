"""What stands where on a shelf: identities beside each other, their facings and heights, what is missing or fallen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from packed_scenes.data.synth.pool import STRIDE, Pool
from packed_scenes.data.synth.spec import SceneSpec

TYPICAL_AREA = 0.42  # of a product, in square clearances


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
        spec: what is wanted.
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
        # goods of the scene come out at one typical area, so that the number aimed at is met
        self._zoom = 1.0
        some = [goods.family(f)[0] for f in self._families[:8]]
        area = sum((self._height(i) / clearance) ** 2 * goods.aspect(i) for i in some) / len(some)
        self._zoom = min(1.5, max(0.67, (TYPICAL_AREA / area) ** 0.5))

    def room(self) -> float:
        """Clearance in pixels for a new board: fits some product of the scene, snugly or not."""
        rnd = self._rnd
        tallest = max(self._height(self._pick()) for _ in range(rnd.choice((1, 1, 2, 3))))
        return min(1.6 * self._clearance, max(0.45 * self._clearance, tallest / rnd.uniform(0.72, 0.96)))

    def row(self, x: float, stop: float, room: float) -> list[Facing]:
        """Plan one row from ``x`` to ``stop`` under a clearance of ``room`` pixels."""
        rnd, spec = self._rnd, self._spec
        facings: list[Facing] = []
        x += rnd.random() * 0.15 * self._clearance
        while x < stop:
            identity = self._fitting(room)
            height = min(self._height(identity), 0.97 * room)
            width = height * self._goods.aspect(identity)
            if width > 2.2 * self._clearance:
                width, height = 2.2 * self._clearance, height * 2.2 * self._clearance / width
            stack = int(0.98 * room / height) if height < 0.48 * room and rnd.random() < 0.85 else 1
            gap = (
                rnd.choice((-0.06, -0.02, 0, 0, 0, 0.01, 0.03))
                if rnd.random() < self._tight
                else rnd.uniform(0.02, 0.2)
            )
            sloppy = rnd.random() < 0.4 * spec.disorder
            head = 180.0 if stack > 1 and rnd.random() < 0.06 * spec.disorder else 0.0
            begins, takes = True, self._goods.takes(identity)
            for _ in range(self._copies()):
                if x + 0.6 * width > stop:
                    break
                take = rnd.randrange(takes)
                wide = height * self._goods.aspect(identity, take) if take else width
                one = Facing(identity, take, x, wide, height, stack, 0, self.depth, head, begins)
                facings.append(self._disturb(one, room, sloppy=sloppy))
                begins = False
                x += facings[-1].width * (1 + gap + (rnd.uniform(0, 0.12) if sloppy else 0))
            if rnd.random() < 0.1 or begins:
                x += rnd.uniform(0.05, 0.6) * self._clearance * (0.3 + spec.disorder)
        return facings

    def again(self, row: list[Facing], room: float, was: float) -> list[Facing]:
        """Repeat a row below itself: the same identities at the same places, other gaps."""
        if not 0.99 < room / was < 1.3:
            return []
        plain = [replace(f, first=0, angle=0.0, last=self.depth) for f in row if f.angle != 90]
        return [self._disturb(f, room, sloppy=False) for f in plain]

    def _fitting(self, room: float) -> int:
        """Next identity that fits under ``room`` without leaving most of it empty; if none comes up soon, any."""
        for _ in range(8):
            identity = self._pick()
            share = self._height(identity) / room
            if 0.62 < share <= 0.97 or 0.24 < share < 0.48 or (share <= 0.97 and self._rnd.random() < 0.2):
                break
            self._member = 99
        return identity

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
        """Height in pixels, the same in the whole scene; half way (as a ratio) between any and the usual one."""
        usual = self._goods.tallness(identity)
        anyhow = self._scale.setdefault(identity // STRIDE, self._rnd.triangular(0.35, 1.0, 0.85))
        # variants of a family keep the ratio of their sizes: only the family's scale is drawn
        first = self._goods.tallness(identity // STRIDE * STRIDE)
        relative = anyhow
        if usual is not None and first is not None:
            relative = (anyhow * first / self._room_cm) ** 0.5 * usual / first
        return min(1.3, max(0.22, relative * self._zoom)) * self._clearance

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
            one = replace(one, angle=float(round(rnd.gauss(0, 2.5))))
        if rnd.random() < 0.04 * disorder:
            one = replace(one, width=one.width * rnd.uniform(0.6, 0.9))
        return one
