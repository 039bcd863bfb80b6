"""Training batches: hard negatives (variants of one family) and positives (views of one identity) in every batch.

A batch is a pure function of (seed, step), so that an interrupted training resumes with exactly the batch it would have
drawn, and a loader process can run ahead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from torch.utils.data import IterableDataset

from embed.augment import Augmentation, augment
from embed.store import CropStore
from embed.virtual import transform

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


@dataclass
class Source:
    """One store's part in each batch.

    Attributes:
        stores: crops; several shards count as one source.
        identities: identities drawn per batch.
        views: crops drawn per identity (different crops where it has them).
        group: identities drawn together from one family, 1 = independently.
        virtual: virtual identities made from each real one, the original included; 1 = none.
        offset: first proxy index of this source.
        classes: proxies this source may use.
    """

    stores: Sequence[CropStore]
    identities: int
    views: int
    group: int = 1
    virtual: int = 1
    offset: int = 0
    classes: int = 0
    _rows: list[dict[int, npt.NDArray[np.int64]]] = field(default_factory=list, repr=False)
    _families: list[list[npt.NDArray[np.int64]]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        for store in self.stores:
            order = np.argsort(store.label, kind="stable")
            labels, start = np.unique(store.label[order], return_index=True)
            self._rows.append(dict(zip(labels.tolist(), np.split(order, start[1:]), strict=True)))
            if self.group > 1:
                first = np.array([store.family[self._rows[-1][int(v)][0]] for v in labels])
                self._families.append([labels[first == f] for f in np.unique(first)])

    def draw(self, rng: np.random.Generator) -> Iterator[tuple[CropStore, int, int, int]]:
        """Yield (store, row, virtual seed, proxy index) of one batch's crops."""
        for _ in range(self.identities // self.group):
            shard = int(rng.integers(len(self.stores)))
            store, rows = self.stores[shard], self._rows[shard]
            if self.group > 1:
                family = self._families[shard][rng.integers(len(self._families[shard]))]
                chosen = [(int(v), 0) for v in rng.permutation(family)[: self.group]]
            else:
                chosen = [(int(list(rows)[rng.integers(len(rows))]), int(rng.integers(self.virtual)))]
                if self.virtual > 1 and rng.random() < 0.7:  # the same crops' other self: the hardest negative
                    chosen.append((chosen[0][0], int(rng.integers(self.virtual))))
            for label, change in dict.fromkeys(chosen):
                own = rows[label]
                picks = rng.permutation(own)[: self.views]
                if len(picks) < self.views:
                    picks = np.concatenate([picks, rng.choice(own, self.views - len(picks))])
                for row in picks.tolist():
                    yield (
                        store,
                        row,
                        change * 100_003 + (label if change else 0),
                        self.offset + label * self.virtual + change,
                    )


class Batches(IterableDataset[Batch]):
    """Endless batches from ``start`` on: ((B, H, W, 3) uint8, (B,) int64 proxy indices)."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        width: int,
        height: int,
        seed: int,
        start: int,
        how: Augmentation | None = None,
    ) -> None:
        self.sources, self.width, self.height, self.seed, self.start = list(sources), width, height, seed, start
        self.how = how or Augmentation()

    def batch(self, step: int) -> Batch:
        """The batch of one step."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [crop for source in self.sources for crop in source.draw(rng)]
        out = np.empty((len(drawn), self.height, self.width, 3), np.uint8)
        for index, (store, row, change, _) in enumerate(drawn):
            # half of the time the neighbour is the same goods, as on a shelf
            beside = index if rng.random() < 0.5 else int(rng.integers(len(drawn)))
            other, other_row, other_change, _ = drawn[beside]
            size, other_size = tuple(store.size[row].tolist()), tuple(other.size[other_row].tolist())
            out[index] = augment(
                transform(store.pixels[row], size, change), size,
                transform(other.pixels[other_row], other_size, other_change), other_size,
                width=self.width, height=self.height, rng=rng, how=self.how,
            )  # fmt: skip
        return out, np.array([proxy for *_, proxy in drawn], np.int64)

    def __iter__(self) -> Iterator[Batch]:
        step = self.start
        while True:
            yield self.batch(step)
            step += 1
