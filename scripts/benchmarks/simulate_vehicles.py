"""A large collection of vehicle crops as several descriptors would see it, written to disk in chunks.

Every row has a type, a colour, a view and an identity, long-tailed; four descriptors of the same rows weigh these
factors differently, as an identity embedder, a re-identification network, a colour layout and a shape descriptor do.
Each factor level has a random vector; light adds a low-rank part and everything gets noise whose spectrum falls off,
so that a principal component analysis finds some dimensions worth keeping, as in real descriptors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from packed_scenes.data.files import atomic_write

CHUNK = 50_000
TYPES = ("car", "van", "truck", "motorcycle", "bus", "pickup", "trailer", "bicycle")
COLOURS = ("white", "black", "grey", "silver", "blue", "red", "green", "brown", "yellow", "orange")
VIEWS = ("front", "rear", "left", "right", "front-left", "rear-right")
PER_IDENTITY = 40  # rows of an identity, in the mean
LIGHT_RANK = 6


@dataclass(frozen=True)
class Kind:
    """A descriptor: its columns and how much of each factor it sees."""

    columns: int
    type: float
    colour: float
    view: float
    identity: float
    light: float
    noise: float


KINDS = {
    "embedder": Kind(128, 1.0, 0.6, 0.45, 0.5, 0.3, 0.5),
    "reid": Kind(512, 0.8, 0.7, 0.3, 0.7, 0.3, 0.6),
    "colour": Kind(128, 0.15, 1.2, 0.3, 0.3, 0.8, 0.4),
    "shape": Kind(128, 1.3, 0.1, 0.8, 0.2, 0.2, 0.5),
}


@dataclass(frozen=True)
class Vehicles:
    """What each of N rows shows: (N,) integers into ``TYPES``, ``COLOURS``, ``VIEWS``, and identity numbers."""

    type: npt.NDArray[np.int64]
    colour: npt.NDArray[np.int64]
    view: npt.NDArray[np.int64]
    identity: npt.NDArray[np.int64]


def draw_vehicles(count: int, *, seed: int = 0) -> Vehicles:
    """Draw what ``count`` rows show; an identity keeps its type and colour."""
    rng = np.random.default_rng([seed, 1])
    identities = max(1, count // PER_IDENTITY)
    weight = rng.pareto(1.3, identities) + 0.2
    identity = rng.choice(identities, count, p=weight / weight.sum())
    of_type = rng.choice(len(TYPES), identities, p=_tail(len(TYPES), 1.1))
    of_colour = rng.choice(len(COLOURS), identities, p=_tail(len(COLOURS), 0.9))
    view = rng.choice(len(VIEWS), count, p=_tail(len(VIEWS), 0.5))
    return Vehicles(of_type[identity], of_colour[identity], view, identity)


def write_descriptor(path: str | Path, vehicles: Vehicles, name: str, *, seed: int = 0) -> None:
    """Write the (N, D) float32 .npy of one of ``KINDS``, a chunk at a time, whole or not at all."""
    kind = KINDS[name]
    rng = np.random.default_rng([seed, 2, sorted(KINDS).index(name)])
    dim, count = kind.columns, len(vehicles.type)
    factors = (
        (kind.type, len(TYPES), vehicles.type),
        (kind.colour, len(COLOURS), vehicles.colour),
        (kind.view, len(VIEWS), vehicles.view),
        (0.5 * kind.type, len(TYPES) * len(VIEWS), vehicles.type * len(VIEWS) + vehicles.view),
        (kind.identity, int(vehicles.identity.max()) + 1, vehicles.identity),
    )
    tables = [_table(rng, weight, levels, dim) for weight, levels, _ in factors]
    light = (kind.light * rng.standard_normal((LIGHT_RANK, dim)) / np.sqrt(LIGHT_RANK * dim)).astype(np.float32)
    spectrum = (1 + np.arange(dim)) ** -0.35
    turn = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    noise = (kind.noise * spectrum / np.linalg.norm(spectrum))[:, None] * turn
    noise = noise.astype(np.float32)
    with atomic_write(path) as temporary:
        out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=(count, dim))
        for low in range(0, count, CHUNK):
            rows = slice(low, min(low + CHUNK, count))
            size = rows.stop - low
            part = rng.standard_normal((size, dim), dtype=np.float32) @ noise
            part += rng.standard_normal((size, LIGHT_RANK), dtype=np.float32) @ light
            for table, (_, _, level) in zip(tables, factors, strict=True):
                part += table[level[rows]]
            # Crops differ in sharpness: a few are nearly nothing but noise.
            part += (0.8 * (rng.random(size) < 0.02)).astype(np.float32)[:, None] * (
                rng.standard_normal((size, dim), dtype=np.float32) / np.float32(np.sqrt(dim))
            )
            out[rows] = part
        out.flush()
        del out


def _table(rng: np.random.Generator, weight: float, levels: int, dim: int) -> npt.NDArray[np.float32]:
    return np.float32(weight / np.sqrt(dim)) * rng.standard_normal((levels, dim), dtype=np.float32)


def _tail(count: int, exponent: float) -> npt.NDArray[np.float64]:
    weight = (1.0 + np.arange(count)) ** -exponent
    return np.asarray(weight / weight.sum())
