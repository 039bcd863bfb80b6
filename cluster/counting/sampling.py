"""Which items are drawn and which pairs are asked: nested importance sampling over a frame.

After Perez, Maji, Sheldon, "Human-in-the-Loop Visual Re-ID for Population Size Estimation" (ECCV 2024): items are
drawn the more often the smaller their identity seems and the more doubtful their place, and each is compared with
items drawn the more often the likelier they are its mates. Changed here: items are drawn in strata of equal weight, one
of each per round, which shrinks the variance; pairs are drawn without replacement by unit, the likely ones surely; and
1 / size is estimated without bias (:mod:`cluster.counting.size`).

Mates in units that are not among the ``CANDIDATES`` nearest, or less likely than ``LEAST``, are never found: the only
assumption, of which :meth:`Plan.beyond` gives the expected size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cluster.counting.frame import Bond, Floats, Frame, Ints
from cluster.counting.pilot import Ask
from cluster.counting.size import inverse_size

STRATA = 16
CANDIDATES = 60  # units that an item is compared with at most
FIRST = 3  # units that are asked in any case
LEAST, FAINT = 0.01, 0.002  # probability below which a unit is not asked: of an item with mates, without any so far
SURE = 0.06  # probability from which a unit is asked surely; between the two with probability HALF
HALF = 0.5  # at 1/2 and more no estimate leaves [-1, 1]: 1 - 1 / p is -1 at the least
NEAREST, BLOCK = 2, 3  # of the own unit: nearest ones, then random ones; as many again if none of these is a mate
DOUBT = 0.1  # weight of doubt against smallness in the choice of items


@dataclass(frozen=True)
class Answered:
    """One drawn item: its row, its share of the count (estimated 1 / size over the probability of drawing it)."""

    row: int
    share: float


class Plan:
    """Draws items and asks about them.

    Args:
        frame: the units.
        bond: how likely an item is of a unit, by distance.
        seed: fixes every draw; the r-th round is the same whatever was answered before.
        candidates: units that an item is compared with at most.
    """

    def __init__(self, frame: Frame, bond: Bond, *, seed: int = 0, candidates: int = CANDIDATES) -> None:
        self.frame, self.bond, self.seed, self.candidates = frame, bond, seed, candidates
        chance = self._chances()
        order = np.lexsort((frame.own, frame.sizes[frame.labels]))
        middle = np.cumsum(chance[order]) - chance[order] / 2
        stratum = np.minimum((middle * STRATA).astype(np.int64), STRATA - 1)
        groups = [order[stratum == s] for s in range(STRATA)]
        self.strata: list[Ints] = [rows for rows in groups if len(rows)]
        self.chances: list[Floats] = [chance[rows] / chance[rows].sum() for rows in self.strata]

    def _chances(self) -> Floats:
        frame = self.frame
        size = frame.sizes[frame.labels]
        inside = np.where(size > 1, self.bond(frame.own - frame.bonus[frame.labels]), 1.0)
        outside = np.zeros(len(frame))
        for rows, distance in frame.blocks():
            # The nearest distances of all items to all units are not to be had cheaply: means have to do for the draw.
            outside[rows] = self.bond(distance - frame.bonus) @ frame.sizes
        expected = 1 + (size - 1) * inside + outside
        # The best chance is the root of the mean square of 1 / size: 1 if the item does not belong to its unit.
        chance = np.sqrt(1 / expected**2 + DOUBT * (1 - inside) / (1 + outside) ** 2)
        return np.asarray(chance / chance.sum())

    def round(self, number: int, ask: Ask) -> list[Answered]:
        """Draw one item of each stratum and ask about it; the sum of the shares estimates the count."""
        out = []
        for stratum, (rows, chances) in enumerate(zip(self.strata, self.chances, strict=True)):
            rng = np.random.default_rng([self.seed, 2, number, stratum])
            at = int(rng.choice(len(rows), p=chances))
            out.append(Answered(int(rows[at]), self.size_of(int(rows[at]), rng, ask) / float(chances[at])))
        return out

    def size_of(self, row: int, rng: np.random.Generator, ask: Ask) -> float:
        """Estimate 1 / (size of the item's identity) by asking about some of its candidates."""
        sure = 1 + self._inside(row, rng, ask)
        gaps = self.frame.gaps(row)
        near = np.argsort(gaps, kind="stable")[: min(self.candidates, len(gaps) - 1)]  # the own unit is the last
        likely = self.bond(gaps[near])
        found: list[tuple[float, float]] = []
        for rank, (unit, chance) in enumerate(zip(near.tolist(), likely.tolist(), strict=True)):
            surely = rank < FIRST or chance >= SURE
            alone = sure == 1 and not found
            if not surely and (chance < (FAINT if alone else LEAST) or rng.random() >= HALF):
                continue
            if mates := self._in_unit(row, unit, rng, ask):
                if surely:
                    sure += mates
                else:
                    found.append((mates, HALF))
        return inverse_size(sure, found)

    def _inside(self, row: int, rng: np.random.Generator, ask: Ask) -> float:
        """Estimate the mates among the others of the own unit."""
        others = self.frame.nearest(row, int(self.frame.labels[row]))
        others = others[others != row]
        if len(others) <= NEAREST + BLOCK:
            return sum(ask(row, int(j)) for j in others)
        mates = sum(ask(row, int(j)) for j in others[:NEAREST])
        rest = rng.permutation(others[NEAREST:])
        hits = sum(ask(row, int(j)) for j in rest[:BLOCK])
        asked = min(BLOCK, len(rest))
        if not hits:
            hits = sum(ask(row, int(j)) for j in rest[BLOCK : 2 * BLOCK])
            asked = min(2 * BLOCK, len(rest))
        if not hits:
            return mates
        # The mean of 1 / this (with the item itself) is 1 / the true number, but for the chance to hit none at all.
        return mates + (len(rest) + 1) * (hits + 1) / (asked + 1) - 1

    def _in_unit(self, row: int, unit: int, rng: np.random.Generator, ask: Ask) -> float:
        """Estimate the mates in another unit: its nearest item, and if that is one, a random other."""
        others = self.frame.nearest(row, unit)
        if not (first := ask(row, int(others[0]))) or len(others) == 1:
            return first
        return first + (len(others) - 1) * ask(row, int(rng.choice(others[1:])))

    def beyond(self, rows: Ints) -> float:
        """Expected number of units with mates of an item that are never asked about, mean over ``rows``."""
        missed = []
        for row in rows.tolist():
            likely = np.sort(self.bond(self.frame.gaps(row)))[::-1]
            kept = (np.arange(len(likely)) < self.candidates) & (likely >= LEAST)
            missed.append(likely[~kept].sum())
        return float(np.mean(missed)) if missed else 0.0
