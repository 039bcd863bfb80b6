"""Vectors of crops of known identity, as several descriptors see them: what simulated sets are put together from.

Several descriptors of the same crops (the embedder that ships, a colour layout, optionally ImageNet's MobileNetV2) keep
the judge from learning one network's habits. Each crop is there at two strengths of augmentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from packed_scenes.data.arrays import unit_rows
from packed_scenes.data.damage import one_line_of
from packed_scenes.data.npz import read_npz

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

HELD_OUT_EVERY = 5  # one identity (family, shelf) in so many takes no part in the training
MIN_IDENTITIES = 20  # identities below which a pool is too small to be divided


@dataclass(frozen=True)
class Pool:
    """Crops of one source.

    Attributes:
        vectors: per descriptor (levels, N, D) float32 unit rows.
        identity: (N,) int64. family: (N,) int64 look-alike identities, -1 = none.
        rows: the rows of each identity.
    """

    vectors: dict[str, Floats]
    identity: Ints
    family: Ints
    rows: dict[int, Ints]


@dataclass(frozen=True)
class Shelf:
    """One generated scene: per descriptor (N, D) float32 unit rows; (N,) identities; (N, 4) boxes in pixels."""

    vectors: dict[str, Floats]
    identity: Ints
    xyxy: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bank:
    """All pools and shelves of one side: those that train, or those kept out."""

    pools: dict[str, Pool]
    shelves: list[Shelf]

    @classmethod
    def load(cls, path: str | Path, *, held_out: bool = False) -> Self:
        """Read a bank that :func:`packed_scenes.decision_training.banking.build` has written.

        Raises:
            InputError: if the file is missing or no bank.
        """
        with one_line_of(path, "no bank of vectors", remedy="Build it again."):
            return cls._of(read_npz(path, remedy="Build it again."), held_out)

    @classmethod
    def _of(cls, held: dict[str, npt.NDArray[Any]], held_out: bool) -> Self:
        pools, shelves = {}, []
        parts: dict[str, dict[str, npt.NDArray[Any]]] = {}
        for name, value in held.items():
            source, part = name.rsplit("/", 1)
            parts.setdefault(source, {})[part] = value
        for number, (source, values) in enumerate(sorted(parts.items())):
            identity, boxes = values.pop("identity").astype(np.int64), values.pop("xyxy", None)
            if boxes is not None:
                if (number % HELD_OUT_EVERY == 0) == held_out:
                    vectors = {name: unit_rows(value.astype(np.float32)) for name, value in values.items()}
                    shelves.append(Shelf(vectors, identity, boxes.astype(np.float64)))
                continue
            family = values.pop("family").astype(np.int64)
            # The division is by identity; look-alikes stay together, as telling them apart is what is learned.
            key = np.where(family >= 0, family, identity)
            out = key * 2654435761 % 97 % HELD_OUT_EVERY == 0
            if len(np.unique(identity)) < MIN_IDENTITIES:
                out[:] = False
            keep = np.flatnonzero(out == held_out)
            if len(keep):
                pools[source] = _pool(values, identity[keep], family[keep], keep)
        return cls(pools, shelves)


def _pool(part: dict[str, npt.NDArray[Any]], identity: Ints, family: Ints, keep: Ints) -> Pool:
    vectors = {name: unit_rows(value[:, keep].astype(np.float32)) for name, value in part.items()}
    rows = {int(name): np.flatnonzero(identity == name) for name in np.unique(identity)}
    return Pool(vectors, identity, family, rows)
