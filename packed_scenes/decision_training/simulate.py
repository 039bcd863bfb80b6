"""Simulated sets for the judge of pairs to learn from: shelves, crowds, car parks, few large groups, all single."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import unit_rows
from packed_scenes.decision_training.bank import Bank, Pool, Shelf
from packed_scenes.decision_training.effects import (
    OF_CROWDS,
    OF_EMBEDDERS,
    OF_GOODS,
    OF_PAIRS,
    OF_SHELVES,
    Effect,
    Ints,
    Rng,
    Rows,
)
from packed_scenes.decision_training.gaussian import simulate

# How often a set comes from a source. A pool that is not named has weight 1.
GAUSSIAN, SHELVES = 0.08, 0.42
LARGE, LARGE_GAUSSIAN = 300, 0.35  # rows from which a set is a collection: no shelf, and oftener Gaussian
POOLS = {
    "vehicles": 1.2,
    "people": 1.4,
    "grocery": 1.2,
    "packed": 1.0,
    "drawn": 3.6,
    "cola": 0.25,
    "chess": 0.25,
    "pills": 0.25,
}
DESCRIPTORS = {"embedder": 0.55, "imagenet": 0.22, "colour": 0.13, "embedder+imagenet": 0.10}
CHANGED = 0.85  # share of sets that get effects
TREELESS, LARGE_TREELESS = 0.12, 0.5  # share of sets, of collections, judged without their tree, as above 2,048 rows
KNOWN = 0.75  # share of sets whose embedder has a threshold of its own
MAX_ROWS = ((0.81, 130), (0.12, 260), (0.05, 800), (0.02, 1600))  # share of the sets, and how many rows they may have
FRAMES, SPLIT = 0.15, 0.15  # share of the sets of crops that are frames of one camera; of the shelves in two pictures
PAIRED = ("vehicles",)
# Share of the sets of goods without identities that are nearer to another than some distance below the second number:
# drawn variants may differ by one word of small print, which a real shelf rarely has.
SEPARABLE = (0.7, 0.35)
UNITS = {"embedder": 0.20, "imagenet": 0.25, "colour": 0.11}  # thresholds of the descriptors
NOISE_WIDTHS = {16: 0.5, 32: 0.65, 48: 0.75, 64: 0.85, 96: 1.0, 128: 1.1, 256: 1.5}  # of about one difficulty


@dataclass(frozen=True)
class Example:
    """One set: (N, D) float32 unit rows, (N,) identities 0 … K-1, (N, 4) boxes or None, (N,) scenes or None, and the
    threshold of the embedder or None; whether the judge sees the tree of average linkage.
    """

    X: npt.NDArray[np.float32]
    identity: Ints
    xyxy: npt.NDArray[np.float64] | None = None
    scene: Ints | None = None
    unit: float | None = None
    tree: bool = True


def draw(bank: Bank, rng: Rng) -> Example:
    """Draw one set of two objects or more."""
    while True:
        found = _draw(bank, rng)
        if len(found.identity) > 1:
            return found


@dataclass
class _Drawn:
    """What a source gives, before effects: rows, identities, families by identity, boxes and scenes if there are any,
    the threshold of the embedder if it has one, and which effects suit it.
    """

    X: Rows
    identity: Ints
    family: Ints
    xyxy: Rows | None = None
    scene: Ints | None = None
    unit: float | None = None
    effects: tuple[tuple[Effect, float], ...] = OF_GOODS


def _draw(bank: Bank, rng: Rng) -> Example:
    kind = rng.random()
    most = int(rng.choice([rows for _, rows in MAX_ROWS], p=[share for share, _ in MAX_ROWS]))
    large = most > LARGE
    gaussian, shelves = (LARGE_GAUSSIAN, 0.0) if large else (GAUSSIAN, SHELVES)
    if kind < gaussian:
        X, identity = _gaussian(rng, most)
        drawn = _Drawn(X, identity, np.arange(identity.max() + 1))
    elif kind < gaussian + shelves and bank.shelves:
        drawn = _of_shelf(bank.shelves[rng.integers(len(bank.shelves))], rng)
    else:
        drawn = _of_pools(bank, rng, most)
    X, identity, family = drawn.X, drawn.identity, drawn.family
    if len(X) < 2:
        return Example(X.astype(np.float32), identity)
    unit = drawn.unit
    if rng.random() < CHANGED:
        for effect, chance in drawn.effects:
            if rng.random() < chance:
                X = effect(rng, X, identity, family)
    for effect, chance in OF_EMBEDDERS:
        if rng.random() < (0.5 * chance if drawn.effects is OF_SHELVES else chance):
            X, unit = effect(rng, X, identity, family), None
            break
    order = rng.permutation(len(X))[:most]
    names = np.unique(identity[order], return_inverse=True)[1].astype(np.int64)
    return Example(
        np.ascontiguousarray(X[order], np.float32),
        names,
        xyxy=None if drawn.xyxy is None else drawn.xyxy[order],
        scene=None if drawn.scene is None else drawn.scene[order],
        unit=unit if rng.random() < KNOWN else None,
        tree=rng.random() >= (LARGE_TREELESS if large else TREELESS),
    )


def _of_shelf(shelf: Shelf, rng: Rng) -> _Drawn:
    """A shelf, now and then photographed in two pictures."""
    X, identity, boxes, unit = _shelf(shelf, rng)
    identity = np.unique(identity, return_inverse=True)[1].astype(np.int64)
    drawn = _Drawn(X, identity, np.arange(identity.max(initial=0) + 1), boxes, unit=unit, effects=OF_SHELVES)
    if boxes is not None and len(X) and rng.random() < SPLIT:
        axis = int(rng.integers(2))
        drawn.scene = (boxes[:, axis] > np.median(boxes[:, axis])).astype(np.int64)
    return drawn


def _of_pools(bank: Bank, rng: Rng, most: int) -> _Drawn:
    """Crops of one pool, as of one photo or as frames of a camera."""
    weights = {
        name: POOLS.get(_kind(name), 1.0) / sum(_kind(n) == _kind(name) for n in bank.pools) for name in bank.pools
    }
    sizes, crowd = group_sizes(rng, most)
    name = _pick(rng, weights)
    X, identity, family, unit = _pooled(bank.pools[name], rng, sizes, crowd)
    drawn = _Drawn(X, identity, family, unit=unit)
    if crowd:
        drawn.effects = OF_PAIRS if name in PAIRED else OF_CROWDS
    if rng.random() < FRAMES:
        drawn.scene, drawn.xyxy = _frames(rng, identity)
    return drawn


def _kind(pool: str) -> str:
    return pool.rstrip("0123456789")


def _pick(rng: Rng, weights: Mapping[str, float]) -> str:
    names = list(weights)
    weight = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=weight / weight.sum()))]


def _gaussian(rng: Rng, most: int) -> tuple[Rows, Ints]:
    dim = int(rng.choice(list(NOISE_WIDTHS)))
    X, identity = simulate(
        int(np.exp(rng.uniform(np.log(most / 3 if most > LARGE else 8), np.log(most)))),
        dim=dim,
        seed=int(rng.integers(2**30)),
        regime=str(rng.choice(["scene", "scene", "person", "vehicle"])),
        sigma=float(NOISE_WIDTHS[dim] * rng.uniform(0.45, 1.25)),
    )
    return X.astype(np.float64), np.unique(identity, return_inverse=True)[1].astype(np.int64)


def _shelf(shelf: Shelf, rng: Rng) -> tuple[Rows, Ints, Rows | None, float | None]:
    """A generated scene or a window of it, with or without its boxes; some boxes may be missing."""
    names = list(shelf.vectors)
    name = "embedder" if rng.random() < 0.75 else str(rng.choice(names))
    keep = separable_rows(rng, shelf.vectors[name], shelf.identity)
    if rng.random() < 0.6:
        middle = (shelf.xyxy[:, :2] + shelf.xyxy[:, 2:]) / 2
        away = np.abs(middle - middle[rng.choice(keep)]).max(axis=1)[keep]
        keep = keep[np.argsort(away, kind="stable")[: int(rng.integers(10, 60))]]
    if rng.random() < 0.2:
        keep = keep[rng.random(len(keep)) < 0.8]
    if rng.random() < 0.55:  # a shop with less of each: of what repeats, a part is taken away
        first = np.unique(shelf.identity[keep], return_index=True)[1]
        stays = rng.random(len(keep)) < rng.uniform(-0.4, 1)  # now and then all are single
        stays[first] = True
        keep = keep[stays]
    X = shelf.vectors[name][keep].astype(np.float64)
    return X, shelf.identity[keep], shelf.xyxy[keep] if rng.random() < 0.5 else None, UNITS.get(name)


def separable_rows(rng: Rng, X: npt.NDArray[np.floating], identity: Ints) -> Ints:
    """Rows of the identities that stay so that none is too near to another, see ``TOLD_APART``."""
    if rng.random() >= SEPARABLE[0]:
        return np.arange(len(X))
    names, at = np.unique(identity, return_inverse=True)
    middle = unit_rows(np.stack([X[at == number].mean(axis=0) for number in range(len(names))]))
    near = 1 - middle @ middle.T < rng.uniform(0, SEPARABLE[1])
    stays = np.zeros(len(names), bool)
    for number in rng.permutation(len(names)):
        stays[number] = not near[number, stays].any()
    return np.flatnonzero(stays[at])


def _pooled(pool: Pool, rng: Rng, sizes: list[int], crowd: bool) -> tuple[Rows, Ints, Ints, float | None]:
    """Crops of one pool: identities of whole families where it has any."""
    name = _pick(rng, {d: w for d, w in DESCRIPTORS.items() if set(d.split("+")) <= set(pool.vectors)})
    known = np.array(list(pool.rows), np.int64)
    design = np.array([pool.family[rows[0]] for rows in pool.rows.values()])
    if design[0] >= 0 and rng.random() < 0.85:
        most = int(rng.integers(1, 5))
        groups = [
            rng.permutation(known[design == f])[: rng.integers(1, most + 1)] for f in rng.permutation(np.unique(design))
        ]
        order = np.concatenate(groups)
    else:
        order = rng.permutation(known)
    sizes = sizes[: len(order)]
    order = order[: len(sizes)]
    levels = len(next(iter(pool.vectors.values())))
    # A crop that is drawn again is seen at its other strength; more often it would be a copy of itself.
    sizes = [min(size, levels * len(pool.rows[name])) for size, name in zip(sizes, order.tolist(), strict=True)]
    level, mixed = int(rng.integers(levels)), rng.uniform(0, 0.5) * (rng.random() < 0.7)
    if not crowd and rng.random() < 0.7:  # goods on one photo differ little
        level, mixed = 0, rng.uniform(0, 0.1)
    rows, at = [], []
    for identity, size in zip(order.tolist(), sizes, strict=True):
        own = pool.rows[identity]
        drawn = np.concatenate([rng.permutation(own) for _ in range(-(-size // len(own)))])[:size]
        turn = np.arange(size) // len(own)
        rows.append(drawn)
        at.append((level + turn + (rng.random(size) < mixed)) % levels)
    row, seen = np.concatenate(rows), np.concatenate(at)
    X = np.concatenate([pool.vectors[part][seen, row] for part in name.split("+")], axis=1).astype(np.float64)
    X = unit_rows(X + 0.06 * rng.standard_normal(X.shape) / np.sqrt(X.shape[1]))
    identity = np.repeat(np.arange(len(sizes)), sizes)
    if not crowd:
        left = separable_rows(rng, X, identity)
        X, identity = X[left], identity[left]
        names, identity = np.unique(identity, return_inverse=True)
        order = order[names]
    look_alike = pool.family[[pool.rows[name][0] for name in order.tolist()]]
    family = np.where(look_alike >= 0, look_alike, -1 - np.arange(len(order)))
    return X, identity, family, UNITS.get(name)


def _frames(rng: Rng, identity: Ints) -> tuple[Ints, Rows]:
    """Scenes in which every identity is at most once, and boxes whose places say nothing."""
    frame = np.empty(len(identity), np.int64)
    frames = int(np.bincount(identity).max() * rng.uniform(1, 2))
    for name in np.unique(identity):
        rows = np.flatnonzero(identity == name)
        frame[rows] = rng.permutation(frames)[: len(rows)]
    corner = rng.uniform(0, 900, (len(identity), 2))
    height = 80 * np.exp(0.4 * rng.standard_normal(len(identity)))
    size = np.stack([0.4 * height * np.exp(0.15 * rng.standard_normal(len(identity))), height], axis=1)
    return frame, np.concatenate([corner, corner + size], axis=1)


def group_sizes(rng: Rng, most: int) -> tuple[list[int], bool]:
    """How many objects each identity of a set of at most about ``most`` has, and whether they come in views as people
    and cars do, not in variants as goods do.
    """
    kind = rng.random()
    sizes: list[int] = []
    if most > LARGE:
        if rng.random() < 0.3:  # few products, many crops of each
            per = most // int(rng.integers(3, 13))
            return [int(v) for v in rng.integers(per // 3, per + 1, most // per)], bool(rng.random() < 0.5)
        if rng.random() < 0.25:  # two cameras
            return [2] * (most // 2), True
        per = int(rng.integers(1, 16))
        return [int(v) for v in rng.integers(1, 2 * per, most // per)], bool(rng.random() < 0.6)
    if kind < 0.45:  # a shelf: many single, a tail
        count, falls = int(rng.integers(6, 110)), rng.uniform(0.3, 0.95)
        while sum(sizes) < count:
            sizes.append(min(int(rng.geometric(falls)), 15))
        return sizes, False
    if kind < 0.50:  # all single, or nearly
        return [1] * int(rng.integers(2, 60)) + [2] * int(rng.integers(0, 6)), False
    if kind < 0.60:  # a heavy tail
        count, scale = int(rng.integers(40, 240)), rng.uniform(0.5, 4)
        while sum(sizes) < count:
            sizes.append(int(min(1 + rng.pareto(1.1) * scale, count // 3 + 1)))
        return sizes, bool(rng.random() < 0.3)
    if kind < 0.84:  # people: about as many of each
        highest = int(rng.integers(3, 26))
        fewest = 1 if rng.random() < 0.4 else max(1, highest // 2)
        return rng.integers(fewest, highest + 1, int(rng.integers(2, 26))).tolist(), True
    if kind < 0.90:  # few large groups
        return rng.integers(4, 60, int(rng.integers(1, 5))).tolist(), bool(rng.random() < 0.5)
    count = int(rng.integers(15, 90))  # two cameras
    return rng.integers(1, 4, count).tolist() if rng.random() < 0.5 else [2] * count, True
